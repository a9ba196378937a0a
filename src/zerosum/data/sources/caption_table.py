"""Tables of captions: a column of files and one of captions."""

from __future__ import annotations

import csv
import io

from zerosum.data.sources.label_table import DELIMITERS, FILE_COLUMNS
from zerosum.errors import InputError
from zerosum.text import composed

COLUMNS = ("caption", "captions", "text", "description", "sentence", "prompt")
"""What a column of captions may be called."""


def read_captions(
    content: bytes, place: str, column: str | None = None
) -> tuple[list[tuple[int, str, str]], tuple[str, ...]]:
    """Read the columns of files and captions of a table: (line, file, caption) of each row, and what rows lack.

    Args:
        content: of the file.
        place: what to call it.
        column: name of the column of captions; by default the first that is called as one may be.

    Raises:
        InputError: it is no table of these columns.
    """
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.lstrip("\r\n").partition("\n")[0]
        delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeError, csv.Error) as error:
        raise InputError(f"{place} is no CSV file in UTF-8 ({error}): save it as CSV UTF-8.") from error
    columns = [cell.strip() for cell in rows[0][1]] if rows else []
    plain = [name.casefold() for name in columns]
    file_at = next((plain.index(name) for name in FILE_COLUMNS if name in plain), None)
    wanted = COLUMNS if column is None else (column.casefold(),)
    caption_at = next((plain.index(name) for name in wanted if name in plain), None)
    if file_at is None or caption_at is None:
        missing = " and ".join(["file"] * (file_at is None) + [column or "caption"] * (caption_at is None))
        raise InputError(
            f"{place} has no column {missing}, but the columns {', '.join(columns) or '(none)'}: name the columns file "
            f"and caption in its first line, or give --captions {place}:COLUMN."
        )
    found, blank = [], []
    for number, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        file, caption = (row[at].strip() if at < len(row) else "" for at in (file_at, caption_at))
        if file and caption:
            found.append((number, composed(file.replace("\\", "/").removeprefix("./")), " ".join(caption.split())))
        else:
            lacks = "caption" if file else "file"
            blank.append(f"Line {number} of {place} has no {lacks}: complete it or remove it.")
    return found, tuple(blank)
