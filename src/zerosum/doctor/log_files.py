"""Log files of other programs, read as rows of numbers by the names of their columns."""

from __future__ import annotations

import codecs
import csv
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from zerosum.doctor import printed_log
from zerosum.errors import InputError
from zerosum.runtime.regular_files import NotRegularError, open_regular
from zerosum.runtime.untrusted_json import parse
from zerosum.text import counted, memory, separator_of

Row = dict[str, float]

LARGEST = 256 << 20
"""Bytes of a log; what is longer is a log of everything, not of measurements."""

LONGEST_LINE = 1 << 16
MOST_COLUMNS = 1_000
MOST_ROWS = 20_000
"""Rows that are kept: of longer logs each is the mean of neighbours."""

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_rows(path: Path) -> tuple[list[str], list[Row], list[str]]:
    """Read a text log by the ending of its name: .csv, .tsv, .jsonl (.ndjson), or lines as they are printed.

    Returns:
        Names of the columns in the order in which they appear, rows, and remarks, a sentence each.

    Raises:
        InputError: it is empty, too large, no text, or holds no numbers.
    """
    reader = READERS.get(path.suffix.lower(), _printed)
    skipped: Counter[str] = Counter()
    rows = _bounded(path, reader(_lines(path), skipped))
    kept, per_row = _thinned(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    if not names:
        raise InputError(f"{path} holds no measurements: give a log with a column or a name for each number.")
    notes = [f"Left out: {counted(count, 'line')} {why}." for why, count in skipped.items()]
    if per_row > 1:
        notes.append(f"The log is long: each point is the mean of {per_row:,} rows.")
    return names, kept, notes


def require_size(path: Path, size: int) -> None:
    """Refuse a log that is empty or too large.

    Raises:
        InputError: it is.
    """
    if not size:
        raise InputError(f"{path} is empty: give a log with measurements in it.")
    if size > LARGEST:
        raise InputError(f"{path} has {memory(size)}, and a log may have {memory(LARGEST)}: give a part of it.")


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file in whatever encoding it is."""
    try:
        with open_regular(path) as file:
            start = file.read(1 << 16)
            size = file.seek(0, 2)
    except NotRegularError as error:
        raise InputError(f"{path} is no file: give a log, a run or a folder of images.") from error
    require_size(path, size)
    encoding = _encoding(path, start)
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise InputError(
                    f"{path} has a line of more than {LONGEST_LINE:,} characters: it is no log of numbers."
                )
            yield line


def _encoding(path: Path, start: bytes) -> str:
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        raise InputError(f"{path} is no text: give a log as .csv, .tsv, .jsonl or text, or a TensorBoard event file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _bounded(path: Path, rows: Iterable[Row]) -> Iterator[Row]:
    names: set[str] = set()
    try:
        for row in rows:
            names |= row.keys()
            if len(names) > MOST_COLUMNS:
                raise InputError(f"{path} has more than {MOST_COLUMNS:,} columns: give those of the losses.")
            yield row
    except csv.Error as error:
        raise InputError(f"{path} is no table ({error}): give a log with a column for each number.") from None


def _thinned(rows: Iterable[Row]) -> tuple[list[Row], int]:
    """Keep at most MOST_ROWS rows, by averaging neighbours whenever there are more; a NaN among them stays one."""
    kept: list[Row] = []
    pending: list[Row] = []
    per_row = 1
    for row in rows:
        pending.append(row)
        if len(pending) == per_row:
            kept.append(_mean(pending))
            pending = []
        if len(kept) == MOST_ROWS:
            kept = [_mean(kept[at : at + 2]) for at in range(0, MOST_ROWS, 2)]
            per_row *= 2
    return [*kept, *([_mean(pending)] if pending else [])], per_row


def _mean(rows: list[Row]) -> Row:
    """Average each column over the rows that have it."""
    if len(rows) == 1:
        return rows[0]
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {name: math.fsum(values) / len(values) for name, values in columns.items()}


def _table(mark: str | None) -> Callable[[Iterable[str], Counter[str]], Iterator[Row]]:
    def read(lines: Iterable[str], skipped: Counter[str]) -> Iterator[Row]:
        names: list[str] = []
        comment = ""
        separator = mark
        for line in lines:
            if not line.strip():
                continue
            if not names and (named := separator_of(line)) is not None:
                separator = named
                continue
            if line.lstrip().startswith("#") and not names:
                comment = line.lstrip("# \t")
                continue
            separator = separator or max(";\t|,", key=line.count)
            cells = next(csv.reader([line], delimiter=separator))
            if not names:
                first = [_number(cell, separator) for cell in cells]
                header = _header(comment, separator) if any(value is not None for value in first) else cells
                names = [name.strip() for name in header] or [f"column {at}" for at in range(1, len(cells) + 1)]
                if header is cells:
                    continue
            if len(cells) != len(names):
                skipped["with more or fewer cells than the header"] += 1
                continue
            values = {name: _number(cell, separator) for name, cell in zip(names, cells, strict=True)}
            yield {name: value for name, value in values.items() if value is not None}

    return read


def _header(comment: str, separator: str) -> list[str]:
    """Return the names in a comment above a table without a header, as numpy's savetxt writes them."""
    return next(csv.reader([comment.strip()], delimiter=separator), []) if comment.strip() else []


def _number(text: str, separator: str) -> float | None:
    plain = text.strip()
    if separator == ";":
        plain = plain.replace(",", ".")
    share = plain.endswith("%")
    try:
        return float(plain.rstrip("%")) / (100 if share else 1)
    except ValueError:
        return None


def _objects(lines: Iterable[str], skipped: Counter[str]) -> Iterator[Row]:
    for line in lines:
        if not line.strip():
            continue
        try:
            found = parse(line)
        except ValueError:
            found = None
        if isinstance(found, dict):
            yield dict(_flat(found))
        else:
            skipped["without a JSON object"] += 1


def _flat(table: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    for name, value in table.items():
        if isinstance(value, dict) and depth < 3:
            yield from _flat(value, f"{before}{name}/", depth + 1)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{before}{name}", float(value) if abs(value) < 1e300 or isinstance(value, float) else math.inf
        elif isinstance(value, str) and value.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
            yield f"{before}{name}", float(value)


def _printed(lines: Iterable[str], skipped: Counter[str]) -> Iterator[Row]:
    return printed_log.rows(lines)


READERS: dict[str, Callable[[Iterable[str], Counter[str]], Iterator[Row]]] = {
    ".csv": _table(None),
    ".tsv": _table("\t"),
    ".jsonl": _objects,
    ".ndjson": _objects,
}
