"""Ages of image files, or any other number, divided into ordered groups that stand for classes.

Source of the groups of ages: Antipov et al. 2017, section 2.1 (https://arxiv.org/abs/1702.01983).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from zerosum.data.options import BY_NAME, DataConfig
from zerosum.errors import InputError
from zerosum.text import counted, is_whole, listed, shown

AGES = "0-18,19-29,30-39,40-49,50-59,60+"
NUMBER = r"-?\d+(?:\.\d+)?"
GROUP = re.compile(rf"\s*({NUMBER})\s*(?:-\s*({NUMBER})|\+)\s*")
MOST_GROUPS = 50


@dataclass(frozen=True, kw_only=True)
class Group:
    """A range of numbers, both ends of which belong to it."""

    name: str
    low: float
    high: float


def read_groups(asked: str) -> list[Group]:
    """Read groups such as "0-18,19-29,30+".

    Raises:
        InputError: they are no ranges, one, more than 50, or overlap.

    >>> [group.name for group in read_groups("0-18, 19-29,30+")]
    ['0-18', '19-29', '30+']
    """
    matches = [(part.strip(), GROUP.fullmatch(part)) for part in asked.split(",")]
    wrong = next((part for part, match in matches if match is None), None)
    if wrong is not None or not 2 <= len(matches) <= MOST_GROUPS:
        about = f"{wrong!r} is no range" if wrong is not None else counted(len(matches), "group")
        raise InputError(
            f"--groups {asked} cannot be used ({about}): give 2 to {MOST_GROUPS} ranges in ascending order, such as "
            f"{AGES}, or a number of groups of equal size, such as 6."
        )
    groups = [
        Group(name=part.replace(" ", ""), low=float(match[1]), high=float(match[2] or "inf"))
        for part, match in matches
        if match is not None
    ]
    for before, after in zip(groups, [*groups[1:], None], strict=True):
        if before.low > before.high or (after is not None and before.high >= after.low):
            raise InputError(
                f"--groups {asked} cannot be used (after {before.name}): each range has to begin above the last one's "
                "end."
            )
    return groups


def ages_in_names(names: Iterable[str]) -> dict[str, str]:
    """Read the number that each file's name begins with, before an underscore: "34" of 34_0_1.jpg.

    Raises:
        InputError: a name begins with none.

    >>> ages_in_names(["faces/34_0_1.jpg"])
    {'faces/34_0_1.jpg': '34'}
    """
    found = {name: PurePosixPath(name).stem.partition("_") for name in names}
    for name, (age, mark, _) in found.items():
        if not mark or _number(age) is None:
            raise InputError(
                f"The name {name} does not begin with an age and an underscore, as 34_0_1.jpg does: rename it, or give "
                "--ages ages.csv with the columns file and age."
            )
    return {name: age for name, (age, _, _) in found.items()}


def grouped(
    ages: Mapping[str, str], everywhere: Sequence[str], options: DataConfig
) -> tuple[dict[str, str], list[str]]:
    """Assign files to groups by their numbers.

    Args:
        ages: what stands in the place of a number, by the name of the file.
        everywhere: the same of all files, in every split: groups of equal size are those of all.
        options: their `ages` and `groups` count.

    Returns:
        The name of each file's group, and the names of the groups in their order.

    Raises:
        InputError: an age is no number, or lies in no group; or the groups cannot be used.
    """
    asked = options.groups or AGES
    numbers = {name: _age(age, name) for name, age in ages.items()}
    groups = _of_equal_size(everywhere, int(asked)) if is_whole(asked.strip()) else read_groups(asked)
    whole = all(float(edge).is_integer() for group in groups for edge in (group.low, group.high) if edge != math.inf)
    return {name: _group_of(number, groups, name, whole=whole).name for name, number in numbers.items()}, [
        group.name for group in groups
    ]


def summary(of: Mapping[str, str], groups: Sequence[str], options: DataConfig) -> str:
    """Say where ages come from, and how many images each group has."""
    counts = Counter(of.values())
    place = "the names of the files" if options.ages == BY_NAME else str(options.ages)
    empty = "" if len(counts) == len(groups) else "; nothing can be learned of a group without images"
    shares = listed([f"{shown(group)} {counts[group]:,}" for group in groups], most=MOST_GROUPS)
    return f"Ages were read from {place}; images in each group: {shares}{empty}."


def _of_equal_size(everywhere: Sequence[str], count: int) -> list[Group]:
    """Divide numbers into groups of nearly equal size, at quantiles that are values of theirs."""
    values = np.sort([_age(age, "one of the files") for age in everywhere])
    starts = np.unique(values[[len(values) * index // count for index in range(count)]]) if count else values[:0]
    if not 2 <= count <= MOST_GROUPS or len(starts) < count:
        raise InputError(
            f"--groups {count} cannot be used with {counted(len(np.unique(values)), 'different number')}: give 2 to "
            f"{MOST_GROUPS} groups that can all be different, or ranges such as {AGES}."
        )
    ends = [values[values < start].max() for start in starts[1:]]
    groups = [
        Group(name=f"{_spelt(low)}-{_spelt(high)}" if low < high else _spelt(low), low=low, high=high)
        for low, high in zip(starts, [*ends, values[-1]], strict=True)
    ]
    return [*groups[:-1], Group(name=f"{_spelt(starts[-1])}+", low=starts[-1], high=math.inf)]


def _group_of(number: float, groups: Sequence[Group], name: str, *, whole: bool) -> Group:
    """Find the group of a number; where all groups end at whole numbers, 18.5 counts as 18."""
    found = math.floor(number) if whole else number
    group = next((group for group in groups if group.low <= found <= group.high), None)
    if group is None and number < 0 <= groups[0].low:
        raise InputError(f"The age of {name} is {_spelt(number)}, and ages are not negative: correct it or remove it.")
    if group is None:
        raise InputError(
            f"The age of {name} is {_spelt(number)}, which lies in none of the groups "
            f"{', '.join(group.name for group in groups)}: give --groups that hold it, or remove the file."
        )
    return group


def _age(text: str, name: str) -> float:
    number = _number(text)
    if number is None:
        raise InputError(
            f"The age of {name} is {shown(text)[:40]!r}, which is no number: correct it, or remove what has no age."
        )
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _spelt(number: float) -> str:
    return f"{number:g}"
