"""What a user may ask of the data, and where packed data lie."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import PositiveInt

from zerosum.config import BaseConfig
from zerosum.data.packing.bit_depth import Depth, range_of_side, read_range
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute

Direction = Literal["AtoB", "BtoA"]
SMALLEST_SIDE, LARGEST_SIDE = 4, 4096
BY_NAME = "name"
"""In the place of a table: labels, or ages, are in the names of the files."""
RATES = (1_000, 192_000)
LENGTHS = (64, 1_048_576)
"""Samples a second, and samples of a window, from least to most."""
OF_SOUNDS = ("rate", "length")
"""Settings that only sounds have a use for."""


@dataclass(frozen=True, kw_only=True)
class DataConfig(BaseConfig):
    """How the data are read: size, channels, labels, split, cache, and what to do about corrupt files."""

    joints: ClassVar[Mapping[str, str]] = {"size": "x"}

    size: str | None = None
    """Side of the images in pixels, "64", or height x width, "48x64"; by default images that are all of one size of at
    most 128 keep it, and all others become 64x64; frames of clips up to 32, and 32x32."""

    fit: Literal["cover", "pad", "tiles"] = "cover"
    """How images come to that size: cover scales each to it and cuts off what stands out; pad scales each to lie within
    and fills what is left with its reflection; tiles scales nothing, but cuts each image file at full resolution into
    tiles that overlap by half, and leaves out images smaller than one. Sounds are cut: cover into as many windows as
    each holds, one after another; tiles into windows that overlap by half; pad takes the first window alone. What is
    shorter than one is padded with silence."""

    channels: int | None = None
    """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; by default what the data really have."""

    labels: str | None = None
    """"folders", "none", "name" (the letters between the numbers of a file's name), or the path of a CSV file with the
    columns file and label (labels.csv:column names another; labels.csv:smiling,glasses names columns of 0 and 1,
    attributes of which an image may have several), or lines of JSON (.jsonl); by default the dataset.json of StyleGAN's
    tools, else the column label of a metadata.jsonl or metadata.csv in the data, else folders where the data are a
    folder of class folders, and the labels that an array file brings along."""

    ages: str | None = None
    """Ordered classes by a number in place of labels: the path of a CSV file with the columns file and age
    (ages.csv:column names another, which need not be of ages), or name: what file names begin with, as 34_0_1.jpg."""

    groups: str | None = None
    """For --ages: the groups that are the classes, such as 0-29,30-59,60+, or how many of equal size; by default
    0-18,19-29,30-39,40-49,50-59,60+."""

    range: str | None = None
    """LOW,HIGH: the numbers that become black and white, such as 0,4095; of pairs also SOURCES/TARGETS, as -1,1/0,255.
    By default (auto) 8-bit numbers stay as they are, and the range of wider ones is chosen from the training data and
    kept for every other split and for every image that is given to the model."""

    depth: Depth = "auto"
    """Bits of a channel: 8, or 16, which takes twice the room; auto keeps 16 where wide numbers fill more than 256
    levels of their range."""

    rate: int | None = None
    """Of sounds: samples a second, such as 16000, to which all files are resampled; by default 16000, or what most
    files have where that is less."""

    length: int | None = None
    """Of sounds: samples of a window; by default 16384, about a second at 16 kHz, or 4096 where nearly all are as
    short."""

    split: str = "train"
    """Which part of the data: "train", "test" or "val", whatever its folder is called (Training, validation, ...), or
    the name of the sub-folder that holds it."""

    frames: PositiveInt = 16
    """Frames of a clip. Longer clips are cut into pieces of so many, and what is left at their ends is left out."""

    frame_step: PositiveInt = 1
    """Of clips, every which frame is taken: 2 for every other one, at twice the pace."""

    target: str | None = None
    """For recipes that translate: folder or .zip of the targets, matched to the sources in DATA by name; or, for two
    unpaired domains, of the second one."""

    degrade: str | None = None
    """For recipes that learn from pairs: how sources are made from the images in DATA, which are the targets: gray,
    edges, downscale:4, blur:2, noise:0.1 or mask:0.25 (a block of gray over that share of the area)."""

    direction: Direction = "AtoB"
    """For recipes that translate: from A, the left half or first folder, to B, the right half or second; or back."""

    captions: str | None = None
    """For recipes that paint from text: a CSV file with the columns file and caption, here or in the data
    (captions.csv:text names another column), or lines of JSON (.jsonl); by default captions.csv or metadata.jsonl in
    the data, else a .txt beside each image."""

    cache: str | None = None
    """Folder for packed and downloaded data; by default $ZEROSUM_CACHE, else $XDG_CACHE_HOME/zerosum, else
    ~/.cache/zerosum."""

    pack: Literal["auto", "pixels", "files"] = "auto"
    """How image files are kept in the cache: pixels decodes them once; files keeps them as they are and decodes them in
    threads whenever they are drawn, which takes less room and more time. Both give the same samples. auto takes files
    where pixels would take more than 8 GiB."""

    corrupt: Literal["refuse", "skip"] = "refuse"
    """What to do about images that cannot be read: stop with their names, or leave them out and say so."""

    def sides(self) -> tuple[int, int] | None:
        """Height and width asked for, in pixels, or None.

        Raises:
            InputError: The size is not "N" or "HxW" with sides from 4 to 4096.

        >>> DataConfig(size="48x64").sides()
        (48, 64)
        """
        if self.size is None:
            return None
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*[x×]\s*(\d{1,6}))?\s*", str(self.size), re.IGNORECASE)
        sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if min(sides) < SMALLEST_SIDE or max(sides) > LARGEST_SIDE:
            raise InputError(
                f"--size {self.size} is no image size: give one side such as 64, or height x width such as 48x64, "
                f"each from {SMALLEST_SIDE} to {LARGEST_SIDE} pixels."
            )
        return sides

    def checked(self) -> DataConfig:
        """Return these options, once all that can be judged without the data has been.

        Raises:
            InputError: A size or a number of channels makes no sense.
        """
        super().checked()
        self.sides()
        if self.groups is not None and self.ages is None:
            raise InputError(f"--groups {self.groups} divides ages: give --ages FILE.csv or --ages name too.")
        if self.ages is not None and self.labels is not None:
            raise InputError(f"--ages {self.ages} and --labels {self.labels} both name the classes: give one of them.")
        for side in (0, 1):
            read_range(range_of_side(self.range, side))
        if self.channels not in (None, 1, 2, 3, 4):
            raise InputError(
                f"--channels {self.channels} is not possible: give 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA)."
            )
        for name, (low, high) in {"rate": RATES, "length": LENGTHS}.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"--{name} {value} is not possible: give a number from {low:,} to {high:,}.")
        if self.corrupt not in ("refuse", "skip"):
            raise InputError(f"--corrupt {self.corrupt} is not possible: give refuse or skip.")
        if self.direction not in ("AtoB", "BtoA"):
            raise InputError(f"--direction {self.direction} is not possible: give AtoB or BtoA.")
        return self

    def located(self) -> DataConfig:
        """Return these options with their paths made absolute, as a run keeps them.

        A table of labels that does not lie at its path is one inside the data, and keeps its name there.
        """
        given = {"target": self.target, "cache": self.cache}
        found = {name: str(absolute(path)) for name, path in given.items() if path is not None}
        for name in ("labels", "ages"):
            if getattr(self, name) not in WORDS:
                path, column = split_labels(str(getattr(self, name)))
                if absolute(path).exists():
                    found[name] = str(absolute(path)) + ("" if column == "label" else f":{column}")
        if self.captions is not None:
            path, column = split_captions(self.captions)
            if absolute(path).exists():
                found["captions"] = str(absolute(path)) + (f":{column}" if column else "")
        return replace(self, **found)

    def as_opened(self, spec: Spec) -> DataConfig:
        """Return these options with what the data decided: range and depth, of sounds rate and length."""
        if spec.rate is not None:
            return replace(self, rate=spec.rate, length=spec.shape[-1])
        decided = spec.range is not None or spec.bits == 16
        return replace(self, range=spec.range, depth=spec.bits if decided else self.depth)

    def moved(self, now: DataConfig) -> set[str]:
        """Return which options name files of the data at another place than before: their content decides on them.

        >>> DataConfig(target="a", labels="none").moved(DataConfig(target="b", labels="c.csv"))
        {'target'}
        """
        names = ("target", "labels", "ages", "captions")
        pairs = {name: (getattr(self, name), getattr(now, name)) for name in names}
        return {name for name, (before, after) in pairs.items() if before != after and not {before, after} & WORDS}

    def cache_folder(self) -> Path:
        """Folder for packed and downloaded data; it need not exist yet.

        Raises:
            InputError: There is no home folder to put it in, and nothing names another place.
        """
        chosen = self.cache or os.environ.get("ZEROSUM_CACHE")
        if chosen:
            return absolute(chosen)
        shared = os.environ.get("XDG_CACHE_HOME")
        if shared and os.path.isabs(shared):  # the standard has relative ones ignored
            return Path(shared) / "zerosum"
        try:
            return absolute("~/.cache/zerosum")
        except InputError as error:
            raise InputError(
                "There is no home folder for packed data: name a folder for them with --cache or ZEROSUM_CACHE."
            ) from error


WORDS = frozenset({None, "none", "folders", BY_NAME})
"""What --labels and --ages may say that is no path."""


TABLES = (".csv", ".tsv", ".txt", ".jsonl")
"""Endings of tables of labels and captions."""


def split_labels(asked: str) -> tuple[str, str]:
    """Split what --labels says into the path of a table and the name of its column of labels.

    >>> split_labels("labels.csv"), split_labels("C:/a.csv:Class Name")
    (('labels.csv', 'label'), ('C:/a.csv', 'Class Name'))
    """
    path, _, column = asked.rpartition(":")
    return (path, column) if column and path.lower().endswith(TABLES) else (asked, "label")


def split_captions(asked: str) -> tuple[str, str | None]:
    """Split what --captions says into the path of a table and the name of its column of captions, None by default.

    >>> split_captions("a.csv"), split_captions("C:/a.csv:Long text")
    (('a.csv', None), ('C:/a.csv', 'Long text'))
    """
    path, _, column = asked.rpartition(":")
    return (path, column) if column and path.lower().endswith(TABLES) else (asked, None)
