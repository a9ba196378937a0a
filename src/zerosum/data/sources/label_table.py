"""Tables of labels: CSV files, lines of JSON, and the dataset.json that StyleGAN's tools write beside images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from zerosum.data.options import BY_NAME, DataConfig, split_labels
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.tables import Table, columns_of, metadata_of, read_rows
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular
from zerosum.text import composed, names_in

ANNOTATIONS = "dataset.json"
BITS = {"0": "0", "1": "1", "-1": "0"}


def label_bytes(files: ImageFiles, options: DataConfig) -> bytes | None:
    """Content of the table that labels are read from: the one asked for, or a dataset.json or metadata with labels.

    Raises:
        InputError: It is not there or cannot be read.
    """
    if options.ages is not None:
        return None if options.ages == BY_NAME else _table_bytes(files, split_labels(options.ages)[0], flag="--ages")
    if options.labels in ("none", "folders", BY_NAME):
        return None
    if options.labels is not None:
        return _table_bytes(files, split_labels(options.labels)[0])
    place = _annotations_of(files)
    content = None if place is None else _member(files, f"{place}{ANNOTATIONS}")
    if content is not None and is_annotations(content):
        return content
    return b"\0".join(_labelled_metadata(files).values()) or None


def label_key(files: ImageFiles, options: DataConfig) -> str:
    """Return the part of a pack's cache key that changes with the labels of its files.

    It holds the label table, and the class folders, classes in shards or file names of the other splits, because a
    class has the same number in every split.
    """
    known = (label_bytes(files, options) or b"").hex()
    own = set(files.names)
    if BY_NAME in (options.labels, options.ages):
        beside = sorted(name for name in files.stamps if name not in own)
    elif files.own is not None:
        beside = sorted(set(files.own.classes).difference(files.own.of[name] for name in own))
    else:
        beside = sorted(set(files.folders).difference(files.inner(name).partition("/")[0] for name in own))
    return "\n".join([known, *beside]) if beside else known


def read_annotations(files: ImageFiles, content: bytes) -> tuple[str, dict[str, str] | None]:
    """Read a dataset.json: the folder that its names count from, and label by name, or None where it has none.

    The form is that of the authors' dataset_tool.py (Karras et al. 2020, https://github.com/NVlabs/stylegan2-ada):
    {"labels": [["00000/img00000000.png", 6], ...]}, or {"labels": null}.

    Raises:
        InputError: Labels are no class numbers or names.
    """
    place = _annotations_of(files) or ""
    pairs = json.loads(content)["labels"]
    if pairs is None:
        return place, None
    if wrong := [label for _, label in pairs if not isinstance(label, int | str)]:
        raise InputError(
            f"{place}{ANNOTATIONS} in {files.root} has labels such as {str(wrong[0])[:60]}, which are no class "
            "numbers: give --labels none, or a CSV file."
        )
    return place, {composed(str(name).replace("\\", "/")): str(label) for name, label in pairs}


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """The columns of files and labels of a CSV file."""

    of: dict[str, str]
    """Label by file, in Unicode's composed form; of attributes the row of zeros and ones, such as "011"."""

    attributes: tuple[str, ...] = ()
    """Names of the columns, where several were asked for."""


def read_table(content: bytes, asked: str, *, flag: str = "--labels") -> LabelTable:
    """Read the columns of files and labels of a table; names of columns count without capitals and blanks.

    Args:
        content: Of the file.
        asked: Its path, or path:column where the labels are not in a column called label, or path:column,column for
            attributes, columns of 0 (or -1) and 1.
        flag: By what it was asked for, for errors.

    Raises:
        InputError: It is no such table, or gives a file two labels, or an attribute that is neither 0 nor 1.
    """
    place, wanted = split_labels(asked)
    table = read_rows(content, place)
    names = [wanted] if wanted.casefold() in table.plain else [name for name in names_in(wanted) if name]
    file_at, label_at = table.file_at(), [table.at((name,)) for name in names]
    missing = [name for name, at in zip(names, label_at, strict=True) if at is None]
    if file_at is None or missing or not names:
        raise InputError(
            f"{place} has the columns {', '.join(table.columns) or 'none'}: expected file and "
            f"{(missing or [wanted])[0]} in its first line; {flag} {place}:COLUMN names another column."
        )
    found = [at for at in label_at if at is not None]
    if len(set(found)) < len(found):
        raise InputError(f"{flag} {asked} names an attribute twice: give each once.")
    attributes = tuple(table.columns[at] for at in found) if len(names) > 1 else ()
    given: dict[str, str] = {}
    for number, row in table.rows:
        file, labels = table.file(row, file_at), [row[at] for at in found]
        if not file or not all(labels):
            raise InputError(f"Line {number} of {place} lacks a file or a label: complete it or remove it.")
        plain = [label for label in labels if isinstance(label, str)]
        if len(plain) < len(labels):
            raise InputError(f"Line {number} of {place} gives {file} several labels at once: give one class.")
        label = _bits(plain, attributes, f"line {number} of {place}") if attributes else plain[0]
        if given.setdefault(file, label) != label:
            raise InputError(f"{place} gives {file} two labels, {given[file]} and {label}.")
    return LabelTable(of=given, attributes=attributes)


