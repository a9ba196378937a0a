"""The six calls of huggingface_hub that are used, and what its errors are called here. Nothing else imports it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
from zerosum.runtime.hub_names import Repository

SECONDS = 30
"""To wait for an answer on a repository."""


class UnreachableError(InputError):
    """The Hub does not answer."""


@dataclass(frozen=True)
class Snapshot:
    """A repository at a commit."""

    commit: str
    private: bool
    sizes: dict[str, int | None]
    """Bytes of each file by its name, as the Hub says."""


def require() -> Any:
    """Return the package huggingface_hub.

    Raises:
        InputError: it is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise InputError(f"The Hub needs the extra hub ({error}): pip install 'zerosum[hub]'") from error
    if not sys.stderr.isatty():
        huggingface_hub.utils.disable_progress_bars()
    return huggingface_hub


def look_up(repository: Repository, *, data: bool = False) -> Snapshot | None:
    """Return the commit and files of a repository, of a model or of `data`; None where none is there, or shown.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: no such revision, or no leave to see it.
    """
    errors = require().errors
    with _told(repository):
        try:
            about = _api().dataset_info if data else _api().model_info
            found = about(repository.id, revision=repository.revision, files_metadata=True, timeout=SECONDS)
        except errors.RevisionNotFoundError:
            raise InputError(f"{repository.id} has no revision {repository.revision}: leave it out.") from None
        except errors.GatedRepoError:
            raise
        except errors.RepositoryNotFoundError:
            return None
    if not isinstance(found.sha, str) or not found.sha.isalnum():
        raise InputError(f"The Hub names no commit of {repository}: try again.")
    sizes = {file.rfilename: file.size for file in found.siblings or ()}
    return Snapshot(found.sha, bool(found.private), sizes)


def download(repository: Repository, commit: str, names: Sequence[str], folder: Path, *, data: bool = False) -> None:
    """Download files of a repository at a commit into a folder.

    Args:
        repository: where.
        commit: whose files.
        names: of the files, none of which holds a pattern.
        folder: which is there.
        data: whether the repository is one of data.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: it refuses.
    """
    with _told(repository):
        kind, wanted = "dataset" if data else "model", list(names)
        _api().snapshot_download(
            repository.id, repo_type=kind, revision=commit, allow_patterns=wanted, local_dir=folder
        )


def create(repository: Repository, *, private: bool) -> None:
    """Make a repository.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: it refuses.
    """
    with _told(repository):
        _api().create_repo(repository.id, private=private)


def upload(repository: Repository, folder: Path, *, message: str, replaced: Sequence[str]) -> str:
    """Upload a folder as one commit, which also removes those of the `replaced` files that it lacks; return the commit.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: it refuses.
    """
    with _told(repository):
        done = _api().upload_folder(
            repo_id=repository.id, folder_path=folder, commit_message=message, delete_patterns=list(replaced)
        )
    return str(done.oid)


def files_of_data() -> Any:
    """Return the data sets of the Hub as a file system of fsspec, which reads parts of files where they lie."""
    return require().HfFileSystem(endpoint=os.environ.get("HF_ENDPOINT"))


def address(repository: Repository) -> str:
    """Return the page of a repository."""
    return f"{_api().endpoint}/{repository.id}"


def _api() -> Any:
    return require().HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="zerosum")


@contextmanager
def _told(repository: Repository) -> Iterator[None]:
    """Turn what the client raises into one sentence."""
    errors = require().errors
    try:
        yield
    except errors.LocalTokenNotFoundError:
        raise InputError("The Hub needs to know who you are: log in by `hf auth login`, or set HF_TOKEN.") from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        first = _first(error)
        if status in (401, 403):
            raise InputError(
                f"The Hub refuses {repository} ({first}): log in by `hf auth login`, or set HF_TOKEN."
            ) from error
        kind = UnreachableError if status is None or status >= 500 else InputError
        raise kind(f"The Hub refuses {repository} ({first}).") from error
    except InputError:
        raise
    except Exception as error:
        if not _is_network(error):
            raise
        raise UnreachableError(f"The Hub cannot be reached for {repository} ({_first(error)}).") from error


def _is_network(error: Exception) -> bool:
    """Whether an error is one of the network, of the cache offline, or of a refused name."""
    home = type(error).__module__.partition(".")[0]
    return isinstance(error, ConnectionError | TimeoutError) or home in ("httpx", "httpx2", "huggingface_hub")


def _first(error: Exception) -> str:
    """Return the last line of an error, which says why, without the address of the request."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")[:200]
