"""Data in shards: .tar and .parquet files, here, in an object store or on the Hub, whose samples are read at random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zerosum.data.options import DataConfig
from zerosum.data.sources.hub_data import fetched, other_splits
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.parquet import list_parquet
from zerosum.data.sources.shard_splits import in_folders, named_by_split, of_no_split, of_other_splits, of_split
from zerosum.data.sources.shards import Shard, is_elsewhere, shards_at
from zerosum.data.sources.splits import choose_split
from zerosum.data.sources.tar_shards import folders_in, list_tars
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted


def find_indexed(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> ImageFiles | None:
    """List the images of shards; None where a source is none of shards.

    Raises:
        InputError: they cannot be read, or a package is missing.
        NoSuchSplit: they have splits, and not this one.
    """
    place, on_hub = source, str(source).startswith("hf:")
    if on_hub:
        place = fetched(str(source), options.split, options.cache_folder(), progress)
    found = in_folders(shards_at(place))
    shards = found if on_hub else of_split(found, source, options.split)  # of the Hub's, one split was downloaded
    if not shards:
        return None

    def beside() -> list[Shard]:
        if options.labels not in (None, "folders") or options.ages is not None:
            return []
        return other_splits(str(source), options.split) if on_hub else of_other_splits(found, shards)

    root, cache = Path(str(source)), options.cache_folder()
    if shards[0].ending == ".parquet":
        files = list_parquet(root, shards, cache, beside)
    else:
        files = list_tars(root, shards, cache, beside)
        named = named_by_split(shards)
        files = choose_split(files, options, chosen=named)
        if named and files.own is None:
            folders = {*files.folders}.union(*(folders_in(shard, cache) for shard in beside()))
            files = replace(files, folders=tuple(sorted(folders)))
    if not files.names:
        raise InputError(f"{source} has no images in its shards.")
    if left := of_no_split(found):
        said = f"Left out because beside the shards of splits: {counted(len(left), 'shard')} (such as {left[0].name})."
        files = replace(files, notes=(*files.notes, said))
    return files


def name_elsewhere(source: str | Path) -> str | None:
    """Return the name of a source that is no path of this machine; None for paths.

    >>> name_elsewhere("hf:ada/digits@v1"), name_elsewhere("a.tar")
    ('hf:ada/digits@v1', None)
    """
    return str(source) if is_elsewhere(source) else None
