"""Tables of files and what is said of them: CSV files, and lines of JSON as data sets of Hugging Face have them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.text import composed, separator_of

FILE_COLUMNS = ("file", "filename", "file_name", "filepath", "path", "image", "image_path")
DELIMITERS = ",;\t|"
METADATA = ("metadata.jsonl", "metadata.csv")
"""What a table beside images is called in a data set of Hugging Face."""
LINES = ".jsonl"
FIRST = 64
"""Lines by which the columns of a table are known."""

Cell = str | tuple[str, ...]
"""A value; of a line of JSON also several."""


@dataclass(frozen=True)
class Table:
    """The cells of a table."""

    place: str
    """What it is called in errors."""
    columns: list[str]
    rows: list[tuple[int, list[Cell]]]
    """The number of the line that each row ends in, and its cells; one that is missing is empty."""

    @property
    def plain(self) -> list[str]:
        """Names of the columns without capitals."""
        return [column.casefold() for column in self.columns]

    def at(self, names: Iterable[str]) -> int | None:
        """Return the place of the first of some columns that is there; None where none is.

        Raises:
            InputError: two columns have its name.
        """
        name = next((name for name in names if name.casefold() in self.plain), None)
        if name is None:
            return None
        if self.plain.count(name.casefold()) > 1:
            raise InputError(f"{self.place} has several columns called {name}: rename those that are not meant.")
        return self.plain.index(name.casefold())

    def file_at(self) -> int | None:
        """Return the place of the column of files; None where there is none."""
        return self.at(FILE_COLUMNS)

    def file(self, row: list[Cell], at: int) -> str:
        """Return the file of a row, in Unicode's composed form; "" where it has none."""
        cell = row[at]
        return composed(cell.replace("\\", "/").removeprefix("./")) if isinstance(cell, str) else ""


def read_rows(content: bytes, place: str) -> Table:
    """Read a table. Columns of CSV files may be parted by commas, semicolons, tabs or bars; blank rows are left out.

    A line such as sep=; above the columns names another delimiter, as Excel reads it.

    Args:
        content: of the file.
        place: what to call it; lines of JSON where that ends in .jsonl.

    Raises:
        InputError: it is no such table.
    """
    return _lines(content, place) if place.lower().endswith(LINES) else _csv(content, place)


def columns_of(content: bytes, place: str) -> Table:
    """Read the columns of a table by its first lines alone, which is quick however long it is; as `read_rows`."""
    narrow = content[:2] not in (b"\xff\xfe", b"\xfe\xff")
    return read_rows(b"\n".join(content.split(b"\n", FIRST)[:FIRST]) if narrow else content, place)


def metadata_of(files: ImageFiles) -> list[str]:
    """Name the tables called metadata.jsonl or metadata.csv: that nearest around the images first, then all others."""
    around = PurePosixPath(files.prefix.rstrip("/"))
    places = [f"{place}/" if str(place) != "." else "" for place in (around, *around.parents)]
    near = [place + name for place in places for name in METADATA if place + name in files.stamps][:1]
    others = [name for name in files.stamps if name.rpartition("/")[2] in METADATA and name not in near]
    return [*near, *sorted(others)] if near else []


def _csv(content: bytes, place: str) -> Table:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.lstrip("\r\n").partition("\n")[0]
        named = separator_of(first)
        delimiter = named or max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except (UnicodeError, csv.Error) as error:
        raise InputError(f"{place} is no CSV file in UTF-8 ({error}): save it as CSV UTF-8.") from error
    rows = rows[named is not None :]
    columns = rows[0][1] if rows else []
    filled: list[tuple[int, list[Cell]]] = [
        (number, [*row, *[""] * (len(columns) - len(row))]) for number, row in rows[1:] if any(row)
    ]
    return Table(place, columns, filled)


def _lines(content: bytes, place: str) -> Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError as error:
        raise InputError(f"{place} is no text in UTF-8 ({error}): save it as UTF-8.") from error
    found = [(number, _object(line, number, place)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    columns = list(dict.fromkeys(name for _, row in found for name in row))
    return Table(place, columns, [(number, [_cell(row.get(name)) for name in columns]) for number, row in found])


def _object(line: str, number: int, place: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f'Line {number} of {place} is no object of JSON: write one a line, such as {{"file_name": "a.png", '
            '"text": "a cat"}.'
        )
    return found


def _cell(value: Any) -> Cell:
    """Write a value of JSON as a cell; truth values as 1 and 0, and what is neither text nor number as none."""
    if isinstance(value, list):
        return tuple(part.strip() for part in value if isinstance(part, str))
    if isinstance(value, bool | int):
        return str(int(value))
    return str(value).strip() if isinstance(value, str | float) else ""
