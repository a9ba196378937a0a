"""A run that fails until a rescue changes it; as a program, one that kills itself at a place that is named.

python -m tests.cli.failing_run start|resume RUN [PLACE]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zerosum.doctor import Evidence, Finding, Remedy
from zerosum.errors import ZerosumError
from zerosum.run import checkpoint, fallback, rescues
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run
from zerosum.runtime import distributed
from zerosum.runtime.progress import Progress, Silent
from zerosum.training import launch, sitting
from zerosum.training.autopilot import Autopilot

SMALL = {"rounds": 60, "batch": 16, "generator_hidden": (16,), "discriminator_hidden": (16,), "device": "cpu"}
OFTEN = {"save_every": 10, "log_every": 5, "preview_every": 50}
FAST, SLOW = 1e-2, 1e-3

PLACES: dict[str, tuple[Any, str, bool, int]] = {
    "before the commit": (sitting, "commit", False, 1),
    "after the commit": (sitting, "commit", True, 1),
    "in the middle of setting aside": (rescues, "remove_folder", True, 1),
    "before the history is cut": (Run, "rewind", False, 1),
    "after the history is cut": (Run, "rewind", True, 1),
    "after all is set aside": (sitting, "settle", True, 1),
    "before the weights are restored": (checkpoint, "restore", False, 1),
    "before the first checkpoint of a rescue": (sitting, "build_game", True, 1),
    "in the second rescue": (sitting, "commit", True, 2),
}
"""Where to stop: of whom, which function, whether after it, and at which of its calls."""

FALLING = {
    "before the last commit": (sitting, "commit", False, 3),
    "after the last commit": (sitting, "commit", True, 3),
    "before the kept state is adopted": (fallback, "adopt", False, 1),
    "after the kept state is adopted": (fallback, "adopt", True, 1),
    "after all that is void is removed": (Run, "rewind", True, 3),
}
"""The same, in a run that falls back on an earlier state after two rescues."""


def finding(since: int, *remedies: dict[str, Any]) -> Finding:
    changes = tuple(Remedy(flags=str(each), why="it helps", settings=each) for each in remedies)
    return Finding(
        sign="too-fast", title="It is too fast", severity="critical", confidence="certain", since=since,
        measure="learning rate", value=1, threshold=0, meaning="", remedies=changes,
    )  # fmt: skip


def too_fast(evidence: Evidence) -> list[Finding]:
    """Find fault from round 30 on with a discriminator that is fast, and from round 50 on with one that is not slow.

    The first remedy is refused in the middle of a run, the second does not help enough, the third does.
    """
    rate = evidence.facts.config["discriminator_lr"]
    remedies = {"activation": "relu"}, {"discriminator_lr": 5e-3}, {"discriminator_lr": SLOW, "ema_decay": 0.9}
    fails = (rate == FAST and evidence.last_round >= 30) or (rate > SLOW and evidence.last_round >= 50)
    return [finding(15 if rate == FAST else 42, *remedies)] if fails else []


BY_REMEDIES = Autopilot(diagnose=too_fast, steps=("remedy", "rates"), early=0)


def start(run: Path, pilot: Autopilot = BY_REMEDIES, progress: Progress | None = None, **settings: Any) -> Run:
    """Train a small game of points that fails by `too_fast`."""
    asked = {**SMALL, **OFTEN, "discriminator_lr": FAST, "autopilot": True, **settings}
    return launch.start(RunConfig.read("ring8", "gan", asked), run=run, progress=progress or Silent(), pilot=pilot)


def resume(run: Path, pilot: Autopilot = BY_REMEDIES, **changes: Any) -> Run:
    """Go on with it."""
    return launch.resume(run, progress=Silent(), pilot=pilot, **changes)


@contextmanager
def stopping(place: str, stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at a place."""
    owner, name, after, call = (PLACES | FALLING)[place]
    real, calls = getattr(owner, name), 0

    def stopped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            stop()
        found = real(*arguments, **named)
        if calls == call and after:
            stop()
        return found

    setattr(owner, name, stopped)
    try:
        yield
    finally:
        setattr(owner, name, real)


def _main(verb: str, run: str, place: str | None = None) -> int:
    try:
        if place is None:
            {"start": start, "resume": resume}[verb](Path(run))
        else:
            with stopping(place, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                start(Path(run))
    except ZerosumError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        distributed.leave()
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
