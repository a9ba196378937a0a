"""An ordered thread-pool map over all cores in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ProgressCallback = Callable[[str, int, int], None]  # called with a stage, what is done, and what there is to do
Item = TypeVar("Item")
Result = TypeVar("Result")


def on_all_cores(work: Callable[[Item], Result], items: Iterable[Item], *, window: int) -> Iterator[Result]:
    """Yield `work(item)` for every item, in order.

    Threads suffice: Pillow lets go of the interpreter lock while it decodes and scales.

    Args:
        work: What to do; must be safe to call from several threads.
        items: What to do it to; read no further ahead than the window.
        window: Results that may be under way or waiting at once, the bound on memory.

    >>> list(on_all_cores(abs, [-1, 2, -3], window=2))
    [1, 2, 3]
    """
    pool = ThreadPoolExecutor(max_workers=cores(), thread_name_prefix="zerosum-decode")
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= window:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
