"""Checkpoints written while the training goes on: the state is taken at once, and forced to disk by a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from zerosum.game import Game
from zerosum.run import checkpoint
from zerosum.run.copies import Copies
from zerosum.run.directory import Run
from zerosum.run.pruning import prune


class Saver:
    """Writes the checkpoints of a run, one at a time and in order; as a context, it ends when all are written.

    What goes wrong with one is raised by the next call, or at the end.

    Args:
        run: to write to.
        keep: newest checkpoints to keep.
        elders: whether two older ones are kept.
        copies: where each is copied to once it is written.
    """

    def __init__(self, run: Run, *, keep: int, elders: bool = False, copies: Copies | None = None) -> None:
        self._run, self._keep, self._elders, self._copies = run, keep, elders, copies
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saver")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.wait()
        finally:
            self._pool.shutdown()

    def save(self, game: Game[Any]) -> None:
        """Take the present round's state, and begin to write its checkpoint.

        Raises:
            DivergedError: a weight is not finite; nothing is written.
            StorageError: the disk has refused the checkpoint before.
        """
        self._begin(checkpoint.prepared(self._run, self._run.checkpoint(game.clock.round), game))

    def save_best(self, game: Game[Any]) -> None:
        """The same, in the place of the best checkpoint before.

        Raises:
            DivergedError: a weight is not finite; nothing is written.
            StorageError: the disk has refused the checkpoint before.
        """
        self._begin(checkpoint.prepared(self._run, self._run.best, game))

    def wait(self) -> None:
        """Wait until all that was begun is written.

        Raises:
            StorageError: the disk refuses.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _begin(self, write: Callable[[], None] | None) -> None:
        self.wait()
        if write is not None:
            self._pending = self._pool.submit(self._finish, write)

    def _finish(self, write: Callable[[], None]) -> None:
        write()
        prune(self._run, keep=self._keep, elders=self._elders)
        if self._copies is not None:
            self._copies.update()
