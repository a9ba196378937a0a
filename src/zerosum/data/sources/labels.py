"""Labels of image files: from the folders they lie in, or from a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.text import counted


@dataclass(frozen=True, kw_only=True)
class ClassLabels:
    """The class of every file."""

    of: dict[str, str] | None
    """Name of the class by name of the file; None for data without labels."""

    classes: tuple[str, ...] = ()
    """Names of the classes in natural order, with those that only other splits have: numbers must not shift."""

    sentence: str
    """Where the labels come from."""

    def numbers(self, names: Sequence[str]) -> np.ndarray | None:
        """Labels of some files, (M,) int64 in [0, K), or None.

        >>> ClassLabels(of={"a.png": "dog", "b.png": "cat"}, classes=("cat", "dog"), sentence="").numbers(["a.png"])
        array([1])
        """
        if self.of is None:
            return None
        number = {name: index for index, name in enumerate(self.classes)}
        return np.array([number[self.of[name]] for name in names], dtype=np.int64)


def labelling(files: ImageFiles, options: DataConfig) -> ClassLabels:
    """Name the class of every file.

    Raises:
        InputError: The folders or the CSV file do not give every image a label.
    """
    inner = [files.inner(name) for name in files.names]
    folders = {name.partition("/")[0] for name in inner if "/" in name}
    outside = sum("/" not in name for name in inner)
    match options.labels:
        case "none":
            return ClassLabels(of=None, sentence="No labels were taken, as asked.")
        case None if len(folders) < 2:
            return ClassLabels(of=None, sentence="The data have no labels.")
        case None if outside:
            sentence = f"The data have no labels: outside the {len(folders)} folders lies {counted(outside, 'image')}."
            return ClassLabels(of=None, sentence=sentence)
        case None | "folders":
            if outside or not folders:
                raise InputError(
                    f"{files.root} is no folder of class folders ({counted(outside, 'image')} in no folder): "
                    "put each class in a folder of its own, or give --labels none."
                )
            of = {name: short.partition("/")[0] for name, short in zip(files.names, inner, strict=True)}
            sentence = f"Labels are the names of the {len(files.folders)} folders."
            return ClassLabels(of=of, classes=tuple(sorted(files.folders, key=natural)), sentence=sentence)
        case table:
            return _from_table(files, inner, table)


def table_bytes(files: ImageFiles, table: str) -> bytes:
    """Read a labels table, which lies at the path given, or beside the images.

    Raises:
        InputError: It does not.
    """
    try:
        path = Path(table).expanduser()
        if path.is_file():
            return path.read_bytes()
        name = next((name for name in (files.prefix + table, table) if name in files.stamps), None)
        if name is not None:
            with files.open(name) as file:
                return file.read()
    except OSError as error:
        raise InputError(f"The labels file {table} cannot be read: {error.strerror}.") from error
    raise InputError(
        f"--labels {table} is neither a file, here or in {files.root}, nor one of the words folders and none."
    )


def _from_table(files: ImageFiles, inner: list[str], table: str) -> ClassLabels:
    """Look every image up in a CSV file with the columns file and label."""
    given = _read(table_bytes(files, table), table)
    plain = Counter(PurePosixPath(name).name for name in inner)
    chosen: dict[str, str] = {}
    missing: list[str] = []
    used = set()
    for name, short in zip(files.names, inner, strict=True):
        base = PurePosixPath(name).name
        key = next((key for key in (name, short, base) if key in given), None)
        if key is None or (key == base != short and plain[base] > 1):
            missing.append(name)
        else:
            chosen[name] = given[key]
            used.add(key)
    if missing:
        raise InputError(
            f"{len(missing):,} of {counted(len(inner), 'image')} lack a label in {table} (such as {missing[0]}): "
            "its column file must hold their paths inside the data, or their names where these are unique."
        )
    unknown = [key for key in given if key not in used and key not in files.stamps]
    if unknown:
        raise InputError(f"{table} labels {counted(len(unknown), 'file')} not in {files.root} (such as {unknown[0]}).")
    classes = tuple(sorted(set(given.values()), key=natural))
    return ClassLabels(of=chosen, classes=classes, sentence=f"Labels were read from {table}.")


def _read(content: bytes, table: str) -> dict[str, str]:
    """Read the columns file and label: label by file."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        columns = rows.fieldnames or []
        if "file" not in columns or "label" not in columns:
            raise InputError(
                f"{table} has the columns {', '.join(columns) or 'none'}: expected file and label in its first line."
            )
        given: dict[str, str] = {}
        for row in rows:
            file, label = (row["file"] or "").strip().replace("\\", "/"), (row["label"] or "").strip()
            if not file or not label:
                raise InputError(f"Line {rows.line_num} of {table} lacks a file or a label.")
            if given.setdefault(file, label) != label:
                raise InputError(f"{table} gives {file} two labels, {given[file]} and {label}.")
        return given
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} is no CSV file in UTF-8 ({error}).") from error


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which 9 comes before 10.

    >>> sorted(["10", "9", "b2", "b10"], key=natural)
    ['9', '10', 'b2', 'b10']
    """
    pieces = re.split(r"(\d+)", name)
    ranked = ((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece)
    return (*ranked, (2, 0, name))
