"""Runs on the Hugging Face Hub: pushing, pulling, and `hf:owner/name` in the place of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

PREFIX = "hf:"
"""What begins the name of a run on the Hub wherever a run is named."""

Place = TypeVar("Place")


def local(place: Place) -> Place | Path:
    """Return the folder of a run that is named as hf:owner/name or hf:owner/name@revision, pulled if need be.

    Whatever else is given is returned as it is.

    Raises:
        InputError: no such run there, it cannot be pulled, or what was pulled is damaged or no run.
    """
    if not isinstance(place, str | Path) or not str(place).startswith(PREFIX):
        return place
    from zerosum.hub.pull import cached  # which needs the extra

    return cached(str(place))
