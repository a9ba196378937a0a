"""The mode-collapse benchmark: recipes by seeds on data whose modes can be counted, as runs to be taken up again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from zerosum.benchmarks.mode_collapse import protocols
from zerosum.benchmarks.mode_collapse.experiment import Experiment, Variant, count, play, trial
from zerosum.benchmarks.mode_collapse.mode_counter import ModeCounter, judge
from zerosum.benchmarks.mode_collapse.progress import BenchmarkProgress
from zerosum.benchmarks.mode_collapse.table import Results, markdown, table
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.device import pick_device
from zerosum.runtime.display import display
from zerosum.runtime.progress import Progress, progress_callback


def run(
    out: str | Path,
    *,
    data: Sequence[str] = ("ring", "grid"),
    protocol: protocols.Name = "pacgan",
    variants: Sequence[Variant] = (Variant(recipe="gan"),),
    seeds: int = 10,
    rounds: int | None = None,
    size: str | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Results:
    """Train every variant on every data set from every seed, count modes, and write `modes.json` and `modes.md`.

    What is done already is not done again, and a run that was stopped is gone on with, to the last bit as if it had
    never stopped. After a signal the results are those of the runs that are finished.

    Args:
        out: folder for the runs, the classifier of digits, and the results.
        data: among "ring", "grid" and "stacked-mnist".
        protocol: "pacgan", "unrolled" or "quick"; see `zerosum.benchmarks.mode_collapse.protocols`.
        variants: recipes, and the settings by which they depart from the protocol's.
        seeds: runs of each variant on each data set; their seeds are 0, 1, ...
        rounds: of each run; by default the protocol's.
        size: of the images, as in `DataConfig`; the digits are padded to "32".
        device: cuda, mps, cpu, or auto.
        progress: who is told how it goes; by default a live view in a terminal and plain lines elsewhere.

    Raises:
        InputError: Something given cannot be used, or `out` holds runs of other settings.
        StorageError: The disk refuses.
    """
    place = Path(out)
    played = [protocols.find(protocol, name) for name in dict.fromkeys(data)]
    each = [(one, variant, seed) for seed in range(seeds) for one in played for variant in _apart(variants)]
    trials = [trial(*those, out=place, rounds=rounds, size=size, device=device) for those in each]
    where = pick_device(device)
    shown = display(progress)
    try:
        folder = place / f"classifier-{size or 28}"
        told = progress_callback(shown)
        judges = {one.data: judge(one, folder, size=size, device=where, progress=told) for one in played}
        finished = _play_all(trials, judges, shown)
    finally:
        shown.close()
    tables = [table(one, [other for other in trials if other.protocol == one], judges[one.data]) for one in played]
    results = Results(protocol=protocol, tables=tables, finished=finished)
    _write(results, place)
    return results


def _play_all(trials: Sequence[Experiment], judges: dict[str, ModeCounter], shown: Progress) -> bool:
    """Play and count what has no result yet; return whether all came to their end."""
    waiting = [one for one in trials if one.result is None]
    if len(waiting) < len(trials):
        shown.note(f"{len(trials) - len(waiting)} of {len(trials)} runs are done already.")
    watch = BenchmarkProgress(shown, waiting)
    for one in waiting:
        if not play(one, watch.begin(one)):
            shown.close()
            shown.note("Stopped and saved; the same command goes on from here.")
            return False
        if one.result is None:
            count(one, judges[one.protocol.data].count)
        watch.end(one)
        shown.note(f"{one.title}: {_outcome(one)}.")
    return True


def _outcome(one: Experiment) -> str:
    result = one.result or {}
    if "diverged" in result:
        return "it diverged"
    found = f"{result['modes']:,} of {one.protocol.modes:,} modes"
    if one.protocol.data == "stacked-mnist":
        return f"{found}, reverse KL {result['divergence']:.3f}"
    return f"{found}, {result['high_quality']:.1%} of high quality"


def _write(results: Results, place: Path) -> None:
    with replacing(place / "modes.json") as partial:
        partial.write_text(json.dumps(results.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with replacing(place / "modes.md") as partial:
        partial.write_text(markdown(results), encoding="utf-8")


def _apart(variants: Sequence[Variant]) -> Sequence[Variant]:
    """Return the variants, none of which would share a folder with another."""
    folders = [variant.folder for variant in variants]
    twice = next((variant.name for variant in variants if folders.count(variant.folder) > 1), None)
    if twice is not None:
        raise InputError(f"The variant {twice!r} was given twice: give each once.")
    return variants