def read_metadata(files: ImageFiles) -> tuple[str, dict[str, str], set[str]]:
    """Read the labels in a metadata.jsonl or metadata.csv that lies with the files.

    Returns:
        The table's name; the label of each file, by its name in the data; and all labels, those of other splits too.

    Raises:
        InputError: it is no such table, or a file lacks a label in it.
    """
    tables = _labelled_metadata(files)
    read = {name: read_table(content, name).of for name, content in tables.items()}
    first = next(iter(read))
    place = first.rpartition("/")[0]
    of = {f"{place}/{file}" if place else file: label for file, label in read[first].items()}
    return first, of, {label for each in read.values() for label in each.values()}


def _labelled_metadata(files: ImageFiles) -> dict[str, bytes]:
    """Return the tables of metadata with columns of files and labels, by name; none where the nearest has no labels."""
    found = {}
    for name in metadata_of(files):
        content = _member(files, name)
        table = _columns_if_any(content, name)
        if table is not None and table.file_at() is not None and table.at(("label",)) is not None:
            found[name] = content
        elif not found:
            return {}
    return found


def _columns_if_any(content: bytes, name: str) -> Table | None:
    try:
        return columns_of(content, name)
    except InputError:  # it may be of another program
        return None


def _bits(labels: Sequence[str], attributes: Sequence[str], place: str) -> str:
    """Write the attributes of a file as zeros and ones; -1 is 0, as in the tables of CelebA."""
    for name, label in zip(attributes, labels, strict=True):
        if label not in BITS:
            raise InputError(f"Attribute {name} is {label} in {place}: attributes are 0 and 1, and classes one column.")
    return "".join(BITS[label] for label in labels)


def _table_bytes(files: ImageFiles, table: str, *, flag: str = "--labels") -> bytes:
    """Read a table, which lies at the path given, or beside the images."""
    try:
        path = absolute(table)
        if path.exists():
            with open_regular(path) as file:
                return file.read()
    except OSError as error:
        raise InputError(f"The labels file {table} cannot be read: {error.strerror or error}.") from error
    name = next((name for name in (files.prefix + table, table) if name in files.stamps), None)
    if name is not None:
        return _member(files, name)
    words = f"the word {BY_NAME}" if flag == "--ages" else f"one of the words folders, {BY_NAME} and none"
    raise InputError(f"{flag} {table} is neither a file, here or in {files.root}, nor {words}.")


def _member(files: ImageFiles, name: str) -> bytes:
    try:
        with files.open(name) as file:
            return file.read()
    except Exception as error:  # an archive raises almost anything on damaged bytes
        raise InputError(f"The labels file {name} in {files.root} cannot be read ({error}).") from error


def _annotations_of(files: ImageFiles) -> str | None:
    """The innermost folder around all images that holds a dataset.json, with its slash; None if there is none."""
    around = PurePosixPath(files.prefix.rstrip("/"))
    places = [f"{place}/" if str(place) != "." else "" for place in (around, *around.parents)]
    return next((place for place in places if f"{place}{ANNOTATIONS}" in files.stamps), None)


def is_annotations(content: bytes) -> bool:
    """Whether a dataset.json is of the form that StyleGAN's tools write; other programs use the name too."""
    try:
        labels = json.loads(content)["labels"]
        return labels is None or (isinstance(labels, list) and all(len(pair) == 2 for pair in labels))
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
