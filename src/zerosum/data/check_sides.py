"""Two places of images looked over, the sources and the targets: what each holds, and whether they pair up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zerosum.data.check import check
from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.pair_names import matched
from zerosum.data.two_sided import two_places
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted


def check_sides(
    source: str | Path, options: DataConfig, *, progress: ProgressCallback | None = None
) -> tuple[CheckReport, CheckReport, str]:
    """Look over two sides; return a report on each, and a sentence on whether they pair up.

    Args:
        source: images of the first side.
        options: what training would be asked for; their target names the second side.
        progress: as for `check`.

    Raises:
        InputError: one of them is not there, or the options do not fit it.
    """
    alone = replace(options, target=None, labels="none")
    first, second = (_without_labels(check(place, alone, progress=progress)) for place in (source, str(options.target)))
    return first, second, _pairing(source, options)


def _without_labels(report: CheckReport) -> CheckReport:
    return replace(report, notes=tuple(note for note in report.notes if not note.startswith("No labels were taken")))


def _pairing(source: str | Path, options: DataConfig) -> str:
    try:
        first, second = matched(*two_places(source, str(options.target), options))
    except InputError as error:
        return f"{error} --recipe cyclegan learns from two sets without pairs."
    return (
        f"{counted(len(first.names), 'pair')}: an image of {first.root} and the one of the same name in {second.root}. "
        "--recipe pix2pix learns from them."
    )
