"""Labels of image files: from the folders they lie in, a CSV file, or the dataset.json of StyleGAN's tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from zerosum.data.options import DataConfig, split_labels
from zerosum.data.sources.ages import ages_in_names, grouped, summary
from zerosum.data.sources.image_files import SUFFIXES, ImageFiles
from zerosum.data.sources.label_table import is_annotations, label_bytes, read_annotations, read_metadata, read_table
from zerosum.errors import InputError
from zerosum.text import composed, counted, is_whole, listed, shown


@dataclass(frozen=True, kw_only=True)
class ClassLabels:
    """The class of every file, or its attributes."""

    of: dict[str, str] | None
    """Name of the class by name of the file, or its attributes as zeros and ones; None for data without labels."""

    classes: tuple[str, ...] = ()
    """Names of the classes in natural order, with those that only other splits have: numbers must not shift."""

    attributes: tuple[str, ...] = ()
    """Names of the attributes; empty where files have classes or no labels."""

    sentence: str
    """Where the labels come from."""

    def numbers(self, names: Sequence[str]) -> np.ndarray | None:
        """Labels of some files, (M,) int64 in [0, K), or (M, A) int64 of 0 and 1, or None.

        >>> ClassLabels(of={"a.png": "dog", "b.png": "cat"}, classes=("cat", "dog"), sentence="").numbers(["a.png"])
        array([1])
        """
        if self.of is None:
            return None
        if self.attributes:
            return np.array([list(self.of[name]) for name in names], dtype=np.int64)
        number = {name: index for index, name in enumerate(self.classes)}
        return np.array([number[self.of[name]] for name in names], dtype=np.int64)


def labelling(files: ImageFiles, options: DataConfig) -> ClassLabels:
    """Name the class of every file.

    Without a word from the user a dataset.json of StyleGAN's tools decides, else the labels in a metadata.jsonl or
    metadata.csv, and else the folders; folders that are shards of one large folder (00000, 00001, ...) are no classes.

    Raises:
        InputError: The folders or the table do not give every image a label.
    """
    inner = [files.inner(name) for name in files.names]
    content, metadata = label_bytes(files, options), None
    if options.ages is not None:
        return _from_ages(files, inner, options, content)
    if options.labels is None and content is not None and not is_annotations(content):
        content, metadata = None, _from_metadata(files)
    match options.labels:
        case "none":
            return ClassLabels(of=None, sentence="No labels were taken, as asked.")
        case None if content is None and files.own is not None:
            sentence = f"Labels of {counted(len(files.own.classes), 'class')} came along in the shards."
            return ClassLabels(of=files.own.of, classes=files.own.classes, sentence=sentence)
        case None if content is not None:
            return _from_annotations(files, content)
        case None if metadata is not None:
            return metadata
        case None | "folders":
            return _from_folders(files, inner, asked=options.labels is not None)
        case "name":
            return _from_names(files)
        case table:
            return _from_table(files, inner, table, content or b"")


def _from_folders(files: ImageFiles, inner: list[str], *, asked: bool) -> ClassLabels:
    """Name the class of every file by the folder that it lies in, where that is asked for or all lie in some."""
    if len(files.identity) > 1:  # the last folder is the number of the shard
        inner = ["/".join((*(parts := name.split("/"))[:-2], parts[-1])) for name in inner]
    folders = {name.partition("/")[0] for name in inner if "/" in name}
    outside = sum("/" not in name for name in inner)
    sentence = ""
    if not asked and len(folders) < 2:
        sentence = "The data have no labels."
    elif not asked and outside:
        sentence = f"The data have no labels: outside the {len(folders)} folders lies {counted(outside, files.unit)}."
    elif not asked and _are_shards(files.folders):
        sentence = f"The {len(files.folders)} numbered folders are taken for shards, not classes: --labels folders."
    if sentence:
        return ClassLabels(of=None, sentence=sentence)
    if outside or not folders:
        raise InputError(
            f"{files.root} is no folder of class folders ({counted(outside, files.unit)} in no folder): "
            "put each class in a folder of its own, or give --labels none."
        )
    of = {name: shown(short.partition("/")[0]) for name, short in zip(files.names, inner, strict=True)}
    classes = sorted({shown(folder) for folder in files.folders}, key=natural)
    sentence = f"Labels are the names of the {len(files.folders)} folders."
    return ClassLabels(of=of, classes=tuple(classes), sentence=sentence)


def _from_ages(files: ImageFiles, inner: list[str], options: DataConfig, content: bytes | None) -> ClassLabels:
    """Divide images into groups by the numbers in their names or in a CSV file."""
    if content is None:
        images = [name for name in files.stamps if name.lower().endswith(SUFFIXES)]
        ages, everywhere = ages_in_names(files.names), list(ages_in_names(images).values())
    else:
        table, column = split_labels(str(options.ages))
        unsaid = column == "label" and not str(options.ages).endswith(":label")
        asked = f"{table}:{'age' if unsaid else column}"
        ages = _from_table(files, inner, asked, content, flag="--ages").of or {}
        everywhere = list(read_table(content, asked, flag="--ages").of.values())
    of, groups = grouped(ages, everywhere, options)
    return ClassLabels(of=of, classes=tuple(map(shown, groups)), sentence=summary(of, groups, options))


def _from_names(files: ImageFiles) -> ClassLabels:
    """Take what stands between the numbers at both ends of a file's name: Ada_Lovelace of 53_Ada_Lovelace_0001.jpg."""
    images = [name for name in files.stamps if name.lower().endswith(SUFFIXES)]
    of = {name: re.sub(r"^[\d\W_]+|[\d\W_]+$", "", PurePosixPath(name).stem) for name in images}
    if (plain := next((name for name in files.names if not of[name]), None)) is not None:
        raise InputError(
            f"The name {plain} has no letters that name its class: rename it, or give --labels labels.csv."
        )
    classes = tuple(sorted(set(map(shown, of.values())), key=natural))
    labels = {name: shown(of[name]) for name in files.names}
    return ClassLabels(of=labels, classes=classes, sentence="Labels are the letters in the names of the files.")


