"""Splits of data in shards: what the names of files and folders say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from zerosum.data.sources.shards import Shard
from zerosum.data.sources.splits import shared_depth, split_of
from zerosum.errors import NoSuchSplit


def in_folders(shards: list[Shard]) -> list[Shard]:
    """Return shards with the folder below what all have in common that says their split, where there is one."""
    folders = [re.split(r"[/\\]", shard.place)[:-1] for shard in shards]
    common = shared_depth(folders)
    said = [next((name for name in parts[common:] if split_of(name)), "") for parts in folders]
    return [replace(shard, folder=folder) for shard, folder in zip(shards, said, strict=True)]


def named_by_split(shards: Iterable[Shard]) -> bool:
    """Whether the names or folders of shards say splits."""
    return any(split_of(_start(shard)) for shard in shards)


def _start(shard: Shard) -> str:
    start = re.split(r"[-_.]", shard.name)[0]
    return start if split_of(start) else shard.folder or start


def of_split(found: list[Shard], source: str | Path, split: str) -> list[Shard]:
    """Keep the shards of a split, where their names begin with one or their folders say it.

    Such as train-00000-of-00002.parquet, or train/0.tar beside test/0.tar.

    Args:
        found: the shards of a source.
        source: what was asked for, for errors.
        split: "train", "test" or "val", or the beginning of the shards' names.

    Raises:
        NoSuchSplit: none is of it.
    """
    starts = {shard.place: _start(shard) for shard in found}
    if not named_by_split(found) and (split == "train" or any(shard.ending == ".tar" for shard in found)):
        return found
    kept = [s for s in found if starts[s.place] == split or (split_of(starts[s.place]) or "") == split]
    if found and not kept:
        there = sorted({split_of(start) or start for start in starts.values()})
        raise NoSuchSplit(f"{source} has no split {split}: its shards are of {', '.join(there)}.")
    return kept


def of_no_split(found: Iterable[Shard]) -> list[Shard]:
    """Keep the shards that say no split, where others do: no split has them."""
    found = list(found)
    return [shard for shard in found if not split_of(_start(shard))] if named_by_split(found) else []


def of_other_splits(found: Iterable[Shard], kept: Iterable[Shard]) -> list[Shard]:
    """Keep the shards whose names or folders say splits, but for those of the split that is kept."""
    places = {shard.place for shard in kept}
    return [shard for shard in found if shard.place not in places and split_of(_start(shard))]
