"""The order in which samples are drawn."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np

from zerosum.data.batch import Batch
from zerosum.data.dataset import Drawable
from zerosum.data.jitter import ORDER, Draw, Jitter, generator
from zerosum.errors import InputError

TOGETHER = 32
"""Blocks whose samples are shuffled together, where neighbours stay near each other."""


class Source(Protocol):
    """Where real samples come from: an endless walk whose order depends on its position alone."""

    position: int

    def draw(self, batch: int) -> Batch:
        """Return this process's share of the next `batch` samples."""
        ...

    def close(self) -> None:
        """Let go of what was held to draw from."""
        ...


class Stream:
    """This process's share of an endless shuffled walk over a data set.

    The order is a function of (seed, position) alone, whatever the batch sizes and the number of processes: each epoch
    is a permutation of its own, and a batch may straddle epochs. Sets that are shuffled apart (two domains) are each
    walked through at their own length; what `jitter` leaves to chance goes by the position too. With a `block` of more
    than 1, neighbours stay near each other: blocks of so many are shuffled, and then the samples of 32 blocks at a
    time, so that a disk reads in its order. One background thread gathers the next batch of the same size, so that a
    slow disk does not make the trainer wait; what was gathered but not handed out does not count. Without `prefetch`
    each batch is gathered when it is drawn: cheaper where gathering takes less time than handing over to a thread.
    """

    position: int
    """Samples drawn so far over all processes."""

    def __init__(
        self,
        dataset: Drawable,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        position: int = 0,
        jitter: Jitter = Jitter(),
        prefetch: bool = True,
        block: int = 1,
    ) -> None:
        self.dataset, self.seed, self.rank, self.world, self.position = dataset, seed, rank, world, position
        self.jitter, self._prefetch = jitter.checked(), prefetch
        self._walks = [_Walk(length, seed, number, block) for number, length in enumerate(dataset.lengths)]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zerosum-stream")
        self._ahead: tuple[tuple[int, int], Future[Batch]] | None = None

    def draw(self, batch: int) -> Batch:
        """Return this process's rows of the next `batch` samples, on the CPU, and advance by `batch`.

        Args:
            batch: Samples over all processes; this one gets rows [rank * batch / world, (rank + 1) * batch / world).

        Raises:
            InputError: `batch` is not a positive multiple of the number of processes.
        """
        if batch < 1 or batch % self.world:
            raise InputError(
                f"A batch of {batch} cannot be shared by {self.world} processes: give a multiple of {self.world}."
            )
        wanted = (self.position, batch)
        if self._prefetch:
            ahead = self._ahead[1] if self._ahead is not None and self._ahead[0] == wanted else self._submit(*wanted)
            drawn = ahead.result()
        else:
            drawn = self._gather(*wanted)
        self.position += batch
        if self._prefetch:
            self._ahead = ((self.position, batch), self._submit(self.position, batch))
        return drawn

    def close(self) -> None:
        """Stop the background thread. The stream cannot be drawn from afterwards."""
        self._thread.shutdown(cancel_futures=True)

    def _submit(self, position: int, batch: int) -> Future[Batch]:
        return self._thread.submit(self._gather, position, batch)

    def _gather(self, position: int, batch: int) -> Batch:
        """Gather this process's share of the `batch` samples at `position`; always runs on the same thread."""
        share = batch // self.world
        start = position + self.rank * share
        rows = [walk.rows(start, start + share) for walk in self._walks]
        return self.dataset.batch(*rows, draw=Draw(seed=self.seed, position=start, jitter=self.jitter))


class _Walk:
    """An endless shuffled walk over one set of samples."""

    def __init__(self, length: int, seed: int, number: int, block: int = 1) -> None:
        self._length, self._seed, self._number, self._block = length, seed, number, block
        self._epoch = -1
        self._order = np.empty(0, dtype=np.int64)
        self._starts = np.empty(0, dtype=np.int64)
        self._stretch: tuple[int, int, np.ndarray] = (-1, -1, self._order)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows of the set at positions [start, stop) of the walk: (stop - start,) int64."""
        pieces = []
        while start < stop:
            epoch, offset = divmod(start, self._length)
            if self._block == 1:
                piece = self._permutation(epoch)[offset : offset + stop - start]
            else:
                piece = self._near(epoch, offset)[: stop - start]
            pieces.append(piece)
            start += len(piece)
        return np.concatenate(pieces)

    def _permutation(self, epoch: int) -> np.ndarray:
        """Return the order of an epoch: of samples or, where they stay near each other, of blocks."""
        if epoch != self._epoch:
            count = -(-self._length // self._block)
            self._order = generator(self._seed, epoch, ORDER, self._number).permutation(count)
            self._epoch = epoch
            if self._block > 1:
                sizes = np.minimum(self._block, self._length - self._order * self._block)
                self._starts = np.concatenate([[0], np.cumsum(sizes)])[::TOGETHER]
        return self._order

    def _near(self, epoch: int, offset: int) -> np.ndarray:
        """Return the rows at `offset` of an epoch, and those after it of the same blocks."""
        order = self._permutation(epoch)
        number = int(np.searchsorted(self._starts, offset, side="right")) - 1
        if self._stretch[:2] != (epoch, number):
            blocks = order[number * TOGETHER : (number + 1) * TOGETHER]
            rows = (blocks[:, None] * self._block + np.arange(self._block)).ravel()
            rows = rows[rows < self._length]
            generator(self._seed, epoch, ORDER, self._number + 2 * (number + 1)).shuffle(rows)
            self._stretch = (epoch, number, rows)
        return self._stretch[2][offset - int(self._starts[number]) :]
