"""Whether the tests notice one-line mistakes: mutations of the source, each in a copy, against its nearest tests.

python -m bench.mutations [--only PATTERN] [--total 170] [--jobs 1] [--save]

Results are kept in bench/results/mutations.jsonl: a mutation is run again where its source file has changed, or where
it survived and its tests have changed. `--only` takes a pattern of ids, "game.py:*" for example, and then leaves the
sample aside: all mutations that match are run.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.mutation_operators import Mutation, mutations

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "zerosum"
RESULTS = ROOT / "bench" / "results" / "mutations.jsonl"
PRELOADED = ("torch", "numpy", "scipy.linalg", "scipy.stats", "sklearn.datasets", "PIL.Image", "safetensors.torch")
PRELOADED += ("pydantic", "hypothesis", "torch.optim", "torch.nn", "tyro", "rich.console")
UNIT, RECIPES = "tests/unit", "tests/recipes"

SUITES: dict[str, tuple[str, ...]] = {
    "objectives.py": (f"{UNIT}/test_objectives.py",),
    "penalties.py": (f"{UNIT}/test_penalties.py",),
    "loss.py": (f"{UNIT}/test_loss.py", f"{UNIT}/test_player.py"),
    "player.py": (f"{UNIT}/test_player.py", f"{RECIPES}/test_reference_rounds.py::test_gan"),
    "game.py": (
        f"{UNIT}/test_game.py",
        f"{UNIT}/test_player.py",
        f"{UNIT}/run/test_checkpoint.py",
        f"{RECIPES}/test_reference_rounds.py::test_gan",
    ),
    "latent.py": (f"{UNIT}/test_latent.py",),
    "optim/schedules.py": (f"{UNIT}/optim/test_schedules.py",),
    "layers/image_pool.py": (f"{UNIT}/layers/test_image_pool.py",),
    "data/packing/cache.py": ("tests/data/test_cache.py", "tests/data/test_pack.py"),
    "data/jitter.py": ("tests/data/test_jitter.py",),
    "evaluation/result.py": (f"{UNIT}/evaluation/test_result.py", f"{UNIT}/evaluation/test_reference.py"),
    "recipes/*.py": (
        f"{RECIPES}/test_reference_rounds.py::test_NAME",
        f"{RECIPES}/test_defaults.py::test_defaults_are_those_of_their_sources[NAME]",
        f"{RECIPES}/test_defaults.py::test_defaults_on_points_are_those_of_their_sources[NAME]",
        f"{RECIPES}/test_defaults.py::test_presets_are_as_they_were_written_down[NAME]",
        f"{RECIPES}/test_roles.py",
        f"{RECIPES}/test_parameter_counts.py",
        f"{RECIPES}/test_initial_weights.py",
        f"{RECIPES}/test_NAME.py",
    ),
    "evaluation/measures/perceptual.py": (f"{UNIT}/evaluation/test_perceptual.py",),
    "evaluation/measures/labels.py": (f"{UNIT}/evaluation/test_measures_of_labels.py",),
    "evaluation/measures/classifier.py": (
        f"{UNIT}/evaluation/test_measures_of_labels.py",
        f"{UNIT}/evaluation/test_measures.py",
        f"{UNIT}/evaluation/test_figures_in_full.py",
    ),
    "evaluation/measures/*.py": (
        f"{UNIT}/evaluation/test_measures.py",
        f"{UNIT}/evaluation/test_figures_in_full.py",
    ),
}
"""Source files, and the tests that are to notice a mistake in them; doctests of the file itself come first."""

SHARED: dict[str, str] = dict.fromkeys(("recipes/sngan.py", "recipes/projection.py"), "::test_sngan_and_projection")
"""Source files whose reference round shares a test."""

EQUIVALENT: dict[tuple[str, str], str] = {
    ("player.py", "Role = Literal[('generator',)]"): "a type, which only a type checker reads",
    (
        "latent.py",
        "position = torch.linspace(0, len(corners) - 1, frames, dtype=torch.float64)",
    ): "on the CPU; elsewhere it fails, which needs a GPU to notice",
    (
        "layers/image_pool.py",
        "for image, place, swap in zip(images, places, swaps):",
    ): "both lists are drawn with the length of the images, so that strict never raises",
    (
        "evaluation/result.py",
        'partial.write_text(json.dumps({"format": FORMAT, **content}, indent=3, allow_nan=False) + "\\n")',
    ): "the indentation of a file that programs read",
    (
        "evaluation/result.py",
        "partial.write_text(json.dumps({'format': FORMAT, **content}, allow_nan=False) + \"\\n\")",
    ): "the indentation of a file that programs read",
    (
        "evaluation/measures/classifier.py",
        'return {"is": inception_score(comparison.fake.logits).value}',
    ): "the default is the same number of splits",
    (
        "evaluation/measures/perceptual.py",
        "found = path_length(generate, recipe.prior, eye, distance_name=eye.distance.name, between=recipe.between, "
        "pairs=PAIRS, device=recipe.device, seed=comparison.protocol.seed)",
    ): "how many pairs are taken at once",
    (
        "evaluation/measures/perceptual.py",
        "found = path_length(generate, recipe.prior, eye, distance_name=eye.distance.name, between=recipe.between, "
        "pairs=PAIRS, batch=min(50, PAIRS), seed=comparison.protocol.seed)",
    ): "on the CPU, which is the default",
    ("evaluation/measures/features.py", "if (spread is None and value is None):"): "for the type checker",
    ("data/packing/cache.py", "np.save(file, labels.astype(np.int64), allow_pickle=True)"): "numbers are never pickled",
}
"""(file, mutated line): why nothing that can be observed changes."""


def files() -> Iterator[str]:
    """Yield the source files that are mutated."""
    for pattern in SUITES:
        for path in sorted(PACKAGE.glob(pattern)):
            name = path.relative_to(PACKAGE).as_posix()
            if next(p for p in SUITES if fnmatch.fnmatch(name, p)) == pattern and path.name != "__init__.py":
                yield name


def suite(file: str) -> list[str]:
    """Return the arguments of pytest for a source file."""
    pattern = next(pattern for pattern in SUITES if fnmatch.fnmatch(file, pattern))
    chosen = [argument.replace("NAME", Path(file).stem) for argument in SUITES[pattern]]
    chosen = [
        argument.replace("::test_" + Path(file).stem, SHARED.get(file, "::test_" + Path(file).stem))
        for argument in chosen
    ]
    return [argument for argument in chosen if (ROOT / argument.partition("::")[0]).exists()]


def sample(total: int) -> list[Mutation]:
    """Choose mutations of every file, more of those that have more, of all kinds: the same at every call."""
    by_file = {file: mutations(file, (PACKAGE / file).read_bytes()) for file in files()}
    share = total / sum(len(found) ** 0.5 for found in by_file.values())
    chosen = []
    for file, found in by_file.items():
        random.Random(file).shuffle(found)
        kinds: dict[str, int] = defaultdict(int)
        ranked = []
        for mutation in found:  # of every kind one, then of every kind a second one
            kind = mutation.what.partition(",")[0]
            kind = "constant" if kind[0].isdigit() or kind.startswith(("True", "False", "-")) else kind
            ranked.append((kinds[kind], len(ranked), mutation))
            kinds[kind] += 1
        count = max(6, round(share * len(found) ** 0.5))
        chosen += [mutation for _, _, mutation in sorted(ranked, key=lambda r: r[:2])[:count]]
    return chosen


class Copies:
    """Copies of the source, one a job: a mutation is written into one, never in place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, job: int, file: str, content: bytes, tests: list[str]) -> int:
        """Write a file into a copy and run tests on it in a process of its own; return its id."""
        home = self.folder / str(job)
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(ROOT / "src", home / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (home / "src" / "zerosum" / file).write_bytes(content)
        sys.stdout.flush()
        if process := os.fork():
            return process
        try:
            _run_tests(home, [str(home / "src" / "zerosum" / file), *tests])
        finally:
            os._exit(70)


def _run_tests(home: Path, tests: list[str]) -> None:
    os.setsid()
    log = os.open(home / "log", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(home / "src")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sys.path[:] = [str(ROOT), str(home / "src"), *(p for p in sys.path if Path(p) not in (ROOT, ROOT / "src"))]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", f"--basetemp={home / 'tmp'}", "--tb=line"]
    code = pytest.main([*options, *tests])
    sys.stdout.flush()
    os._exit(int(code))


def _wait(running: dict[int, tuple[Any, ...]]) -> tuple[int, int | None]:
    """Wait for a process to end or to pass its time; return its id and exit code, None for the time."""
    while True:
        for process, (*_, deadline) in running.items():
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return process, os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.killpg(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return process, None
        time.sleep(0.05)


def run(todo: list[Mutation], jobs: int, keep: Any) -> None:
    """Run what is to be run, file by file: first the tests on the source as it is, then on each mutation."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copies, limits = Copies(Path(folder)), {}
        for file in dict.fromkeys(mutation.file for mutation in todo):
            begun = time.monotonic()
            tests = suite(file)
            process = copies.start(0, file, (PACKAGE / file).read_bytes(), tests)
            _, code = _wait({process: (0, begun + 600)})
            limits[file] = 30 + 5 * (time.monotonic() - begun)
            if code != 0:
                print((Path(folder) / "0" / "log").read_text()[-2000:])
                print(f"{file}: its tests fail (code {code}) without a mutation; left out")
                limits.pop(file)
                continue
            waiting, running = [m for m in todo if m.file == file], {}
            while waiting or running:
                while waiting and len(running) < jobs:
                    mutation, now = waiting.pop(0), time.monotonic()
                    job = next(j for j in range(jobs) if j not in {entry[0] for entry in running.values()})
                    content = mutation.apply((PACKAGE / file).read_bytes())
                    process = copies.start(job, file, content, tests)
                    running[process] = (job, mutation, now, now + limits[file])
                process, code = _wait(running)
                _, mutation, now, _ = running.pop(process)
                outcome = {0: "survived", 5: "no tests", None: "timed out"}.get(code, "noticed")
                keep(mutation, outcome, time.monotonic() - now)


def mutated_line(mutation: Mutation) -> str:
    """Return the line as the mutation leaves it."""
    content = mutation.apply((PACKAGE / mutation.file).read_bytes())
    return content.decode().splitlines()[mutation.line - 1].strip()


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _table(chosen: list[Mutation], outcomes: dict[str, str]) -> list[list[str]]:
    rows = [["file", "noticed", "equivalent", "run", "noticed of those that matter"]]
    for file in [*dict.fromkeys(m.file for m in chosen), None]:
        ours = [m for m in chosen if m.id in outcomes and file in (m.file, None)]
        missed = [m for m in ours if outcomes[m.id] == "survived"]
        same = sum((m.file, mutated_line(m)) in EQUIVALENT for m in missed)
        noticed = len(ours) - len(missed)
        share = f"{noticed / max(1, len(ours) - same):.0%}"
        rows.append([file or "all", str(noticed), str(same), str(len(ours)), share])
    return rows


def main() -> None:
    """Run what has not been run, and say what survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="pattern of ids, such as 'recipes/*'")
    parser.add_argument("--total", type=int, default=170)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/mutations.json")
    arguments = parser.parse_args()
    chosen = sample(arguments.total)
    if arguments.only:
        every = [m for file in files() for m in mutations(file, (PACKAGE / file).read_bytes())]
        chosen = [m for m in every if fnmatch.fnmatch(m.id, arguments.only)]
    RESULTS.parent.mkdir(exist_ok=True)
    old = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    sources = {file: _digest([PACKAGE / file]) for file in files()}
    tests = {file: _digest([ROOT / a.partition("::")[0] for a in suite(file)]) for file in files()}
    outcomes: dict[str, str] = {}
    for row in old:
        file = row["id"].partition(":")[0]
        same_tests = row["tests"] == tests.get(file)
        if row["source"] == sources.get(file) and (row["outcome"] != "survived" or same_tests):
            outcomes[row["id"]] = row["outcome"]
        else:
            outcomes.pop(row["id"], None)

    def keep(mutation: Mutation, outcome: str, seconds: float) -> None:
        outcomes[mutation.id] = outcome
        row = {"id": mutation.id, "outcome": outcome, "seconds": round(seconds, 1)}
        row |= {"source": sources[mutation.file], "tests": tests[mutation.file]}
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{outcome:9} {seconds:5.1f} s  {mutation.id}", flush=True)

    for module in PRELOADED:
        importlib.import_module(module)
    try:
        run([mutation for mutation in chosen if mutation.id not in outcomes], arguments.jobs, keep)
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on.")
    _report(chosen, outcomes, arguments.save)


def _report(chosen: list[Mutation], outcomes: dict[str, str], save: bool) -> None:
    rows = _table(chosen, outcomes)
    for row in rows:
        print("  ".join(f"{cell:>10}" if place else f"{cell:36}" for place, cell in enumerate(row)))
    for mutation in chosen:
        if outcomes.get(mutation.id) == "survived":
            line = mutated_line(mutation)
            why = EQUIVALENT.get((mutation.file, line))
            print(f"survived: {mutation.id}\n    {line}" + (f"\n    equivalent: {why}" if why else ""))
    if save:
        from bench.results import save as save_result

        print(save_result("mutations", "One-line mutations noticed by the tests nearest to them", rows))


if __name__ == "__main__":
    main()
