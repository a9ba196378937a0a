"""Tables that the cache keeps of many files: columns of numbers and of names, in little room and read at once."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.errors import StorageError
from zerosum.runtime.atomic_files import replacing

Table = dict[str, np.ndarray]


def read_table(place: Path) -> Table:
    """Return the columns that lie there; none where there are none, or damaged ones."""
    try:
        with np.load(place, allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def write_table(place: Path, columns: Table) -> None:
    """Keep columns for the next time. A cache that cannot be written to, such as a shared one, only costs time."""
    try:
        with replacing(place) as partial, partial.open("wb") as file:
            np.savez(file, **columns)  # type: ignore[arg-type]
    except StorageError:
        return


def as_column(value: object) -> np.ndarray:
    """Write names, or whatever JSON can hold, as a column of bytes."""
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def of_column(column: np.ndarray) -> Any:
    """Read what `as_column` has written.

    >>> of_column(as_column(["a", "b.png"]))
    ['a', 'b.png']

    Raises:
        ValueError: It is something else.
    """
    return json.loads(column.tobytes())