def _are_shards(folders: Sequence[str]) -> bool:
    """Whether folders are numbered from 0 with five digits or more, as tools cut up large folders."""
    return all(re.fullmatch(r"\d{5,}", folder) for folder in folders) and min(map(int, folders)) == 0


def _from_annotations(files: ImageFiles, content: bytes) -> ClassLabels:
    """Look every image up in a dataset.json, whose names count from the folder that it lies in."""
    place, given = read_annotations(files, content)
    if given is None:
        return ClassLabels(of=None, sentence=f"{place}dataset.json says that the data have no labels.")
    of = {name: given.get(composed(name.removeprefix(place))) for name in files.names}
    if not all(of.values()):
        lonely = [name for name, label in of.items() if label is None]
        raise InputError(
            f"{len(lonely):,} of {counted(len(of), files.unit)} lack a label in {place}dataset.json (such as "
            f"{lonely[0]}): complete it, or give --labels none."
        )
    classes = tuple(sorted(set(given.values()), key=natural))
    labels = {name: label for name, label in of.items() if label is not None}
    return ClassLabels(of=labels, classes=classes, sentence=f"Labels were read from {place}dataset.json.")


def _from_metadata(files: ImageFiles) -> ClassLabels | None:
    """Look every image up in the metadata of a data set of Hugging Face; None where that is of other files.

    Its names count from the folder in which it lies.
    """
    table, given, every = read_metadata(files)
    of = {name: given.get(composed(name), "") for name in files.names}
    if not any(of.values()):
        return None
    if lonely := [name for name, label in of.items() if not label]:
        raise InputError(
            f"{len(lonely):,} of {counted(len(of), files.unit)} lack a label in {table} (such as {lonely[0]}): "
            "complete it, or give --labels none."
        )
    classes = tuple(sorted(every, key=natural))
    return ClassLabels(of=of, classes=classes, sentence=f"Labels were read from {table}.")


def _from_table(
    files: ImageFiles, inner: list[str], table: str, content: bytes, *, flag: str = "--labels"
) -> ClassLabels:
    """Look every image up in a CSV file, names compared in Unicode's composed form."""
    read = read_table(content, table, flag=flag)
    given = read.of
    plain = Counter(PurePosixPath(name).name for name in inner)
    chosen: dict[str, str] = {}
    missing: list[str] = []
    used = set()
    for name, short in zip(files.names, inner, strict=True):
        base = PurePosixPath(name).name
        key = next((key for key in map(composed, (name, short, base)) if key in given), None)
        if key is None or (key == composed(base) != composed(short) and plain[base] > 1):
            missing.append(name)
        else:
            chosen[name] = given[key]
            used.add(key)
    if missing:
        raise InputError(
            f"{len(missing):,} of {counted(len(inner), files.unit)} lack a label in {table} (such as {missing[0]}): "
            "its column file must hold their paths inside the data, or their names where these are unique."
        )
    there = {composed(name) for name in files.stamps}
    unknown = [key for key in given if key not in used and key not in there]
    if unknown:
        raise InputError(f"{table} labels {counted(len(unknown), 'file')} not in {files.root} (such as {unknown[0]}).")
    if read.attributes:
        ones = np.array([list(row) for row in chosen.values()], dtype=np.int64).sum(0)
        shares = [f"{shown(name)} {count:,}" for name, count in zip(read.attributes, ones, strict=True)]
        sentence = f"Attributes were read from {table}; {files.unit}s with each: {listed(shares, most=40)}."
        return ClassLabels(of=chosen, attributes=tuple(map(shown, read.attributes)), sentence=sentence)
    classes = tuple(sorted(set(given.values()), key=natural))
    return ClassLabels(of=chosen, classes=classes, sentence=f"Labels were read from {table}.")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which 9 comes before 10.

    >>> sorted(["10", "9", "b2", "b10", "09"], key=natural)
    ['09', '9', '10', 'b2', 'b10']
    """
    pieces = re.split(r"([0-9]+)", name)
    ranked = (
        (0, len(piece.lstrip("0")), piece.lstrip("0")) if is_whole(piece) else (1, 0, piece)
        for piece in pieces
        if piece
    )
    return (*ranked, (2, 0, name))
