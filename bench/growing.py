"""Progressive growing beside DCGAN: distances of runs that were trained and evaluated, with the time that they took.

    zerosum train fashion_mnist --size 32 --recipe progan --run progan
    zerosum evaluate progan --split test --features classifier --count 5000 --out progan.json
    python -m bench.default --minutes 7.5 --seeds 1 --data fashion --only dcgan
    zerosum train --resume dcgan-0 --rounds 9500
    zerosum sample dcgan-0 -n 5000 --out dcgan-0.npy
    zerosum evaluate dcgan-0.npy --against fashion_mnist --split test --size 32 --features classifier --count 5000 \\
        --out dcgan-0.json
    python -m bench.growing progan dcgan-0 --save

The evaluation of a run lies beside it, and is called as the run is.

Time is that of one thread: in each phase the images seen, by the rate that a tenth of the measurements reach, because
other work on the machine slows the rest, and a process that is stopped has none.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import quantiles

from bench.results import save, table
from zerosum.evaluation.result import Evaluation
from zerosum.run.directory import Run


def minutes(run: Run) -> float:
    """Return how long a run took to train, in minutes."""
    images: dict[object, int] = defaultdict(int)
    rates: dict[object, list[float]] = defaultdict(list)
    before = 0
    for row in run.history():
        images[row["phase"]] += row["seen"] - before
        rates[row["phase"]].append(row["images_per_second"])
        before = row["seen"]
    return sum(images[phase] / quantiles(rates[phase], n=10)[-1] for phase in images) / 60


def row(run: Run) -> list[str]:
    """Return the row of a run."""
    evaluation = Evaluation.read(run.path.with_suffix(".json"))
    fid, coverage = evaluation["fid"], evaluation["coverage"]
    assert fid.interval is not None
    return [
        run.description["recipe"],
        f"{run.history()[-1]['round']:,}",
        f"{minutes(run):.0f}",
        f"{fid.value:.1f}",
        f"{fid.interval.low:.1f} to {fid.interval.high:.1f}",
        f"{fid.floor:.1f}",
        f"{coverage.value:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    header = ["recipe", "rounds", "minutes", "FID-classifier", "95 %", "floor", "coverage"]
    rows = [header, *(row(Run.open(path)) for path in options.runs)]
    remarks = [
        "Fashion-MNIST at 32x32, seed 0, 5,000 samples against the held-out images; minutes of one thread. `progan` "
        "has its defaults; `dcgan` has as many rounds as 15 minutes of a slower hour of the machine allow, and goes on."
    ]
    print(table(rows), *remarks, sep="\n")
    if options.save:
        print(save("growing", "Progressive growing beside DCGAN", rows, remarks))


if __name__ == "__main__":
    main()
