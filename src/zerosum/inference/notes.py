"""Sentences on what is done to image files before a network takes them."""

from __future__ import annotations

from collections import Counter

from zerosum.data.packing.bit_depth import fits_integers, range_of_results
from zerosum.data.packing.scan import Scan, profile_notes
from zerosum.data.spec import Spec
from zerosum.text import counted


def _results(spec: Spec) -> tuple[str, ...]:
    """Say what numbers the files of 16-bit results hold."""
    if spec.bits == 8:
        return ()
    scale = range_of_results(spec.range)
    stand = "" if fits_integers(spec.range) else "0..65535, which stand for "
    return (f"Results have 16 bits a channel and hold {stand}{scale.low:.6g}..{scale.high:.6g}.",)


def notes_on(found: Scan, spec: Spec) -> tuple[str, ...]:
    """Describe what is done to images before a network of a spec takes them."""
    whole = spec.bits == 16 and "byte" not in found.scales
    several = [fact for fact in found.facts.values() if fact.bits == 16 and fact.wide is None]
    high = sum(not (whole and fact.wide_colour) for fact in several)
    profiles = Counter(fact.profile for fact in found.facts.values())
    several = sum(fact.frames > 1 for fact in found.facts.values())
    kinds = {fact.wide or "byte" for fact in found.facts.values()}
    alone = Counter(fact.wide for fact in found.facts.values() if fact.wide and fact.wide not in found.scales)
    way = "reduced to 8 bits" if spec.bits == 8 else "read at 16 bits"
    called = {"integer": "16-bit numbers", "float": "Floating-point numbers"}
    return (
        *dict.fromkeys(scale.note(spec.bits) for kind, scale in found.scales.items() if kind in kinds),
        *(
            f"{called[kind]} are {way}, each image on a range of its own: {counted(number, 'image')}."
            for kind, number in alone.items()
        ),
        *([f"16 bits in each of several channels reduced to 8: {counted(high, 'image')}."] if high else []),
        *_results(spec),
        *profile_notes(profiles["converted"], profiles["unusable"]),
        *([f"Several frames or pages, of which the first is used: {counted(several, 'file')}."] if several else []),
    )
