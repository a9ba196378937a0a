"""The boundary to the terminal: text from outside is escaped, and output that cannot be written ends no work.

Whoever reads the progress may leave, close the terminal or fill the disk of the log. None of that is a reason to stop:
`BestEffortStream` drops what it cannot write. Results are not dropped: a command whose standard output cannot be
written has failed, unless its reader has left on purpose, as `head` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from zerosum.errors import StorageError
from zerosum.text import one_line, printable


class BestEffortStream:
    """A text stream that drops what cannot be written: without a stream everything, after an error all that follows."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._broken = stream is None

    @property
    def encoding(self) -> str:
        """Encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def fileno(self) -> int:
        """Return the descriptor of the stream.

        Raises:
            OSError: There is none.
        """
        if self._stream is None:
            raise OSError("no stream")
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        if not self._broken and self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._broken = True
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or drop it."""
        if not self._broken and self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._broken = True


def say(*lines: object) -> None:
    """Print a result on stdout, control characters escaped, and each line as one, whatever names stand in it.

    Raises:
        StorageError: It could not be written.
    """
    with _required():
        print("\n".join(one_line(str(line)) for line in lines))


def tell(text: object, *, lines: bool = False) -> None:
    """Print a sentence on stderr as one line, or with its `lines` kept; where that cannot be done it is dropped."""
    print((printable if lines else one_line)(str(text)), file=BestEffortStream(sys.stderr), flush=True)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make stdin, stdout and stderr safe to use in a process of ours, and drop what is left unwritten at the end.

    A descriptor that is closed (daemons, `2>&-`) is opened to nowhere, because the next file to be opened would take
    its number. Characters that the terminal's encoding lacks are written as escapes.

    Raises:
        StorageError: A result on stdout could not be written.
        BrokenPipeError: Its reader has left.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the life of the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
        with _required():
            sys.stdout.flush()
    finally:
        for stream in (sys.stdout, sys.stderr):
            _drop_unwritten(stream)


@contextmanager
def _required() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"The output could not be written: {error.strerror or error}.") from error


def _drop_unwritten(stream: TextIO) -> None:
    """Flush a stream; where that fails, send what is left nowhere, lest the interpreter fail on it at its end."""
    try:
        stream.flush()
    except (OSError, ValueError):
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            return
