"""Sentences on files that cannot be used: each reason once, and a way on where there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from zerosum.errors import InputError
from zerosum.text import command, counted, listed


def told(problems: Mapping[str, str]) -> str:
    """List the first few files that cannot be used, and why; a reason that differs in numbers alone is said once.

    >>> told({"a.png": "is 3x4: crop it", "b.png": "is 5x6: crop it", "c.png": "is empty"})
    'a.png is 3x4: crop it (likewise b.png); c.png is empty'
    """
    alike: dict[str, list[str]] = {}
    for name, why in problems.items():
        alike.setdefault(re.sub(r"\d+", "0", why), []).append(name)
    said = []
    for names in alike.values():
        likewise = f" (likewise {listed(names[1:], most=2)})" if len(names) > 1 else ""
        said.append(f"{names[0]} {problems[names[0]]}{likewise}")
    return listed(said, separator="; ")


def require_usable(
    problems: Mapping[str, str], count: int, *, unit: str, place: object, corrupt: str, headers: bool = False
) -> None:
    """Refuse files that cannot be used unless they are to be skipped; where no other is left, skipping is no way on.

    Args:
        problems: why a file cannot be used, by name.
        count: the files that there are.
        unit: what a file is called: "image".
        place: where they lie.
        corrupt: "refuse" or "skip".
        headers: whether nothing but their headers was read.

    Raises:
        InputError: there are some, or no other is left.
    """
    if problems and len(problems) == count:
        raise InputError(f"No {unit} in {place} can be used: {told(problems)}.")
    if not problems or corrupt != "refuse":
        return
    check, some = command("zerosum", "data", "check", place), f"{len(problems):,} of {counted(count, unit)} in {place}"
    if headers:
        raise InputError(
            f"{some} cannot be used: {told(problems)}; headers alone were read, and `{check}` reads all of every "
            "file; --corrupt skip leaves out what cannot be used."
        )
    raise InputError(
        f"{some} cannot be used: {told(problems)}; see all with `{check}`, or leave them out with --corrupt skip."
    )
