"""Fetching a published file: from the first mirror that answers, checked, and in place whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.response import addinfourl

from zerosum.data.packing.cache_files import storage_error
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback

TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 18


def fetch(
    urls: Sequence[str],
    target: Path,
    *,
    check: Callable[[Path], object],
    advice: str,
    progress: ProgressCallback | None = None,
) -> None:
    """Download a file.

    Args:
        urls: Mirrors, tried in turn.
        target: Where the file goes; its folder is made.
        check: Raises `InputError` if the downloaded file is not the published one.
        advice: What to do where no mirror can be reached, to end the error's sentence.
        progress: Told "download", and how many bytes are there of how many (0 where the mirror does not say).

    Raises:
        InputError: No mirror gave the published file.
        StorageError: The file cannot be written.
    """
    failures = []
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
                _store(response, target, check, progress)
            return
        except InputError as error:
            failures.append(str(error))
        except (OSError, HTTPException) as error:
            failures.append(f"{url} gave no file ({getattr(error, 'reason', None) or error})")
    raise InputError(f"{target.name} cannot be downloaded: {'; '.join(failures)}; {advice}")


def md5_of(content: bytes) -> str:
    """Hex digest by which publishers name their files; no protection against an attacker.

    >>> md5_of(b"")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _store(
    response: addinfourl, target: Path, check: Callable[[Path], object], progress: ProgressCallback | None
) -> None:
    """Copy a response to a temporary file beside the target, check it, and give it its name."""
    expected, done, scratch = int(response.headers.get("Content-Length") or 0), 0, None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        scratch = Path(name)
        with os.fdopen(handle, "wb") as file:
            while chunk := _read(response):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress("download", done, expected)
            file.flush()
            os.fsync(file.fileno())
        check(scratch)
        scratch.chmod(0o644)
        scratch.replace(target)
    except _BrokenError as error:
        raise InputError(f"the connection broke after {done:,} bytes ({error})") from error
    except OSError as error:
        raise storage_error(target.parent, error) from error
    finally:
        if scratch is not None:
            scratch.unlink(missing_ok=True)


class _BrokenError(Exception):
    """The other side stopped sending: no fault of the disk, though both come as OSError."""


def _read(response: addinfourl) -> bytes:
    try:
        return response.read(CHUNK_BYTES)
    except (OSError, HTTPException) as error:
        raise _BrokenError(str(error)) from error
