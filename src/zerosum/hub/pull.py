"""Pulling a run from the Hub: the files of our own index alone, checked, and nothing in them is run."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch

from zerosum.data.options import DataConfig
from zerosum.errors import InputError, StorageError
from zerosum.evaluation.result import FILE, Evaluation
from zerosum.hub import index
from zerosum.hub.index import Index
from zerosum.run import checkpoint, portable_state
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run
from zerosum.run.older_format import FORMAT
from zerosum.run.public import public
from zerosum.runtime import hub_client as client
from zerosum.runtime.atomic_files import PREFIX, replacing, storing
from zerosum.runtime.hub_client import UnreachableError
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.untrusted_json import parse

SHORT = 12
"""Characters of a commit in the name of a folder."""


def pull(repository: Repository, target: Path, *, with_state: bool = False) -> tuple[Run, str]:
    """Pull a run into a new folder, whole or not at all; return it and its commit, which its run.json records.

    Args:
        repository: of which revision; it is resolved to a commit before anything is downloaded.
        target: the folder, which is not there yet, or empty.
        with_state: whether to take what training resumes from.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: no such repository or revision, no run that zerosum pushed, or one that is damaged; or the folder
            is taken.
        StorageError: the disk refuses.
    """
    place = target.resolve()  # where a link leads, which a folder is not renamed onto
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{target} exists and is not an empty folder: name another with --to.")
    found = client.look_up(repository)
    if found is None:
        raise InputError(
            f"There is no {repository} on the Hub, or it is private: see how it is spelt, or log in by `hf auth login`."
        )
    _fetch(repository, found, place, with_state=with_state)
    return Run.open(target), found.commit


def cached(name: str) -> Path:
    """Return the folder of the cache with a run that is named as hf:owner/name@revision; pull it where it is new.

    Without a connection it is the one that the name stood for the last time.

    Raises:
        InputError: as for `pull`; or there is no connection, and nothing in the cache.
    """
    repository = Repository.read(name)
    folder = DataConfig().cache_folder() / "hub"
    known = folder / "refs" / f"{repository.owner}--{repository.name}.json"
    refs, revision = _refs(known), repository.revision or ""
    if revision in refs.values():  # a whole commit, which stays what it is
        return _require(folder, repository, revision)
    try:
        found = client.look_up(repository)
    except UnreachableError as error:
        commit = refs.get(revision)
        if commit is None or not _folder(folder, repository, commit).is_dir():
            raise
        logging.getLogger("zerosum").warning(
            f"{error} Using commit {commit} of {repository.id}, which was pulled before."
        )
        return _require(folder, repository, commit)
    if found is None:
        raise InputError(
            f"There is no {repository} on the Hub, or it is private: see how it is spelt, or log in by `hf auth login`."
        )
    target = _folder(folder, repository, found.commit)
    if not target.is_dir():
        try:
            _fetch(repository, found, target, with_state=False)
        except StorageError:
            if not target.is_dir():  # else another process has pulled it meanwhile
                raise
    if refs.get(revision) != found.commit:
        with replacing(known) as partial:
            partial.write_text(json.dumps(refs | {revision: found.commit}), encoding="utf-8")
    return _require(folder, repository, found.commit)


def _folder(folder: Path, repository: Repository, commit: str) -> Path:
    return folder / f"{repository.owner}--{repository.name}@{commit[:SHORT]}"


def _require(folder: Path, repository: Repository, commit: str) -> Path:
    """Return the folder of a commit, once its run.json says that it is that."""
    target = _folder(folder, repository, commit)
    pulled = Run.open(target).description.get("pulled")
    if not isinstance(pulled, dict) or (pulled.get("repository"), pulled.get("commit")) != (repository.id, commit):
        raise InputError(f"{target} is not what was pulled there: delete it, and try again.")
    return target


def _refs(path: Path) -> dict[str, str]:
    """Return which commit each revision was the last time."""
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


def _fetch(repository: Repository, found: client.Snapshot, target: Path, *, with_state: bool) -> None:
    """Download a run into a folder beside its target, check it, and rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as scratch:
        loaded, built = scratch / "files", scratch / "run"
        loaded.mkdir()
        if (found.sizes.get(index.INDEX, index.LARGEST_INDEX + 1) or 0) > index.LARGEST_INDEX:
            raise InputError(f"{repository} is no run that zerosum pushed: it has no {index.INDEX}.")
        client.download(repository, found.commit, [index.INDEX], loaded)
        listing = Index.read(_text(loaded / index.INDEX, repository), str(repository))
        listing.require_sizes(found.sizes, str(repository))
        if with_state and index.STATE not in listing.files:
            raise InputError(f"{repository} was pushed without state for resuming: leave --with-state out.")
        wanted = [name for name in listing.files if with_state or name not in index.RESUMING]
        client.download(repository, found.commit, wanted, loaded)
        files = {name: listing.checked(loaded, name, str(repository)) for name in wanted}
        try:
            _build(built, repository, found.commit, listing.round, files)
        except InputError as error:
            raise InputError(f"{repository} cannot be used: {str(error).replace(f'{built}/', '')}") from None
        with storing(target):
            if target.is_dir():
                target.rmdir()
            built.rename(target)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    try:
        scratch = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
    except OSError as error:
        raise StorageError(f"{target} cannot be written ({error.strerror}): name another folder with --to.") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _text(path: Path, repository: Repository) -> str:
    try:
        return path.read_bytes()[: index.LARGEST_INDEX].decode("utf-8")
    except (OSError, ValueError):
        raise InputError(f"{repository} is no run that zerosum pushed: its {index.INDEX} cannot be read.") from None


def _build(folder: Path, repository: Repository, commit: str, round_: int, files: dict[str, bytes]) -> None:
    """Make a run directory of checked files. Of run.json what `public` keeps is taken: no place on this machine."""
    run = Run.create(
        folder, public(_description(files[index.RUN])) | {"pulled": {"repository": repository.id, "commit": commit}}
    )
    if "recipe_origin" not in run.description:  # else it has to be given when the run is used
        read_config(run)
    read_spec(run)
    for name in {index.WEIGHTS, index.LIVE, index.AVERAGES} & files.keys():
        _require_tensors(files[name], name)
    if index.STATE in files:
        state = portable_state.unpack(files[index.STATE])
        checkpoint.save_parts(run, round_, files[index.LIVE], files[index.AVERAGES], state)
    else:
        checkpoint.save_parts(run, round_, files[index.WEIGHTS], safetensors.torch.save({}))
    with storing(folder):
        (folder / index.CARD).write_bytes(files.get(index.CARD, b""))
        if index.PICTURE in files:
            run.sample(round_).write_bytes(files[index.PICTURE])
        if index.EVALUATION in files:
            (folder / FILE).write_bytes(files[index.EVALUATION])
            Evaluation.read(folder / FILE)


def _description(content: bytes) -> dict[str, Any]:
    try:
        found = parse(content.decode("utf-8"))
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError
    except ValueError:
        raise InputError(f"its run.json is not of format {FORMAT}, which this version of zerosum reads.") from None
    return {name: value for name, value in found.items() if name != "format"}


def _require_tensors(content: bytes, name: str) -> None:
    try:
        safetensors.torch.load(content)
    except Exception as error:
        raise InputError(f"its {name} is no safetensors file.") from error
