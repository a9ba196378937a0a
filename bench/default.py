"""Whether the default has earned its place: every recipe that makes images from nothing, for the same time.

    python -m bench.default [--minutes 15] [--seeds 3] [--data fashion,cifar,lego,lego-500] [--only dcgan,default]

Each contestant is trained by the command that a user types, `zerosum train DATA --recipe NAME --minutes 15`, with the
labels and without them; the default without labels gets a copy of the data that has none. Samples are compared with the
data by FID and coverage. Runs lie in --folder and are not made twice, so that an
interrupted benchmark goes on. `--plan FILE` measures how many rounds fit the time on this machine and trains nothing;
`--planned FILE` trains as many as such a file says, on a faster machine for example, and says so in the table.
Data are looked for under $ZEROSUM_DATA: fashion_mnist, cifar10/*.npz, lego_bricks/*.npz.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.results import save, table
from zerosum import api, recipes
from zerosum.data.options import DataConfig
from zerosum.data.sizes import candidates
from zerosum.inference.generate import finished, generate
from zerosum.kinds import open_data
from zerosum.run.config import RunConfig
from zerosum.tasks import GENERATE
from zerosum.training.budget import measure
from zerosum.training.choice import with_stabilisers

FEW = 500
METRICS = "fid,coverage"
FEATURES = "classifier"
"""A classifier of the data's own labels, which evaluation trains once; the labels are not given to all contestants."""

COUNT = 5_000
"""Samples on each side of an evaluation, or as many as there are held-out images."""


@dataclass(frozen=True)
class Contestant:
    """A recipe, with labels or without; None is what is trained where nothing is asked for."""

    recipe: str | None
    labelled: bool
    stabilise: str | None = None

    @property
    def name(self) -> str:
        """How tables and folders call it."""
        added = "" if self.stabilise is None else f" and {self.stabilise}"
        return (self.recipe or "default") + (" with labels" if self.labelled else "") + added

    def flags(self) -> list[str]:
        """Return the flags of `zerosum train` that make it."""
        named = [] if self.recipe is None else ["--recipe", self.recipe]
        added = [] if self.stabilise is None else ["--stabilise", self.stabilise]
        declined = [] if self.labelled or self.recipe is None else ["--labels", "none"]
        return [*named, *added, *declined]


def contestants() -> list[Contestant]:
    """Return the default first, then every recipe that makes images from nothing, each in the forms that it has."""
    found = [Contestant(None, labelled) for labelled in (False, True)]
    for name in recipes.names():
        kind = recipes.find(name)
        if kind.task is GENERATE and name not in ("unrolled", "progan"):  # for points, and with rounds in images
            needs = getattr(kind, "needs_labels", False)
            found += [Contestant(name, False)] * (not needs) + [Contestant(name, True)] * kind.is_conditional()
    return found


def data_of(name: str, folder: Path) -> tuple[Path, list[str]]:
    """Return where data lie, and the flags that give them their size; few images are written beside the runs."""
    root = Path(os.environ.get("ZEROSUM_DATA", "data")).expanduser()
    if name == "fashion":
        return root / "fashion_mnist", ["--size", "32"]
    if name == "cifar":
        return next((root / "cifar10").glob("*.npz")), ["--size", "32"]
    lego = next((root / "lego_bricks").glob("*.npz"))
    if name == "lego":
        return lego, ["--size", "64"]
    few = folder / f"lego-{FEW}.npz"
    if not few.exists():
        few.parent.mkdir(parents=True, exist_ok=True)
        with np.load(lego) as whole:
            rows = np.random.default_rng(0).permutation(len(next(iter(whole.values()))))[:FEW]
            content = {key: value[rows] if len(value) > FEW else value for key, value in whole.items()}
        np.savez_compressed(few, **content)
    return few, ["--size", "64"]


def trained_on(data: Path, contestant: Contestant, folder: Path) -> Path:
    """Return the data for a contestant: for the default without labels a copy that has none."""
    if contestant.labelled or contestant.recipe is not None:
        return data
    copy = folder / f"{data.stem}-unlabelled.npy"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        np.save(copy, open_data(data, options=DataConfig(labels="none")).samples)
    return copy


def command(*words: str | Path) -> list[str]:
    """Return the words of a command of the program."""
    return [sys.executable, "-m", "zerosum", *map(str, words)]


def flags_here(data: Path, flags: list[str], contestant: Contestant, minutes: float) -> list[str]:
    """Return the rounds that fit the processor time of two cores, counted on one thread, and the CPU's preset."""
    declined = not contestant.labelled and contestant.recipe is not None
    asked: dict[str, Any] = {"size": flags[1]} | ({"labels": "none"} if declined else {})
    plan = RunConfig.read(str(data), contestant.recipe, asked)
    ((spec,), count) = candidates(data, plan.options)
    torch.set_num_threads(1)
    trial = measure(with_stabilisers(plan, spec, count), spec, torch.device("cpu"), time.process_time)
    preset = getattr(trial.plan.config, "preset", None)
    return ["--rounds", str(trial.rounds(2 * minutes)), *([] if preset is None else ["--preset", preset])]


