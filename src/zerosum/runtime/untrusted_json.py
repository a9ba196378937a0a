"""JSON of files that anyone may have written."""

from __future__ import annotations

import json
from typing import Any


def parse(text: str) -> Any:
    """Decode JSON; whatever cannot be decoded is a ValueError, nesting that is too deep included.

    >>> parse("[1, 2]")
    [1, 2]
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
