"""Text from outside reaches a terminal escaped, and output that fails ends no work."""

from __future__ import annotations

import errno
import io
from typing import Any

import pytest

from zerosum.runtime.progress import Live, Plain
from zerosum.runtime.terminal import BestEffortStream
from zerosum.text import listed, one_line, printable


class Full(io.StringIO):
    """A stream whose disk is full, or whose reader or terminal has left."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.tries = error, 0

    def write(self, text: str) -> int:
        self.tries += 1
        raise self.error


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "full"), BrokenPipeError(), OSError(errno.EIO, "gone"), ValueError("I/O on closed file")],
)
@pytest.mark.parametrize("display", [Plain, Live])
def test_progress_that_cannot_be_written_is_dropped_and_tried_once(display: Any, error: Exception) -> None:
    stream = Full(error)
    shown = display(stream)
    shown.note("one")
    shown.note("two")
    shown.close()
    assert stream.tries == 1


def test_without_a_stream_everything_is_dropped() -> None:
    stream = BestEffortStream(None)
    print("nowhere", file=stream, flush=True)  # type: ignore[call-overload]
    assert not stream.isatty()


@pytest.mark.parametrize("code", [0, 7, 8, 13, 27, 127, 0x9B, 0x2028, 0x202E, 0x2066, 0xDCE9])
def test_what_controls_a_terminal_is_escaped(code: int) -> None:
    assert printable(f"a{chr(code)}b").isprintable()


def test_names_in_any_script_stay_as_they_are() -> None:
    for name in ("größe.png", "写真.png", "صورة.png", "👩‍🚀.png", "a\tb"):
        assert one_line(name) == name


def test_a_name_makes_no_line_of_its_own() -> None:
    assert "\n" not in listed(["new\nDone: all is well.png", "b.png"])
    stream = io.StringIO()
    Plain(stream).note("new\nDone\x1b[2J")
    assert stream.getvalue() == "new\\nDone\\x1b[2J\n"
