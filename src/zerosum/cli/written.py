"""Text that a command prints, or writes to the file that is asked for."""

from __future__ import annotations

from pathlib import Path

from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.terminal import say


def print_or_write(text: str, out: Path | None) -> None:
    """Print a text; with `out`, write it there as UTF-8 and say so.

    Raises:
        StorageError: it could not be written.
    """
    if out is None:
        say(*text.rstrip("\n").split("\n"))
        return
    with replacing(out) as partial:
        partial.write_text(text, encoding="utf-8")
    say(f"Written: {out}")
