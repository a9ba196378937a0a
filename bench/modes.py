"""The mode-collapse tables of `zerosum bench modes`, put among the benchmarks.

zerosum bench modes --out runs/modes ...        makes them
python -m bench.modes runs/modes [FOLDER ...]   writes docs/benchmarks/mode-collapse.json and docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.results import save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="what `zerosum bench modes --out` wrote"
    )
    found = [json.loads((folder / "modes.json").read_text()) for folder in parser.parse_args().folders]
    tables = [table for one in found for table in one["tables"]]
    rows = [["data", "method", "modes", *tables[0]["rows"][0][2:]]]
    remarks: dict[str, None] = {}
    for table in tables:
        header, *body = table["rows"]
        known = header[1].removeprefix("modes ")
        rows += [[table["title"], row[0], f"{row[1]} {known}" if row[1] else "", *row[2:]] for row in body]
        remarks |= dict.fromkeys(table["remarks"])
    save("mode-collapse", "Mode collapse, beside published numbers", rows, list(remarks))


if __name__ == "__main__":
    main()
