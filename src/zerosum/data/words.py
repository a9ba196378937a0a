"""Small words for the sentences that notes and errors are made of."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(items: Sequence[str], *, most: int = 3, separator: str = ", ") -> str:
    """The first few of several things, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = separator.join(items[:most])
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown
