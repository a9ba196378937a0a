"""Data sets of the Hugging Face Hub: their Parquet files, at a commit, kept in the cache."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from zerosum.data.packing.cache import key_of
from zerosum.data.sources.shard_splits import in_folders, of_other_splits, of_split
from zerosum.data.sources.shards import Shard
from zerosum.errors import InputError
from zerosum.runtime import hub_client as client
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.thread_pool import ProgressCallback


def fetched(source: str, split: str, cache: Path, progress: ProgressCallback | None = None) -> Path:
    """Return the folder of the Parquet files of a data set hf:owner/name@revision, downloaded if need be.

    Files that are there at that commit are not downloaded again; where the names of files say splits, one split is.

    Raises:
        InputError: there is no such data set, or it holds no Parquet files.
        NoSuchSplit: it has no such split; nothing was downloaded.
    """
    repository = Repository.read(source)
    commit, shards = _listed(repository)
    wanted = [shard.place for shard in of_split(shards, source, split)]
    folder = cache / "hub-data" / key_of(repository.id, commit, split)
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        if progress is not None:
            progress("download", 0, len(wanted))
        folder.mkdir(parents=True, exist_ok=True)
        client.download(repository, commit, missing, folder, data=True)
    places = {(folder / name).parent for name in wanted}
    if len(places) > 1:
        raise InputError(f"{repository} holds {len(places)} tables in folders of their own: download one, and give it.")
    return places.pop()


def other_splits(source: str, split: str) -> list[Shard]:
    """Return the Parquet files of the other splits of a data set, to be read where they lie, without a download.

    Raises:
        InputError: there is no such data set, or it holds no Parquet files.
        NoSuchSplit: it has not this split.
    """
    repository = Repository.read(source)
    commit, shards = _listed(repository)
    store = client.files_of_data()
    others = of_other_splits(shards, of_split(shards, source, split))
    return [Shard(f"datasets/{repository.id}@{commit}/{shard.place}", store) for shard in others]


def _listed(repository: Repository) -> tuple[str, list[Shard]]:
    """Return the commit of a data set, and its Parquet files by their names there."""
    found = client.look_up(repository, data=True)
    if found is None:
        raise InputError(f"There is no data set {repository.id} on the Hub, or none that you may see.")
    names = [
        name for name in found.sizes if name.lower().endswith(".parquet") and ".." not in PurePosixPath(name).parts
    ]
    if not names:
        raise InputError(f"{repository} holds no Parquet files, the only ones that are read from the Hub.")
    return found.commit, in_folders([Shard(name) for name in names])
