"""`zerosum doctor`: what goes wrong in a run, a log of another program or a set of images, and what to change."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.data.options import DataConfig
from zerosum.doctor.bug_report import bug_report
from zerosum.doctor.examine import Examination, examine
from zerosum.doctor.wording import lines
from zerosum.errors import InputError
from zerosum.hub import local
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say

ALARM = 3
"""Exit code where a finding is more than a note."""


@dataclass(frozen=True, kw_only=True)
class Doctor(BaseConfig):
    """Say what goes wrong in a run, in a log of another program or in a set of images, and what to change.

    Exit codes: 0, nothing worse than a note was found; 3, a warning or something critical; 2, what is given cannot be
    read.
    """

    place: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN_LOG_OR_IMAGES")] = ""
    """A run that `zerosum train` made; a log, .csv, .tsv, .jsonl, TensorBoard's events or printed lines (.log, .txt);
    or a folder, .zip or array file of images. With --report a run, or nothing."""

    against: str | None = None
    """Of images: the real ones to compare them with."""

    map: tuple[str, ...] = ()
    """Of a log: what columns are whose names are not understood, as in --map loss1=discriminator/loss step2=round."""

    json: bool = False
    """Print JSON, for programs."""

    report: bool = False
    """Print what a bug report needs, as Markdown: versions, machine, settings, findings; no paths, names or data."""

    size: str | None = None
    """Of images: the size in pixels to look at them at, "64" or "48x64"; by default as for training."""

    cache: Path | None = None
    """Of images: folder for packed data, as for training."""


def run(arguments: list[str]) -> int:
    """Examine what is named, print what was found, and return the exit code."""
    given: Doctor = flags.parse(Doctor, arguments, prog="zerosum doctor").checked()
    given = replace(given, place=str(local(given.place)))
    if given.report:
        return _report(given)
    if not given.place:
        raise InputError("Nothing is named: zerosum doctor RUN, a log such as log.csv, or a folder of images.")
    found = _examined(given)
    if given.json:
        say(json.dumps(found.to_json()))
    else:
        say(*lines(found, given.place))
    return ALARM if found.alarming else 0


def _examined(given: Doctor) -> Examination:
    progress = make_progress()
    options = DataConfig(size=given.size, cache=None if given.cache is None else str(given.cache)).checked()
    try:
        return examine(
            given.place,
            against=given.against,
            columns=given.map,
            options=options,
            progress=progress_callback(progress),
        )
    finally:
        progress.close()


def _report(given: Doctor) -> int:
    if given.place and not (expanded(given.place) / "run.json").exists():
        raise InputError(f"--report takes a run, and {given.place} is none: name one, or leave it out.")
    say(*bug_report(given.place or None))
    return 0
