"""Run contestants in turns and compare them pass by pass.

Machines are shared and their speed wanders, so no rate means anything alone: every contestant is a process of its own
(with its own memory allocator and thread pools), all stay loaded, one runs at a time, the order rotates from pass to
pass, and what is reported is the median over the passes of the ratio of two rates of the same pass.

A contestant is a program that prints one line of JSON when it is warm, then reads numbers from stdin, one a line: after
each it makes so many steps and prints {"seconds": ..., "work": ...} (work in images, or in operations).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


def serve(step: Callable[[], None], *, work: float, warm_up: int) -> None:
    """Be a contestant: `step` does `work`."""
    for _ in range(warm_up):
        step()
    answer({"ready": True})
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            step()
        answer({"seconds": time.perf_counter() - start, "work": count * work})


def answer(message: dict[str, Any]) -> None:
    """Print one line of JSON where the race reads it."""
    print(json.dumps(message), file=sys.__stdout__, flush=True)


@dataclass
class Contestant:
    """A process that runs when it is told to."""

    name: str
    command: Sequence[str]
    steps: int
    rates: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._read()

    def run(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.steps}\n")
        self.process.stdin.flush()
        result = self._read()
        self.rates.append(result["work"] / result["seconds"])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} ended early:\n{self.process.stderr.read() if self.process.stderr else ''}")


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


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table; the first is the header."""
    header, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([header, "|" + "---|" * len(rows[0]), *body])
