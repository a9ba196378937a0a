"""Images in Parquet files, as data sets of the Hub keep them: row groups are read at random, by pyarrow alone."""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.caption_table import COLUMNS
from zerosum.data.sources.image_files import UNSTAMPED, ImageFiles, OwnCaptions, OwnLabels, image_files
from zerosum.data.sources.shards import Shard
from zerosum.data.sources.tar_shards import own_labels, partly_labelled
from zerosum.errors import InputError

IMAGES = ("image", "img", "jpg", "png", "pixel_values", "bytes")
PAIRS = (
    ("a", "b"),
    ("source", "target"),
    ("input", "output"),
    ("source_image", "target_image"),
    ("input_image", "output_image"),
    ("input_image", "edited_image"),
    ("original_image", "edited_image"),
)
"""Names of two columns of images that are pairs, where there is no column of images alone."""
LABELS = ("label", "labels", "class", "cls", "fine_label", "target")
"""Names of columns, the first that is there first."""
UNLABELLED = -1
"""What data sets of the Hub put where a label is withheld."""
STRETCH_BYTES, KEPT = 1 << 25, 4
"""Bytes of rows that are read at once, and how often these are held in memory: a row group may be a whole file."""
READ_BYTES = 1 << 20
"""Bytes that are asked for at once of what is stored of a column."""


def list_parquet(
    root: Path, shards: Sequence[Shard], cache: Path, beside: Callable[[], Sequence[Shard]] = tuple
) -> ImageFiles:
    """List the images of Parquet files, with their classes where a column gives them.

    Args:
        root: what the files were asked for by.
        shards: the files.
        cache: folder for their digests.
        beside: returns the files of the other splits, whose labels are read where these have some without names.

    Raises:
        InputError: pyarrow is missing, or the files have no column of encoded images.
    """
    tables = [_Table(shard) for shard in shards]
    places: dict[str, tuple[_Table, int, str]] = {}
    of: dict[str, str] = {}
    for number, table in enumerate(tables):
        for row, label in enumerate(table.classes(tables[0].names)):
            stem = f"{number:05d}/{row:09d}" if len(tables) > 1 else f"{row:09d}"
            for ending, column in table.images.items():
                name = stem + ending
                places[name] = (table, row, column)
                if label is not None:
                    of[name] = label

    def read(name: str) -> BinaryIO:
        table, row, column = places[name]
        return BytesIO(table.image(row, column))

    def captions() -> dict[str, tuple[str, ...]]:
        said = {table: table.captions() for table in tables}
        return {name: said[table][row] for name, (table, row, _) in places.items()}

    own = None
    if of and len(of) == len(places):
        own = _own_labels(of, tables[0].names, beside)
    column = tables[0].caption
    kept = OwnCaptions(f"the column {column}", captions) if column and all(table.caption for table in tables) else None
    lonely = [name for name in places if name not in of] if of and own is None else []
    identity = tuple((shard.name, shard.identity(cache)) for shard in shards)
    return image_files(
        root,
        dict.fromkeys(places, UNSTAMPED),
        read,
        partly_labelled(lonely, of),
        identity=identity,
        own=own,
        captions=kept,
    )


def _own_labels(of: dict[str, str], named: Sequence[str], beside: Callable[[], Sequence[Shard]]) -> OwnLabels:
    """Number classes by their names in the files, or where they have none, together with those of the other splits."""
    if named:
        return OwnLabels(of, tuple(dict.fromkeys((*named, *own_labels(of, ()).classes))))
    return own_labels(of, (label for shard in beside() for label in _Table(shard).classes([]) if label is not None))


