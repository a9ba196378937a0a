"""One budget of memory for everything that is decoded side by side."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGEST = 4 << 30
"""Bytes that a budget has at most, however large the memory is."""


class ByteBudget:
    """Bytes that may be in use at once: a request for more than is free waits until others give theirs back."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def share(self, size: int) -> Iterator[None]:
        """Hold `size` bytes, at most the whole budget, within the block."""
        size = min(size, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


def spendable() -> int:
    """Bytes that this process may still take: half of what the machine, the container and the limits leave it."""
    left = [2 * LARGEST, *_machine(), *_container(), *_limit()]
    return max(1 << 26, min(min(left) // 2, LARGEST))


def _machine() -> Iterator[int]:
    try:
        with open("/proc/meminfo") as file:
            yield from (1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    except (OSError, ValueError):
        return


def _container() -> Iterator[int]:
    try:
        with open("/sys/fs/cgroup/memory.max") as most, open("/sys/fs/cgroup/memory.current") as now:
            yield max(0, int(most.read()) - int(now.read()))
    except (OSError, ValueError):  # no such container, or "max"
        return


def _limit() -> Iterator[int]:
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            with open("/proc/self/statm") as file:
                yield max(0, most - int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError):
        return
