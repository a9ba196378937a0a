"""PNG files that were written to their end."""

from __future__ import annotations

from pathlib import Path

from zerosum.runtime.regular_files import open_regular

LARGEST = 64 * 2**20
"""Bytes beyond which a picture is not read."""


def whole_png(path: Path) -> bytes | None:
    """Return a file's content if it is a PNG with its signature, header and end, of at most 64 MiB; else None."""
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST)
    except OSError:
        return None
    whole = content[:8] == b"\x89PNG\r\n\x1a\n" and content[-8:-4] == b"IEND" and len(content) >= 45
    return content if whole else None