class _Table:
    """One Parquet file, from any thread."""

    def __init__(self, shard: Shard) -> None:
        try:
            import pyarrow.parquet as parquet  # pyright: ignore[reportMissingImports]  # an extra
        except ImportError:
            raise InputError(f"{shard.place} needs the extra data: pip install 'zerosum[data]'") from None
        self._shard, self._lock = shard, threading.Lock()
        try:
            self._file: Any = parquet.ParquetFile(shard.open(), buffer_size=READ_BYTES, pre_buffer=False)
            schema = self._file.schema_arrow
        except Exception as error:  # pyarrow has many
            raise InputError(f"{shard.place} is no Parquet file that can be read ({error}).") from None
        self.images = _image_columns(schema.names, shard)
        self.caption = next((name for name in COLUMNS if name in schema.names and _is_text(schema, name)), None)
        self._label = next((name for name in LABELS if name in schema.names), None)
        self.names = _class_names(schema.metadata or {}, self._label)
        about = self._file.metadata
        groups = [about.row_group(group) for group in range(about.num_row_groups)]
        self._starts = [0, *accumulate(group.num_rows for group in groups)]
        self._row_bytes = [group.total_byte_size // max(1, group.num_rows) for group in groups]
        self._kept: deque[tuple[int, Any]] = deque(maxlen=KEPT)
        self._ahead: tuple[int, Iterator[Any]] = (-1, iter(()))  # the group that is being read, and the rest of it
        self._next = 0  # the row that comes next in it

    def classes(self, named: Sequence[str]) -> list[str | None]:
        """Return the class of each row, by its name where its number has one; None where there is none."""
        if self._label is None:
            return [None] * self._starts[-1]
        labels = self._file.read(columns=[self._label]).column(0).to_pylist()
        return [None if label in (None, UNLABELLED) else _class_of(label, named) for label in labels]

    def captions(self) -> list[tuple[str, ...]]:
        """Return the captions of each row, none where there is none."""
        said = self._file.read(columns=[self.caption]).column(0).to_pylist()
        every = [[value] if isinstance(value, str) else value or [] for value in said]
        return [tuple(dict.fromkeys(plain for one in row if (plain := " ".join((one or "").split())))) for row in every]

    def image(self, row: int, column: str) -> bytes:
        """Return the encoded image of a row in a column."""
        with self._lock:
            start, rows = self._around(row)
            value = rows.column(column)[row - start].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise Unusable(f"holds no encoded image (row {row} of {self._shard.name}, column {column})")
        return content

    def _around(self, row: int) -> tuple[int, Any]:
        """Return rows that are held in memory with the wanted one among them, and the number of the first of them."""
        kept = next((each for each in self._kept if 0 <= row - each[0] < each[1].num_rows), None)
        if kept is not None:
            return kept
        group = bisect_right(self._starts, row) - 1
        if group != self._ahead[0] or row < self._next:
            size = max(1, STRETCH_BYTES // max(1, self._row_bytes[group]))
            columns = list(self.images.values())
            self._ahead = (group, self._file.iter_batches(size, row_groups=[group], columns=columns, use_threads=False))
            self._next = self._starts[group]
        while self._next <= row:
            rows = next(self._ahead[1])
            self._kept.append((self._next, rows))
            self._next += rows.num_rows
        return self._kept[-1]


def _image_columns(names: Sequence[str], shard: Shard) -> dict[str, str]:
    """Return the column of images by the ending of their names: of pairs two, which are called as those in a .tar."""
    alone = next((name for name in IMAGES if name in names), None)
    if alone is not None:
        return {".png": alone}
    pair = next((pair for pair in PAIRS if set(pair) <= set(names)), None)
    if pair is not None:
        return {".a.png": pair[0], ".b.png": pair[1]}
    lonely = next((name for pair in PAIRS for name in pair if name in names), None)
    if lonely is not None:
        partner = next(two for one, two in (*PAIRS, *((b, a) for a, b in PAIRS)) if one == lonely)
        raise InputError(
            f"{shard.place} has a column {lonely} and none {partner}, of its partners: it has {', '.join(names)}."
        )
    raise InputError(
        f"{shard.place} has no column of images: expected one of {', '.join(IMAGES)} of encoded images, or two such as "
        f"{' and '.join(PAIRS[0])} of pairs, and it has {', '.join(names)}."
    )


def _class_of(label: Any, named: Sequence[str]) -> str:
    return named[label] if isinstance(label, int) and 0 <= label < len(named) else str(label)


def _is_text(schema: Any, name: str) -> bool:
    kind = str(schema.field(name).type)
    return kind in ("string", "large_string") or (kind.startswith(("list<", "large_list<")) and "string" in kind)


def _class_names(metadata: dict[bytes, bytes], label: str | None) -> list[str]:
    """Return the names of the classes that the Hub's library writes beside a table."""
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][label]
        return [str(name) for name in feature.get("names", [])]
    except (KeyError, ValueError, TypeError, AttributeError):
        return []
