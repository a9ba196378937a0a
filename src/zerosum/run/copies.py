"""Copies of a run in an object store, by fsspec: s3://, gs://, or whatever it knows.

Of a checkpoint the index comes last, and run.json after all checkpoints, so that what a killed process leaves there is
an older state and never half of one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from zerosum.errors import InputError, StorageError
from zerosum.run.checkpoint_index import INDEX
from zerosum.run.directory import Run
from zerosum.runtime.atomic_files import PREFIX, storing
from zerosum.text import is_whole

FOLDER = "checkpoints"
FILES = ("recipe.py", "history-before-rescue-*.jsonl", "history.jsonl", "report.html", "run.json")
"""Of the run, beside its checkpoints, in the order in which they are copied."""
NAMED = ("best", "fallback")
"""Checkpoints that are called by a word in place of their round."""


class Copies:
    """A place in an object store that is kept like a run.

    A store that does not answer stops nothing: `say` is told, and the next update makes up for it.

    Args:
        run: the run.
        place: protocol://bucket/name.
        say: is told what goes wrong, in a sentence.

    Raises:
        InputError: fsspec, or its package for the protocol, is missing, or there is no such protocol.
    """

    def __init__(self, run: Run, place: str, say: Callable[[str], None]) -> None:
        self._run, self._place, self._say = run, place.rstrip("/"), say
        self._store, self._root = opened(self._place)

    def update(self) -> bool:
        """Copy what is new, and remove what the run no longer has; return whether that went well."""
        try:
            self._update()
        except Exception as error:  # stores raise errors of their own
            why = f"{type(error).__name__}: {error}"
            self._say(f"{self._place} could not be written ({why}): what it holds is older until it can be.")
            return False
        return True

    def _update(self) -> None:
        there = checkpoints(self._store, self._root)
        here = [*self._run.checkpoints(), *(path for path in (self._run.best, self._run.fallback) if path.is_dir())]
        for path in here:
            index = (path / INDEX).read_bytes()
            if there.get(path.name) != index:
                target = f"{self._root}/{FOLDER}/{path.name}"
                if path.name in there:
                    self._store.rm_file(f"{target}/{INDEX}")
                for file in sorted(path.iterdir(), key=lambda file: file.name == INDEX):
                    self._store.pipe_file(f"{target}/{file.name}", file.read_bytes())
        for pattern in FILES:
            for path in sorted(self._run.path.glob(pattern)):
                self._store.pipe_file(f"{self._root}/{path.name}", path.read_bytes())
        for name in there.keys() - {path.name for path in here}:
            self._store.rm_file(f"{self._root}/{FOLDER}/{name}/{INDEX}")
            self._store.rm(f"{self._root}/{FOLDER}/{name}", recursive=True)


def fetch(place: str, run: Path) -> bool:
    """Bring a copy of a run to a folder that is not there yet; return whether there is one.

    Args:
        place: protocol://bucket/name.
        run: the folder to make; a process that is killed meanwhile leaves none.

    Raises:
        InputError: the store cannot be opened or read.
        StorageError: the disk refuses.
    """
    store, root = opened(place.rstrip("/"))
    partial = run.parent / f"{PREFIX}{run.name}.fetched"
    try:
        if not store.exists(f"{root}/run.json"):
            return False
        with storing(partial):
            shutil.rmtree(partial, ignore_errors=True)
            for name in (path.rstrip("/").rpartition("/")[2] for path in store.ls(root, detail=False)):
                if any(fnmatch(name, pattern) for pattern in FILES):
                    _write(partial / name, store.cat_file(f"{root}/{name}"))
            for name in checkpoints(store, root):
                for file in store.find(f"{root}/{FOLDER}/{name}"):
                    _write(partial / FOLDER / name / file.rpartition("/")[2], store.cat_file(file))
            partial.rename(run)
    except StorageError:
        raise
    except Exception as error:  # stores raise errors of their own
        raise InputError(f"{place} could not be read ({type(error).__name__}: {error}).") from None
    return True


def checkpoints(store: Any, root: str) -> dict[str, bytes]:
    """Return the indices of the checkpoints that are whole, by name."""
    store.invalidate_cache()
    folder = f"{root}/{FOLDER}"
    found = [path for path in store.find(folder) if path.endswith(f"/{INDEX}")] if store.exists(folder) else []
    names = {path: path.split("/")[-2] for path in found}
    return {name: store.cat_file(path) for path, name in names.items() if is_whole(name) or name in NAMED}


def opened(place: str) -> tuple[Any, str]:
    """Return the fsspec file system of a place, and what the place is called there.

    Raises:
        InputError: fsspec, or its package for the protocol, is missing, or there is no such protocol.
    """
    if "://" not in place:
        raise InputError(f"{place} is no place of an object store: give one such as s3://bucket/name.")
    try:
        import fsspec

        return fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise InputError(f"{place} cannot be opened: {error}") from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
