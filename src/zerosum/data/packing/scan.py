"""Looking at all image files before any is packed, and deciding what every one of them will become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, Literal, TypeVar

import numpy as np

from zerosum.data.options import SMALLEST_SIDE, DataConfig
from zerosum.data.packing.bit_depth import Depth, Scale, float_scale, integer_scale, read_range
from zerosum.data.packing.decode import ImageHeader, PixelFormat, extent, inspect, reason
from zerosum.data.packing.depth import bits_for
from zerosum.data.packing.rows import levels_in, translucent
from zerosum.data.packing.tiles import tile_notes
from zerosum.data.side_choice import choose_sides
from zerosum.data.sources.image_files import ImageFiles
from zerosum.runtime.thread_pool import ProgressCallback, cores, on_all_cores
from zerosum.text import counted

Result = TypeVar("Result")
WINDOW = 256


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What the files of a data set are, before anything is done to them."""

    facts: dict[str, ImageHeader]
    """Of every file that can be used, by name."""

    problems: dict[str, str]
    """Why a file cannot be used, by name: the end of the sentence "a.png ..."."""

    translucent: bool
    """Whether any pixel of any file is not opaque."""

    scales: dict[str, Scale]
    """How wide numbers become levels, by the value of `Facts.wide`."""

    bits: Literal[8, 16] = 8
    """Of a channel of what the files become: 8 or 16."""


def attempt(files: ImageFiles, work: Callable[[BinaryIO], Result]) -> Callable[[str], Result | Exception]:
    """Do `work` on a file by its name, and return what went wrong instead of raising it."""

    def tried(name: str) -> Result | Exception:
        # Decoders raise almost anything on damaged bytes; every failure is reported with the name of its file.
        try:
            with files.open(name) as file:
                return work(file)
        except Exception as error:
            return error

    return tried


def survey(
    files: ImageFiles,
    progress: ProgressCallback | None = None,
    *,
    smallest: int = SMALLEST_SIDE,
    range: str | None = None,  # noqa: A002
    choose: bool = True,
    depth: Depth = 8,
) -> Scan:
    """Read all headers, and the pixels only of files whose numbers are wide or whose alpha may matter.

    Args:
        files: What to look at.
        progress: Told how many were looked at.
        smallest: Pixels that both sides of an image must have.
        range: What numbers become 0..255, as `read_range` reads it.
        choose: Whether to choose the range of the kinds of number that it does not name from all files together; if
            not, each file of such a kind has a range of its own, so that nothing depends on its company.
        depth: Bits of a channel that are asked for; "auto" chooses.
    """
    facts: dict[str, ImageHeader] = {}
    problems: dict[str, str] = {}
    shared: dict[ImageHeader, ImageHeader] = {}  # of a million files most say the same
    for done, (name, result) in enumerate(_over(files, partial(inspect, smallest=smallest), files.names), start=1):
        if isinstance(result, Exception):
            problems[name] = reason(result)
        else:
            facts[name] = shared.setdefault(result, result)
        if progress is not None and (done % 100 == 0 or done == len(files.names)):
            progress("look", done, len(files.names))
    given = read_range(range)
    scales = given | (_scales(files, facts, problems, given) if choose else {})
    see_through = any(result is True for _, result in _over(files, translucent, _named(facts, lambda fact: fact.alpha)))
    wide = [scales[fact.wide] for fact in facts.values() if fact.wide in scales]
    if "byte" not in scales and any(fact.wide_colour for fact in facts.values()):
        wide.append(integer_scale(0, 65535))
    bits = bits_for(depth, wide, lambda: _levels(files, facts, scales))
    return Scan(facts=facts, problems=problems, translucent=see_through, scales=scales, bits=bits)


def plan_for(survey: Scan, options: DataConfig) -> tuple[PixelFormat, tuple[str, ...]]:
    """Decide the shape that all images get, and say in sentences what that does to them.

    Args:
        survey: Of at least one usable file.
        options: What the user asked for.
    """
    facts = list(survey.facts.values())
    height, width = choose_sides({(fact.height, fact.width) for fact in facts}, options)
    colour = any(fact.colour for fact in facts)
    channels = options.channels or (3 if colour else 1) + survey.translucent
    plan = PixelFormat(height=height, width=width, channels=channels, scales=survey.scales, bits=survey.bits)
    plan = replace(plan, padded=options.fit == "pad")
    notes = (
        *(tile_notes(facts, plan) if options.fit == "tiles" else _size_notes(facts, plan)),
        *_channel_notes(facts, survey.translucent, channels),
        *_number_notes(facts, survey.scales, survey.bits),
        *_oddity_notes(facts),
    )
    return plan, notes


def _over(
    files: ImageFiles, work: Callable[[BinaryIO], Result], names: Sequence[str]
) -> Iterable[tuple[str, Result | Exception]]:
    return zip(names, on_all_cores(attempt(files, work), names, window=WINDOW), strict=True)


def _named(facts: dict[str, ImageHeader], wanted: Callable[[ImageHeader], bool]) -> list[str]:
    return [name for name, fact in facts.items() if wanted(fact)]


def _scales(
    files: ImageFiles, facts: dict[str, ImageHeader], problems: dict[str, str], given: dict[str, Scale]
) -> dict[str, Scale]:
    """Find the extremes of wide numbers over the whole data set; move files that turn out unusable to `problems`."""
    scales = {}
    for kind, choose in (("integer", integer_scale), ("float", float_scale)):
        if kind in given:
            continue
        extents = []
        for name, result in _over(files, extent, _named(facts, lambda fact, kind=kind: fact.wide == kind)):
            if isinstance(result, Exception):
                problems[name] = reason(result)
                del facts[name]
            else:
                extents.append(result)
        if extents:
            low, high = min(low for low, _, _ in extents), max(high for _, high, _ in extents)
            doubled = kind == "integer" and all(doubled for _, _, doubled in extents) and high > 0
            scales[kind] = integer_scale(0, 65535) if doubled else choose(low, high)
    return scales


