"""Who is told of a work: what the caller of the Python interface gives, or a display of our own."""

from __future__ import annotations

from zerosum.errors import InputError
from zerosum.runtime.progress import Progress, Silent, make_progress


def display(given: Progress | None, *, silent: bool = False) -> Progress:
    """Return what is given; where that is None, the display that suits stderr, or one that shows nothing if `silent`.

    Raises:
        InputError: what is given cannot be told.
    """
    if given is None:
        return Silent() if silent else make_progress()
    if not all(callable(getattr(given, method, None)) for method in ("update", "note", "close")):
        raise InputError(
            f"progress is {given!r:.80}: give an object with update(status), note(text) and close(), such as "
            "zerosum.runtime.progress.Silent(), or leave it out for a display."
        )
    return given
