"""Findings said while a run is trained: each once, and again when it becomes worse or comes back after long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.finding import Finding
from zerosum.doctor.measures import DATA_WAIT, PREFIX
from zerosum.doctor.signs import ORDER, diagnose
from zerosum.run.directory import Run

SHARE, FREE_SECONDS = 0.01, 0.1
"""Share of the time that diagnoses may take, and seconds beside it: a look is passed over where they took more."""

AWAY = 0.2
"""Share of the run's rounds that a finding has to be gone for before it is said once more."""


class LiveFindings:
    """Diagnoses a run from its history whenever a row with a look is logged; a logger of the trainer.

    Args:
        run: whose history is written before this gets a row.
        after: round that the sitting begins after.
        facts: on the run.
        say: is called with one line a finding.
        now: a clock in seconds.
    """

    def __init__(
        self,
        run: Run,
        *,
        after: int,
        facts: Facts,
        say: Callable[[str], None],
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._run, self._facts, self._say, self._now = run, facts, say, now
        self._began, self._spent = now(), 0.0
        self._failed = False
        self._diagnosed = after
        self._said: dict[str, tuple[int, int]] = {}
        """By sign: the place in the order of severities that was said, and the round it was found at last."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Diagnose the history if the row holds a look and diagnoses have not taken their share of the time yet."""
        if self._failed or not any(key.startswith(PREFIX) and key != DATA_WAIT for key in row):
            return
        began = self._now()
        if self._spent > SHARE * (began - self._began) + FREE_SECONDS:
            return
        try:
            found = diagnose(Evidence(history=self._run.history(), facts=self._facts))
        except Exception as error:  # a fault in reading a history must not end hours of training
            self._failed = True
            self._say(f"The doctor failed ({error!r}); the run goes on without it. Please report this.")
            return
        for finding in found:
            if self._is_news(finding, row["round"]):
                self._say(finding.sentence())
        self._diagnosed = row["round"]
        self._spent += self._now() - began

    def close(self) -> None:
        """Do nothing: what was found was said."""

    def _is_news(self, finding: Finding, round_: int) -> bool:
        severity = ORDER[finding.severity]
        if severity >= ORDER["note"]:
            return False
        before, last = self._said.get(finding.sign, (ORDER["note"], round_))
        gone = last < self._diagnosed and round_ - last > AWAY * (self._facts.rounds or round_)
        self._said[finding.sign] = (severity if gone else min(before, severity), round_)
        return severity < before or gone
