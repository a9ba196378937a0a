"""Tables of captions: a column of files and one of captions."""

from __future__ import annotations

from zerosum.data.sources.tables import columns_of, read_rows
from zerosum.errors import InputError

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
        InputError: it is no table of these columns, or has one of them twice.
    """
    table = read_rows(content, place)
    file_at, caption_at = table.file_at(), table.at(COLUMNS if column is None else (column,))
    if file_at is None or caption_at is None:
        missing = " and ".join(["file"] * (file_at is None) + [column or "caption"] * (caption_at is None))
        raise InputError(
            f"{place} has no column {missing}, but the columns {', '.join(table.columns) or '(none)'}: name the "
            f"columns file and caption in its first line, or give --captions {place}:COLUMN."
        )
    found, blank = [], []
    for number, row in table.rows:
        file, said = table.file(row, file_at), row[caption_at]
        every = [" ".join(one.split()) for one in ((said,) if isinstance(said, str) else said) if one]
        if file and every:
            found += [(number, file, one) for one in every]
        else:
            lacks = "caption" if file else "file"
            blank.append(f"Line {number} of {place} has no {lacks}: complete it or remove it.")
    return found, tuple(blank)


def holds_captions(content: bytes, place: str) -> bool:
    """Whether a table has a column that is called as captions may be; one that cannot be read might have."""
    try:
        return columns_of(content, place).at(COLUMNS) is not None
    except InputError:
        return True
