"""One sitting of a run: how fast it goes, how much memory it takes, and how it is asked to stop."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Throughput:
    """Rate since the last log, and what is left at that rate."""

    since: float = field(default_factory=time.perf_counter)
    seen: int = 0
    round: int = 0
    seconds: float = 0.0
    """Time trained so far, over all sittings."""

    def lap(self, seen: int, round_: int) -> tuple[float, float]:
        """Return (samples per second, rounds per second) since the last lap."""
        now = time.perf_counter()
        elapsed = max(now - self.since, 1e-9)
        rates = (seen - self.seen) / elapsed, (round_ - self.round) / elapsed
        self.since, self.seen, self.round, self.seconds = now, seen, round_, self.seconds + elapsed
        return rates

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what is done meanwhile (saving, previewing) out of the rate."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.since += time.perf_counter() - began


@contextmanager
def stop_signals(ask: Callable[[], None]) -> Iterator[None]:
    """Have the first SIGINT or SIGTERM ask for a stop, and the second one stop at once."""
    before: dict[int, Any] = {}

    def handle(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        ask()

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, handle)
    except ValueError:  # not in the main thread, where Python delivers no signals
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def peak_memory() -> int:
    """Return the largest resident set of this process so far, in bytes."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
