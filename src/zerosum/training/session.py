"""One sitting of a run: how fast it goes, how much memory it takes, and how it is asked to stop."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from zerosum.errors import DivergedError
from zerosum.game import Game
from zerosum.recipe import Phase
from zerosum.run.directory import Run


@dataclass
class Throughput:
    """Rate since the last log, and what is left at that rate."""

    since: float = field(default_factory=time.perf_counter)
    seen: int = 0
    round: int = 0
    seconds: float = 0.0
    """Time trained so far, over all sittings."""
    waited: float = 0.0
    waiting: float = 0.0
    """Share of the last lap that was spent waiting for data."""

    def lap(self, seen: int, round_: int, waited: float = 0.0) -> tuple[float, float]:
        """Return (samples per second, rounds per second) since the last lap; `waited` is in seconds since the start."""
        now = time.perf_counter()
        elapsed = max(now - self.since, 1e-9)
        rates = (seen - self.seen) / elapsed, (round_ - self.round) / elapsed
        self.since, self.seen, self.round, self.seconds = now, seen, round_, self.seconds + elapsed
        self.waiting, self.waited = min(1.0, (waited - self.waited) / elapsed), waited
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
def stop_signals(ask: Callable[[int], None]) -> Iterator[None]:
    """Have the first SIGINT, SIGTERM, SIGHUP or SIGUSR1 ask for a stop, and a second SIGINT or SIGTERM stop at once.

    SIGHUP, which a terminal that closes sends once or twice, is left alone where it is ignored, as under nohup.
    SIGUSR1 is what SLURM sends ahead of a job's end where it is asked to (--signal=USR1@120).

    Args:
        ask: called with the number of the signal, in the middle of anything.
    """
    before: dict[int, Any] = {}

    def handle(number: int, frame: object) -> None:
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        elif number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
        ask(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    for name in ("SIGHUP", "SIGUSR1"):  # which Windows does not have
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            numbers.append(number)
    try:
        for number in numbers:
            before[number] = signal.signal(number, handle)
    except ValueError:  # not in the main thread, where Python delivers no signals
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextmanager
def advising(run: Run) -> Iterator[None]:
    """Have the error of a game that diverges say what is left of it, and what to try."""
    try:
        yield
    except DivergedError as error:
        saved = run.checkpoints()
        last = f"the last good checkpoint is {saved[-1]}" if saved else "no checkpoint was written yet"
        raise DivergedError(
            f"{error}; {last}. Try a lower learning rate (--help lists the recipe's), --precision float32, "
            "--autopilot, or a recipe with a gradient penalty (--recipe wgan_gp)."
        ) from error


def peak_memory() -> int:
    """Return the largest resident set of this process so far, in bytes."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def phases_left(game: Game[Any]) -> Iterator[Phase]:
    """Begin the phases from the one that the clock stands in on, each when the one before it is over, and yield them.

    The last one takes all rounds that are left. Lengths follow from --rounds; where a resume changed that, a phase that
    is over may have had another length than it would have now.
    """
    phases, clock = list(game.recipe.phases()), game.clock
    for index in range(clock.phase, len(phases)):
        phase = phases[index]
        if index == len(phases) - 1:
            played = clock.phase_round if clock.phase == index else 0
            phase = replace(phase, rounds=game.rounds - clock.round + played)
        game.begin_phase(index, phase)
        yield phase
