"""Folders that are splits of the data, not classes: train, test and val, in any capitals and by their other names.

Folders are splits if all of them are called so, or if one for training and one for test or validation are among them:
then folders and images beside them belong to no split, and are left out of every one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from zerosum.data.options import DataConfig
from zerosum.data.sources.image_files import SUFFIXES, ImageFiles, suffixes, unread
from zerosum.errors import InputError, NoSuchSplit
from zerosum.text import counted, listed

SPLITS = {
    "train": ("train", "training", "trn", "trainset", "train_set", "training_set", "train_images", "training_images"),
    "test": ("test", "testing", "tst", "testset", "test_set", "testing_set", "test_images", "testing_images"),
    "val": ("val", "valid", "validate", "validation", "dev", "valset", "val_set", "validation_set", "val_images"),
}
"""What folders of a split are called, in lower case, by what the split is called here."""


def split_of(folder: str) -> str | None:
    """The split that a folder's name stands for: "train", "test" or "val", or None.

    >>> split_of("Training"), split_of("VAL"), split_of("test-set"), split_of("trainer")
    ('train', 'val', 'test', None)
    """
    plain = folder.strip().lower().replace("-", "_").replace(" ", "_")
    return next((split for split, names in SPLITS.items() if plain in names), None)


def side_of(folder: str) -> tuple[str, str] | None:
    """The split and the side that a folder's name stands for, or None.

    >>> side_of("trainA"), side_of("Test_b"), side_of("train")
    (('train', 'A'), ('test', 'B'), None)
    """
    match = re.fullmatch(r"(.+?)[ _-]?([AaBb])", folder.strip())
    split = split_of(match[1]) if match else None
    return (split, match[2].upper()) if match and split else None


def shared_depth(paths: Sequence[Sequence[str]]) -> int:
    """Count the folders at the beginning that all paths have in common.

    >>> shared_depth([["a", "b", "c"], ["a", "b", "d", "e"]]), shared_depth([["a"], ["a", "b"]]), shared_depth([])
    (2, 1, 0)
    """
    levels = list(zip(*paths, strict=False))  # down to where the first of them ends
    return next((depth for depth, names in enumerate(levels) if len(set(names)) > 1), len(levels))


def are_splits(folders: Iterable[str], *, alone: bool) -> bool:
    """Whether folders that lie side by side are splits.

    Args:
        folders: Their names.
        alone: Whether no images lie beside them.

    >>> are_splits(["Train", "TEST"], alone=True), are_splits(["train", "test", "extra"], alone=False)
    (True, True)
    >>> are_splits(["train", "car"], alone=True), are_splits(["train"], alone=False)
    (False, False)
    """
    found = [split_of(folder) or (side_of(folder) or (None,))[0] for folder in folders]
    if "train" in found and ("test" in found or "val" in found):
        return True
    return alone and bool(found) and None not in found


def folders_of(split: str, folders: Iterable[str]) -> list[str]:
    """The folders that hold a split: that of its very name, or else those that stand for it, of one or two sides.

    >>> folders_of("val", ["Train", "Validation"]), folders_of("extra", ["train", "extra"])
    (['Validation'], ['extra'])
    """
    there = sorted(folders)
    if split in there:
        return [split]
    wanted = split_of(split) or split
    whole = [folder for folder in there if split_of(folder) == wanted]
    return whole or [folder for folder in there if (side_of(folder) or ("", ""))[0] == wanted]


def choose_split(files: ImageFiles, options: DataConfig, *, prefix: str = "", chosen: bool = False) -> ImageFiles:
    """Keep the files of one split, where the top folders are splits, and note what all names start with.

    Args:
        files: All image files.
        options: Their split counts.
        prefix: Folder below which splits are looked for.
        chosen: Whether that folder is of the split already.

    Raises:
        InputError: There are no images, or not this split, or two folders stand for it.
    """
    if not files.names:
        raise _no_images(files)
    names, found, notes = files.names, chosen, list(files.notes)
    everywhere = names
    while True:
        rest = [name[len(prefix) :] for name in names]
        tops = {name.partition("/")[0] for name in rest if "/" in name}
        loose = sum("/" not in name for name in rest)
        if not found and are_splits(tops, alone=not loose):
            kept = _require_split(files, options, tops)
            notes += _beside(tops, loose, files.unit)
            starts = tuple(f"{prefix}{folder}/" for folder in kept)
            names, found = tuple(name for name in names if name.startswith(starts)), True
            if len(kept) > 1:  # two sides, which are classes where sides are not asked for
                everywhere = names
                break
            splits = tuple(f"{prefix}{top}/" for top in tops if top in kept or split_of(top))
            everywhere = tuple(name for name in files.names if name.startswith(splits))
            prefix = starts[0]
        elif len(tops) == 1 and not loose:
            prefix += f"{tops.pop()}/"
        else:
            break
    if options.split != "train" and not found:
        raise NoSuchSplit(
            f"{files.root} has no split {options.split}: expected a folder of that name in it, or leave out --split."
        )
    depth = prefix.count("/")
    parts = [name.split("/") for name in everywhere]
    folders = sorted({part[depth] for part in parts if len(part) > depth + 1})
    return replace(files, names=names, prefix=prefix, folders=tuple(folders), notes=tuple(notes))


def _require_split(files: ImageFiles, options: DataConfig, tops: set[str]) -> list[str]:
    chosen = folders_of(options.split, tops)
    if not chosen:
        there = sorted({split_of(top) or (side_of(top) or (top,))[0] for top in tops})
        raise NoSuchSplit(f"{files.root} has no split {options.split}: choose --split {' or '.join(there)}.")
    if len(chosen) > 1 and split_of(chosen[0]):
        raise InputError(
            f"{files.root} has several folders for the split {options.split}: choose --split {' or '.join(chosen)}."
        )
    return chosen


def _beside(tops: set[str], loose: int, unit: str) -> list[str]:
    """Say what lies beside folders of splits and belongs to none."""
    others = sorted(top for top in tops if split_of(top) is None and side_of(top) is None)
    said = [f"Folders beside the splits are used by --split alone: {listed(others)}."] if others else []
    return said + ([f"Left out because beside the folders of splits: {counted(loose, unit)}."] if loose else [])


def _no_images(files: ImageFiles) -> InputError:
    kinds = f" (it holds {', '.join(suffixes(files.others))} files)" if files.others else ""
    hint = " ".join(unread(files.others))
    return InputError(
        f"{files.root} has no images{kinds}: expected {', '.join(suffix[1:] for suffix in SUFFIXES)} files, "
        f"in folders or not.{f' {hint}' if hint else ''}"
    )
