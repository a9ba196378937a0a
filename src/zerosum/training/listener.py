"""Who is told how a training goes: an error of theirs ends it only after the work is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zerosum.runtime.progress import Progress, Status


class Listener:
    """A progress object that may be anybody's: its first exception is kept, and it is told nothing more.

    Interrupts, and other exceptions that are no `Exception`, pass.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.error: Exception | None = None

    @classmethod
    def of(cls, progress: Progress) -> Listener:
        """Return a listener for a progress object; one that is a listener already is returned as it is."""
        return progress if isinstance(progress, Listener) else cls(progress)

    def update(self, status: Status) -> None:
        """Pass a status on."""
        self._tell(lambda: self._progress.update(status))

    def note(self, text: str) -> None:
        """Pass a line on."""
        self._tell(lambda: self._progress.note(text))

    def close(self) -> None:
        """Pass the end on, also to one that has failed: it may have a terminal to restore."""
        error, self.error = self.error, None
        self._tell(self._progress.close)
        self.error = error or self.error

    def require_heard(self, run: Path, round_: int) -> None:
        """Raise what was kept, with a note on where the work is saved.

        Args:
            run: the run.
            round_: after which it is saved.
        """
        if (error := self.error) is not None:
            self.error = None
            error.add_note(f"The training is saved at round {round_:,}: zerosum.resume({str(run)!r}) goes on with it.")
            raise error

    def _tell(self, say: Callable[[], None]) -> None:
        if self.error is None:
            try:
                say()
            except Exception as error:  # whatever the code of a user raises
                self.error = error
