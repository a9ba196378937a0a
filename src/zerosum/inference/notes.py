"""Sentences on what is done to image files before a network takes them."""

from __future__ import annotations

from collections import Counter

from zerosum.data.packing.scan import Scan, profile_notes
from zerosum.text import counted


def notes_on(found: Scan) -> tuple[str, ...]:
    """Describe what is done to images before a network takes them."""
    high = sum(fact.bits == 16 and fact.wide is None for fact in found.facts.values())
    profiles = Counter(fact.profile for fact in found.facts.values())
    several = sum(fact.frames > 1 for fact in found.facts.values())
    kinds = {fact.wide or "byte" for fact in found.facts.values()}
    alone = Counter(fact.wide for fact in found.facts.values() if fact.wide and fact.wide not in found.scales)
    called = {"integer": "16-bit numbers", "float": "Floating-point numbers"}
    return (
        *dict.fromkeys(scale.sentence for kind, scale in found.scales.items() if kind in kinds),
        *(
            f"{called[kind]} are reduced to 8 bits, each image on a range of its own: {counted(number, 'image')}."
            for kind, number in alone.items()
        ),
        *([f"16 bits in each of several channels reduced to 8: {counted(high, 'image')}."] if high else []),
        *profile_notes(profiles["converted"], profiles["unusable"]),
        *([f"Several frames or pages, of which the first is used: {counted(several, 'file')}."] if several else []),
    )
