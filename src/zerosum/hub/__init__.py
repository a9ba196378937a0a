"""Runs on the Hugging Face Hub: pushing, pulling, and `hf:owner/name` in the place of a run."""

from __future__ import annotations

from pathlib import Path

from zerosum.run.directory import Run
from zerosum.runtime.paths import named

PREFIX = "hf:"
"""What begins the name of a run on the Hub wherever a run is named."""


def local(place: str | Path | Run) -> str | Path:
    """Return the folder of a run that is named as hf:owner/name or hf:owner/name@revision, pulled if need be.

    Of a run it is the folder; any other place is returned as it is.

    Raises:
        InputError: no such run there, it cannot be pulled, or what was pulled is damaged or no run; or what is given
            is no place.
    """
    if isinstance(place, Run):
        return place.path
    if not named(place).startswith(PREFIX):
        return place
    from zerosum.hub.pull import cached  # which needs the extra

    return cached(str(place))
