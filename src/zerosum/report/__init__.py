"""The HTML report of a run, written from the run directory alone."""

from __future__ import annotations

from pathlib import Path

from zerosum.report.page import page
from zerosum.report.run_data import read
from zerosum.runtime.atomic_files import replacing
from zerosum.text import shown


def write(run: Path) -> Path:
    """Write `report.html` into a run directory, from what is in it; parts that are missing are named on the page.

    The page carries its pictures, curves and style within itself, so that the one file can be sent to somebody.

    Args:
        run: The run directory, at any time of the run's life.

    Returns:
        The path of the page.

    Raises:
        InputError: There is no such folder, or nothing of a run in it.
        StorageError: The disk refused the write.
    """
    path = run / "report.html"
    content = page(read(run))
    with replacing(path) as partial:
        partial.write_text(shown(content), encoding="utf-8")
    return path
