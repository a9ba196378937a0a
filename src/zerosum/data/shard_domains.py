"""Two unpaired domains in shards: two classes, two sides by the names of images, or two folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zerosum.data.options import DataConfig
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.two_sided import NAMED, two_folders
from zerosum.errors import InputError
from zerosum.text import listed, shown

Sides = tuple[ImageFiles, ImageFiles]


def shard_domains(files: ImageFiles, options: DataConfig) -> tuple[Sides, str]:
    """Find the files of both domains, and say what they are.

    Raises:
        InputError: the shards do not hold two domains, or not of this split.
    """
    own = files.own
    if own is not None and len(own.classes) == 2:
        of = {name: own.of[name] for name in files.names}
        return _parted(files, of, own.classes), "are the classes of the shards"
    of = {name: name.rpartition("/")[2].rpartition(".")[0].partition(".")[2].lower() for name in files.names}
    pair = next((pair for pair in NAMED if set(of.values()) == set(pair)), None)
    if pair is not None:
        return _parted(files, of, pair), "are the images named so"
    found = two_folders(files, options, any_names=True)
    if found is None:
        has = f"the classes {listed([shown(name) for name in own.classes])}" if own else "neither classes nor folders"
        raise InputError(
            f"{files.root} has {has}, not two domains: expected two classes, two folders such as trainA and trainB, or "
            f"names such as 1.{NAMED[0][0]}.png and 2.{NAMED[0][1]}.png."
        )
    a, b = (replace(side, others=()) for side in found)
    return (a, b), "are the folders in the shards"


def _parted(files: ImageFiles, of: Mapping[str, str], domains: Sequence[str]) -> Sides:
    """Part files by the domain of each.

    Raises:
        InputError: a domain has none.
    """
    parts = [tuple(name for name in files.names if of[name] == domain) for domain in domains]
    if not all(parts):
        raise InputError(f"{files.root} has no image of {shown(domains[parts.index(())])}: both domains need some.")
    a, b = (
        replace(files, names=names, prefix=f"{files.prefix}{domain}", others=())
        for names, domain in zip(parts, domains, strict=True)
    )
    return a, b
