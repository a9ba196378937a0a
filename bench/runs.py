"""Whole runs in a table, read from their run directories.

    python -m bench.runs RUN ... [--picture RUN=NAME]

Writes docs/benchmarks/runs.json and docs/benchmarks.md; --picture copies the last samples to docs/pictures/NAME.png.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
from pathlib import Path

from bench.results import ROOT, save, without_folders
from zerosum import text
from zerosum.run.directory import Run

HEADER = ["data", "recipe", "size", "rounds", "images", "time", "img/s", "real, fake told right", "nearest", "memory"]


def row(run: Run) -> list[str]:
    """Sum a run up."""
    about, history = run.description, run.history()
    last, tail = history[-1], history[-max(1, len(history) // 10) :]
    shape = about["spec"]["shape"]
    told = " ".join(
        f"{statistics.mean(values[f'discriminator/{side}_accuracy'] for values in tail):.0%}"
        for side in ("real", "fake")
    )
    return [
        Path(about["data"]["source"]).stem,
        about["recipe"],
        "x".join(map(str, shape)),
        f"{last['round']:,}",
        f"{last['seen']:,} ({last['seen'] / about['data']['count']:.1f} epochs)",
        text.duration(last["seconds"]),
        f"{statistics.median(values['images_per_second'] for values in history):,.0f}",
        told,
        _nearest(run),
        text.memory(max(values["peak_rss_bytes"] for values in history)),
    ]


def _nearest(run: Run) -> str:
    path = run.path / "samples" / "nearest.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text())
    samples, apart = (statistics.median(d["distance"] for d in found[side]) for side in ("samples", "training"))
    return f"{samples:.3f} ({apart:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--picture", action="append", default=[], metavar="RUN=NAME")
    options = parser.parse_args()
    runs = [Run.open(path) for path in options.runs]
    commands = "; ".join(f"`{without_folders(shlex.split(run.description['command']))}`" for run in runs)
    remarks = [
        f"Settings are the recipes' defaults but for what was typed: {commands}. A run with fewer rounds than that was "
        "stopped by SIGTERM after the time shown.",
        f"Played at: {', '.join(run.description['versions'].get('commit', 'an unknown commit') for run in runs)}. The "
        "commit below is that of this table.",
        "Accuracies are means over the last tenth of the run. Nearest: median over 12 samples of the mean absolute "
        "difference to the nearest training image; in brackets the same from 12 training images to the rest.",
    ]
    for given in options.picture:
        path, _, name = given.partition("=")
        run = Run.open(path)
        shutil.copy(run.sample(run.history()[-1]["round"]), ROOT / "docs" / "pictures" / f"{name}.png")
        remarks.append(f"![Samples of {name}](pictures/{name}.png)")
    save("runs", "Whole runs", [HEADER, *map(row, runs)], remarks)


if __name__ == "__main__":
    main()
