"""Looking captions over before training: how many there are, the first few, and what is odd about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from zerosum.data.check_report import CheckReport
from zerosum.data.options import DataConfig
from zerosum.data.sentences import LONGEST, vocabulary
from zerosum.data.sources import shapes
from zerosum.data.sources.caption_files import has_captions, survey_captions
from zerosum.data.sources.find import built_in
from zerosum.data.sources.image_files import CAPTIONS_LEFT_OUT, ImageFiles
from zerosum.errors import InputError
from zerosum.text import counted

LEFT_OUT = rf"Left out because no images: .* \(\.(csv|jsonl|tsv|txt)\)\.|{re.escape(CAPTIONS_LEFT_OUT)}"
"""What is said of the files of captions by the report on images."""

FIRST = 5
"""Captions that are shown."""


@dataclass(frozen=True, kw_only=True)
class CaptionCheck:
    """What is known of the captions of some images."""

    of: dict[str, tuple[str, ...]]
    place: str
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def captions_in(source: str | Path, found: object, options: DataConfig) -> CaptionCheck | None:
    """Look over the captions that some images have; None where they have none.

    Args:
        source: as it was named.
        found: what it leads to.
        options: what training would be asked for.
    """
    if built_in(source) == shapes.NAME:
        every = shapes.captions(options.split)
        return CaptionCheck(of={f"image {row}": said for row, said in enumerate(every)}, place="the rule")
    if not isinstance(found, ImageFiles) or not has_captions(found, options):
        return None
    try:
        table = survey_captions(found, options)
    except InputError as error:
        return CaptionCheck(of={}, place="", errors=(str(error),))
    return CaptionCheck(of=table.of, place=table.place, notes=table.notes, errors=table.errors)


def with_captions(report: CheckReport, found: CaptionCheck | None) -> CheckReport:
    """Add what is known of captions to the report on their images."""
    if found is None:
        return report
    every = [said for captions in found.of.values() for said in captions]
    if not every:
        return replace(report, warnings=(*report.warnings, *found.errors))
    words = [len(said.split()) for said in every]
    count = f"{counted(len(every), 'caption')} of {counted(len(found.of), 'image')}"
    known = (
        f"{count}, from {found.place}: {min(words)} to {max(words)} words, {len(vocabulary(every)):,} different ones"
    )
    long = sum(len(said.encode("utf-8", "replace")) > LONGEST for said in every)
    cut = (f"{counted(long, 'caption')} longer than {LONGEST} bytes: cut there.",) if long else ()
    trained = "With --recipe stackgan images are made from such sentences; other recipes leave captions aside."
    shown = [f"{name}: {said[0]}" for name, said in list(found.of.items())[:FIRST]]
    notes = [note for note in report.notes if not re.fullmatch(LEFT_OUT, note)]
    return replace(
        report,
        captions=tuple(shown),
        notes=(*notes, f"{known}.", *found.notes, *cut, trained),
        warnings=(*report.warnings, *found.errors),
    )