def _levels(files: ImageFiles, facts: dict[str, ImageHeader], scales: dict[str, Scale]) -> Iterator[np.ndarray]:
    """Yield the distinct 16-bit levels of one file of wide numbers after the other."""
    names = _named(facts, lambda fact: fact.wide is not None or fact.wide_colour)
    for result in on_all_cores(attempt(files, partial(levels_in, scales=scales)), names, window=2 * cores()):
        if not isinstance(result, Exception):
            yield result


def _size_notes(facts: list[ImageHeader], plan: PixelFormat) -> tuple[str, ...]:
    target = f"{plan.height}x{plan.width}"
    sizes = Counter((fact.height, fact.width) for fact in facts)
    if set(sizes) == {(plan.height, plan.width)}:
        return (f"All images are {target} and keep their size.",)
    (low_h, low_w), (high_h, high_w) = min(sizes), max(sizes)
    origin = f"{len(sizes):,} sizes from {low_h}x{low_w} to {high_h}x{high_w}" if len(sizes) > 1 else f"{low_h}x{low_w}"
    way = "lie within" if plan.padded else "cover"
    notes = [f"Images are scaled from {origin} to {way} {target} (height x width, Lanczos)."]
    cropped = sum(number for (h, w), number in sizes.items() if h * plan.width != w * plan.height)
    if cropped and plan.padded:
        notes.append(f"Padded with their reflection because of another shape: {counted(cropped, 'image')}.")
    elif cropped:
        notes.append(f"Cut to the centre because of another shape: {counted(cropped, 'image')}.")
    less = all if plan.padded else any
    enlarged = sum(number for (h, w), number in sizes.items() if less((h < plan.height, w < plan.width)))
    if enlarged:
        notes.append(f"Enlarged because smaller than {target}: {counted(enlarged, 'image')}.")
    return tuple(notes)


def _channel_notes(facts: list[ImageHeader], see_through: bool, channels: int) -> tuple[str, ...]:
    notes = []
    gray, alpha = sum(not fact.colour for fact in facts), sum(fact.alpha for fact in facts)
    if channels >= 3 and gray:
        notes.append(f"Gray made RGB with equal channels: {counted(gray, 'image')}.")
    if channels <= 2 and gray < len(facts):
        notes.append(f"Colour made gray (ITU-R BT.601 luma): {counted(len(facts) - gray, 'image')}.")
    if alpha and not see_through:
        dropped = "dropped because opaque" if channels in (1, 3) else "kept, though opaque"
        notes.append(f"Alpha channel {dropped} throughout: {counted(alpha, 'image')}.")
    if see_through and channels in (1, 3):
        notes.append(f"Composited on white because of an alpha channel: {counted(alpha, 'image')}.")
    if see_through and channels in (2, 4) and 10 * alpha <= len(facts):
        notes.append(
            f"All get an alpha channel, though only {counted(alpha, 'image')} of {len(facts):,} have transparency: "
            f"--channels {channels - 1} puts these on white."
        )
    if channels in (2, 4) and alpha < len(facts):
        notes.append(f"Made opaque for lack of an alpha channel: {counted(len(facts) - alpha, 'image')}.")
    if see_through and channels in (2, 4):
        notes.append("Transparency is kept as the last channel.")
    return tuple(notes)


def _number_notes(facts: list[ImageHeader], scales: dict[str, Scale], bits: Literal[8, 16]) -> tuple[str, ...]:
    kinds = {fact.wide or "byte" for fact in facts}
    notes = list(dict.fromkeys(scale.note(bits) for kind, scale in scales.items() if kind in kinds))
    several = [fact for fact in facts if fact.bits == 16 and fact.wide is None]
    kept = sum(fact.wide_colour for fact in several) if bits == 16 and "byte" not in scales else 0
    if kept:
        notes.append(f"16 bits in each of several channels are kept: {counted(kept, 'image')}.")
    if high_byte := len(several) - kept:
        notes.append(f"16 bits in each of several channels reduced to the high byte: {counted(high_byte, 'image')}.")
    return tuple(notes)


def profile_notes(converted: int, unusable: int) -> tuple[str, ...]:
    """Say what becomes of colour profiles, by the numbers of images that are converted and that cannot be."""
    images = [counted(number, "image") for number in (converted, unusable)]
    return (
        *([f"Colours converted to sRGB from an embedded profile: {images[0]}."] if converted else []),
        *([f"A colour profile that does not fit the colours was left aside: {images[1]}."] if unusable else []),
    )


def _oddity_notes(facts: list[ImageHeader]) -> tuple[str, ...]:
    notes = []
    profiles = Counter(fact.profile for fact in facts)
    bands = sum(fact.dropped > 0 for fact in facts)
    turned, several = sum(fact.turned for fact in facts), sum(fact.frames > 1 for fact in facts)
    if turned:
        notes.append(f"Turned upright as the orientation tag says: {counted(turned, 'image')}.")
    if several:
        notes.append(f"Several frames or pages, of which the first is used: {counted(several, 'file')}.")
    notes += profile_notes(profiles["converted"], profiles["unusable"])
    if bands:
        notes.append(
            f"Bands that are no colour and no opacity were dropped: {counted(bands, 'image')}; .npy keeps them."
        )
    for mode, number in sorted(Counter(fact.mode for fact in facts).items()):
        if mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            notes.append(f"Converted from {mode} to RGB: {counted(number, 'image')}.")
    return tuple(notes)
