"""What reading data costs: the share that drawing a batch has of a DCGAN round, 64x64x1 at batch 128.

    python -m bench.data [--passes 6] [--clock cpu] [--save]

The loader works on a thread beside the networks, so this is the work it takes from them, not time that they wait.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from bench.race import Contestant, race, ratios
from bench.results import save, table

ROUND = "tuned-bfloat16"
GOAL = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--passes", type=int, default=6, help="turns of each")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/data.json")
    options = parser.parse_args()
    steps = {"loader": 200, ROUND: 2}
    loader, player = (
        Contestant(name, [sys.executable, "-m", "bench.contestants", name], count, options.clock)
        for name, count in steps.items()
    )
    race([loader, player], options.passes)
    shares = ratios(player, loader)
    rows = [["", "img/s"], *([runner.name, f"{statistics.median(runner.rates):,.0f}"] for runner in (loader, player))]
    passes = ", ".join(f"{share:.2%}" for share in shares)
    remarks = [f"Share of a round spent reading: {statistics.median(shares):.2%} (goal: at most {GOAL:.0%}); {passes}."]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        save("data", "What reading data costs beside a DCGAN round", rows, remarks)


if __name__ == "__main__":
    main()
