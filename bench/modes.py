"""The mode-collapse tables of `zerosum bench modes`, put among the benchmarks.

    zerosum bench modes --out runs/modes ...        makes them
    python -m bench.modes runs/modes [FOLDER ...]   writes docs/benchmarks/mode-collapse.json and docs/benchmarks.md

With --add, rows that are there stay, but for those that were measured again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.results import FOLDER, save

NAME = "mode-collapse"


def gathered(found: list[dict[str, Any]]) -> tuple[list[list[str]], list[str]]:
    """Return the rows of all tables below one header, and their remarks."""
    tables = [table for one in found for table in one["tables"]]
    rows = [["data", "method", "modes", *tables[0]["rows"][0][2:]]]
    remarks: dict[str, None] = {}
    for table in tables:
        header, *body = table["rows"]
        known = header[1].removeprefix("modes ")
        rows += [[table["title"], row[0], f"{row[1]} {known}" if row[1] else "", *row[2:]] for row in body]
        remarks |= dict.fromkeys(table["remarks"])
    return rows, list(remarks)


def added(before: list[list[str]], rows: list[list[str]]) -> list[list[str]]:
    """Return rows below those of before: measured ones instead of the same, published ones once for a data set."""
    again = {(row[0], row[1]) for row in rows[1:]}
    kept = [row for row in before if (row[0], row[1]) not in again]
    there = {(row[0].partition(",")[0], *row[1:]) for row in kept}
    return [*kept, *(row for row in rows[1:] if (row[0].partition(",")[0], *row[1:]) not in there)]


def machines(found: list[dict[str, Any]], before: dict[str, Any]) -> list[str]:
    """Return a sentence on where the tables of each folder were made, and one on the rows of before."""
    said = []
    for one in found:
        here = one["machine"]
        place = f"{here['gpus'] or here['cpu']}, torch {here['torch']}"
        said.append(f"{'; '.join(table['title'] for table in one['tables'])}: {place}.")
    return [*said, "The others: `{command}`, {date}, at {commit}, {machine}.".format_map(before)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="what `zerosum bench modes --out` wrote"
    )
    parser.add_argument("--add", action="store_true", help="keep the rows that are there")
    options = parser.parse_args()
    found = [json.loads((folder / "modes.json").read_text()) for folder in options.folders]
    rows, remarks = gathered(found)
    if options.add:
        before = json.loads((FOLDER / f"{NAME}.json").read_text())
        rows = added(before["rows"], rows)
        remarks = list(dict.fromkeys([*before["remarks"], *remarks, *machines(found, before)]))
    save(NAME, "Mode collapse, beside published numbers", rows, remarks)


if __name__ == "__main__":
    main()
