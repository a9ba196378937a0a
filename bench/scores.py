"""How good whole runs are, side by side: what `zerosum evaluate` says of them.

    python -m bench.scores RUN ... [--name scores]

Evaluates the runs that were not yet, and writes docs/benchmarks/NAME.json and docs/benchmarks.md. The column "real
against real" is the floor: what as many real images of another split get.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import zerosum
from bench.results import save, table, without_folders
from zerosum.evaluation.result import FILE
from zerosum.evaluation.table import body, comparison_remarks, head
from zerosum.run.directory import Run
from zerosum.text import duration


def trained(run: Run) -> str:
    """Say how a run was trained."""
    last = run.history()[-1]
    return (
        f"{run.path.name}: `{without_folders(shlex.split(run.description['command']))}`, {last['round']:,} rounds, "
        f"{duration(last['seconds'])} on one core of a machine shared with other work."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="How good whole runs are, side by side.")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--name", default="scores")
    parser.add_argument("--title", default="How good whole runs are")
    options = parser.parse_args()
    for path in options.runs:
        if not (path / FILE).exists():
            zerosum.evaluate(path)
    found = zerosum.compare(*options.runs)
    rows = [list(head(found)), *map(list, body(found))]
    remarks = [*comparison_remarks(found), *(trained(Run.open(path)) for path in options.runs)]
    print(table(rows), *remarks, sep="\n\n")
    save(options.name, options.title, rows, remarks)


if __name__ == "__main__":
    main()