def play(place: Path, data: str, words: list[str], device: str) -> dict[str, Any]:
    """Train and evaluate once, or go on where that was left; return what was measured."""
    place.parent.mkdir(parents=True, exist_ok=True)
    result = place.parent / f"{place.name}.json"
    if not result.exists():
        with open(place.parent / f"{place.name}.log", "a") as log:
            given = ["--resume", str(place)] if (place / "run.json").exists() else [*words, "--run", str(place)]
            subprocess.run(command("train", *given, "--device", device), stdout=log, stderr=log, check=True)
        recipe = api.load(place, device=device)
        samples = place.parent / f"{place.name}.npy"
        images = finished(recipe.spec, generate(recipe, COUNT, 0, chunk=100)).permute(0, 2, 3, 1).squeeze(-1)
        np.save(samples, images.numpy())
        size = "x".join(map(str, recipe.spec.shape[1:]))
        api.evaluate(
            samples, against=data, metrics=METRICS, features=FEATURES, count=COUNT, size=size, out=result, device=device
        )
        samples.unlink()
    history = [json.loads(line) for line in (place / "history.jsonl").read_text().splitlines()]
    config = json.loads((place / "run.json").read_text())
    return {"evaluation": json.loads(result.read_text()), "last": history[-1], "run": config}


def main() -> None:
    """Train, evaluate, and write docs/benchmarks/default.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", default="fashion,cifar,lego,lego-500")
    parser.add_argument("--only", help="contestants, by commas")
    parser.add_argument("--stabilise", help="add this to each contestant, which plays as many rounds as without")
    parser.add_argument("--folder", type=Path, default=Path("runs/default"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side")
    parser.add_argument("--plan", type=Path, help="write the rounds that fit the time here, and train nothing")
    parser.add_argument("--planned", type=Path, help="train the rounds of such a file")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    chosen = [c for c in contestants() if options.only is None or c.name in options.only.split(",")]
    if options.stabilise is not None:
        chosen = [replace(contestant, stabilise=options.stabilise) for contestant in chosen]
    pairs = [(data, c) for data in options.data.split(",") for c in chosen]
    if options.plan is not None:
        planned = json.loads(options.plan.read_text()) if options.plan.exists() else {}
        for data, contestant in pairs:
            key = f"{data}/{contestant.name}"
            if key not in planned:
                where, flags = data_of(data, options.folder)
                where = trained_on(where, contestant, options.folder)
                planned[key] = flags_here(where, flags, contestant, options.minutes)
                options.plan.write_text(json.dumps(planned, indent=2) + "\n")
            print(key, *planned[key], flush=True)
        return
    given = json.loads(options.planned.read_text()) if options.planned else None

    def one(data: str, contestant: Contestant, seed: int) -> list[str] | None:
        where, flags = data_of(data, options.folder)
        length = ["--minutes", str(options.minutes)]
        if given is not None:
            length = given[f"{data}/{replace(contestant, stabilise=None).name}"]
        words = [
            str(trained_on(where, contestant, options.folder)),
            *flags,
            *contestant.flags(),
            *length,
            "--seed",
            str(seed),
            "--preview-every",
            "1000",
        ]
        place = options.folder / data / f"{contestant.name.replace(' ', '-')}-{seed}"
        try:
            found = play(place, str(where), [*words, "--save-every", "1000"], options.device)
        except subprocess.CalledProcessError as error:
            print(f"{place}: failed with {error.returncode}", flush=True)
            return None
        row = [data, contestant.name, str(seed), *_figures(found)]
        print(*row, sep="  ", flush=True)
        return row

    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(one, data, c, seed) for seed in range(options.seeds) for data, c in pairs]
        rows = [row for job in jobs if (row := job.result()) is not None]
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    header = ["data", "trained", "seed", "recipe", "rounds", "images/s", "FID", "95 %", "floor", "coverage"]
    print(table([header, *rows]))
    if options.save:
        how = f"for {options.minutes:g} minutes each"
        if given is not None:
            how = f"as many rounds as {options.minutes:g} minutes of two cores allow, counted as processor time"
        remarks = [
            f"`zerosum train DATA` with --size, --seed and what the row says, {how}; then "
            f"{COUNT:,} samples against the data by features of a classifier of their labels. "
            f"{_device(options.device)}.",
            "FID is below its floor only by chance; figures of one data set compare, those of two do not.",
        ]
        print(save("default", "Default and other recipes at equal training time", [header, *rows], remarks))


def _figures(found: dict[str, Any]) -> list[str]:
    results = {r["metric"]: r for r in found["evaluation"]["figures"]}
    fid, coverage = results.get("fid"), results.get("coverage")
    run, last = found["run"], found["last"]
    speed = last["seen"] / max(1e-9, last["seconds"])
    interval = "" if fid is None or fid.get("interval") is None else "{low:.1f} to {high:.1f}".format(**fid["interval"])
    return [
        run["recipe"] + (f" ({run['config']['preset']})" if run["config"].get("preset") else ""),
        f"{last['round']:,}",
        f"{speed:,.0f}",
        "" if fid is None else f"{fid['value']:.1f}",
        interval,
        "" if fid is None or fid.get("floor") is None else f"{fid['floor']:.1f}",
        "" if coverage is None else f"{coverage['value']:.2f}",
    ]


def _device(asked: str) -> str:
    from zerosum.runtime.device import pick_device

    place = pick_device(asked)
    return torch.cuda.get_device_name(place) if place.type == "cuda" else "On the CPU"


if __name__ == "__main__":
    main()
