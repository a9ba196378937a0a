"""Batching of requests without a timer: those that arrive while the model is busy go through it together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Run = Callable[[list[Any]], list[Any]]
"""Computes a result for each of several items, in order."""


@dataclass(eq=False)
class Waiting:
    """A request that waits for the model."""

    key: Hashable
    run: Run
    items: Sequence[Any]
    done: asyncio.Future[list[Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """One thread that runs models, and the requests that wait for it.

    An idle server adds no latency: whatever waits when the thread is free goes at once, up to `most_at_once` items.

    Args:
        most_at_once: items that go through a model together.
        observe: called with the size of each batch.
    """

    def __init__(self, most_at_once: int, observe: Callable[[int], None] = lambda size: None) -> None:
        self.most_at_once = most_at_once
        self._observe = observe
        self._waiting: list[Waiting] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zerosum-model")
        self._working: asyncio.Task[None] | None = None

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    async def submit(self, key: Hashable, run: Run, items: Sequence[Any]) -> list[Any]:
        """Return the results of items, computed together with those of other requests of the same key.

        Raises:
            Exception: what `run` raises.
        """
        mine = Waiting(key, run, items)
        self._waiting.append(mine)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await mine.done

    def close(self) -> None:
        """End the thread once it is idle."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next():
                items = [item for one in batch for item in one.items]
                self._observe(len(items))
                try:
                    results = await loop.run_in_executor(self._thread, batch[0].run, items)
                except Exception as error:
                    for one in batch:
                        if not one.done.done():
                            one.done.set_exception(error)
                    continue
                for one in batch:
                    mine, results = results[: len(one.items)], results[len(one.items) :]
                    if not one.done.done():
                        one.done.set_result(mine)
        finally:
            self._working = None

    def _next(self) -> list[Waiting]:
        """Take the first request that waits, and those of its key that fit beside it."""
        self._waiting = [one for one in self._waiting if not one.done.done()]  # whose client has not given up
        batch: list[Waiting] = []
        size = 0
        for one in self._waiting:
            if not batch or (one.key == batch[0].key and size + len(one.items) <= self.most_at_once):
                batch.append(one)
                size += len(one.items)
        self._waiting = [one for one in self._waiting if one not in batch]
        return batch
