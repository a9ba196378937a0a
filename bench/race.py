"""Run contestants in turns and compare them pass by pass.

Machines are shared and their speed wanders, so no rate means anything alone: every contestant is a process of its own
(with its own memory allocator and thread pools), all stay loaded, one runs at a time, the order rotates from pass to
pass, and what is reported is the median over the passes of the ratio of two rates of the same pass.

A contestant is a program that prints one line of JSON when it is warm, then reads numbers from stdin, one a line: after
each it makes so many steps and prints {"wall": ..., "cpu": ..., "work": ...}: seconds by the wall's clock, seconds of
processor time, and images or operations. Where others load the machine, only processor time with one thread
(OMP_NUM_THREADS=1 and --clock cpu) says something; on a machine at rest the wall's clock does.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.results import table as table

MEASURED = {
    "wall": "Sides take turns in processes of their own, timed by the wall's clock; medians over the passes.",
    "cpu": "Sides take turns in processes of their own, one thread each, timed by processor time as others use the "
    "machine; medians over the passes.",
}


def serve(step: Callable[[], object], *, work: float, warm_up: int) -> None:
    """Be a contestant: `step` does `work`."""
    for _ in range(warm_up):
        step()
    answer({"ready": True})
    for line in sys.stdin:
        count = int(line)
        watch = Watch()
        for _ in range(count):
            step()
        answer(watch.read() | {"work": count * work})


class Watch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {"wall": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}


def answer(message: dict[str, Any]) -> None:
    """Print one line of JSON where the race reads it."""
    print(json.dumps(message), file=sys.__stdout__, flush=True)


@dataclass
class Contestant:
    """A process that runs when it is told to."""

    name: str
    command: Sequence[str]
    steps: int
    clock: str = "wall"
    rates: list[float] = field(default_factory=list)

    def start(self) -> None:
        # a pipe that nobody reads would stop the process when full
        self.complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 (lives as long as the process)
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints, text=True
        )
        self._read()

    def run(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.steps}\n")
        self.process.stdin.flush()
        result = self._read()
        self.rates.append(result["work"] / result[self.clock])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.complaints.seek(0)
        raise RuntimeError(f"{self.name} ended early:\n{self.complaints.read()}")


def race(contestants: Sequence[Contestant], passes: int) -> None:
    """Let every contestant run once a pass, in an order that rotates; rates collect in each one's `rates`."""
    try:
        for contestant in contestants:
            print(f"starting {contestant.name}", file=sys.stderr, flush=True)
            contestant.start()
        for number in range(passes):
            shift = number % len(contestants)
            for contestant in (*contestants[shift:], *contestants[:shift]):
                contestant.run()
            print(f"pass {number + 1} of {passes}", file=sys.stderr, flush=True)
    finally:
        for contestant in contestants:
            if hasattr(contestant, "process"):
                contestant.stop()


def ratios(one: Contestant, other: Contestant) -> list[float]:
    """Return one's rate over the other's, pass by pass."""
    return [a / b for a, b in zip(one.rates, other.rates, strict=True)]


def ratio(one: Contestant, other: Contestant) -> float:
    """Return the median over the passes of one's rate over the other's."""
    return statistics.median(ratios(one, other))
