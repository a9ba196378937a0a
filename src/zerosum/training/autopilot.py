"""The autopilot's decisions: whether a run fails, where it goes back to, and what is changed.

Every decision is a function of the history, the settings and the checkpoints that are there, none of the time, so that
a run that is killed and resumed decides the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from zerosum import doctor
from zerosum.config import flag, spelt
from zerosum.data.spec import Spec
from zerosum.doctor import Evidence, Facts, Finding, Remedy
from zerosum.doctor.measures import DISTANCE
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.history import History, Row
from zerosum.run.rescues import Rescue
from zerosum.runtime.distributed import World
from zerosum.training import escalation
from zerosum.training.escalation import Step

TIMED = re.compile(r"seconds|images_per_second|peak_.*|watch/data_wait")
"""Measurements that differ from one machine, or one sitting, to the next: no decision depends on them."""


LEFT_ALONE = frozenset(
    {"checkerboard", "data-starves-trainer", "duplicates-or-constant-channel", "ema-too-slow", "too-short-to-say"}
)
"""Signs whose warnings no change of the game mends, or that are no failure of it."""

PATIENCE = 0.1
"""Share of a run's rounds that a warning has to last before it is acted on."""

LOOKS = 3
"""Last looks at a run that are averaged, to say how far its samples are from real ones."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Rescues before the autopilot gives up."""

    per_finding: int = 3
    per_run: int = 6


@dataclass(frozen=True, kw_only=True)
class Autopilot:
    """Diagnoses a run and chooses its rescues."""

    diagnose: Callable[[Evidence], list[Finding]] = doctor.diagnose
    budget: Budget = Budget()
    steps: tuple[Step, ...] = get_args(Step)
    """Kinds of changes that it tries."""
    early: float = 0.5
    """Share of a run's rounds: one that fails since a round before begins again."""

    def failure(self, history: History, facts: Facts, *, warnings: bool = True) -> Finding | None:
        """Return what a run fails by: a critical finding, or else a warning that lasts; None where it is healthy.

        Args:
            history: of the run.
            facts: of the run.
            warnings: whether they count.
        """
        rows = [{key: value for key, value in row.items() if not TIMED.fullmatch(key)} for row in history]
        evidence = Evidence(history=History(rows), facts=facts)
        found = self.diagnose(evidence)
        critical = next((finding for finding in found if finding.severity == "critical"), None)
        return critical or next((finding for finding in found if warnings and _lasts(finding, evidence)), None)

    def target(
        self, finding: Finding, history: History, facts: Facts, rounds: Sequence[int], before: Sequence[Rescue] = ()
    ) -> int:
        """Return the round to go back to: of the last healthy checkpoint of `rounds`; 0: the start.

        It is the start for a run that fails early, which loses little by it, and for one that fails again before a
        rescue has lasted for half of the run: what seemed healthy where that began was the beginning of the failure.
        """
        at, planned = int(history[-1]["round"]) if len(history) else 0, facts.rounds or 0
        lasted = (at - rescue.to >= max(2 * (rescue.round - rescue.to), planned / 2) for rescue in before)
        if finding.since < self.early * planned or not all(lasted):
            return 0
        return self.last_healthy(finding, history, facts, rounds)

    def last_healthy(self, finding: Finding, history: History, facts: Facts, rounds: Sequence[int]) -> int:
        """Return the newest of the checkpoints of `rounds` from before the finding that was healthy; 0: none."""
        before = (round_ for round_ in reversed(rounds) if round_ < finding.since)
        return next((r for r in before if self.failure(History(history.until(r)), facts) is None), 0)

    def rescue(
        self,
        finding: Finding,
        facts: Facts,
        *,
        at: int,
        to: int,
        plan: RunConfig,
        spec: Spec,
        before: Sequence[Rescue],
        world: World,
    ) -> Rescue | None:
        """Return the next rescue from a finding, or None where no try is left.

        Args:
            finding: critical, or a warning that lasts.
            facts: of the run.
            at: rounds played.
            to: where to go back to, as `target` says.
            plan: the run as it is now.
            spec: of its data.
            before: the rescues so far.
            world: the processes that share each batch.
        """  # fmt: skip
        attempt = 1 + sum(rescue.sign == finding.sign for rescue in before)
        if len(before) >= self.budget.per_run or attempt > self.budget.per_finding:
            return None
        skipped: list[str] = []
        for change in escalation.changes(
            finding, facts, plan, spec.kind, before=before, tries=self.budget.per_finding, from_start=to == 0
        ):
            if change.step not in self.steps or not change.settings:
                continue
            try:
                changed, restructured = escalation.admitted(change.settings, plan, spec, world, to)
            except InputError as refused:
                skipped.append(f"{escalation.typed(change.settings)}: {refused}")
                continue
            return Rescue(
                round=at, sign=finding.sign, finding=said(finding), to=to, attempt=attempt, changes=changed,
                step=change.step, remedy=change.place, restructured=restructured, skipped=tuple(skipped),
            )  # fmt: skip
        return None


def distance(rows: Sequence[Row]) -> float | None:
    """Return how far the samples of a run are from real ones by the last looks of a history; None where none was."""
    values = History(rows).series(DISTANCE)[1][-LOOKS:]
    return sum(values) / len(values) if values else None


def _lasts(finding: Finding, evidence: Evidence) -> bool:
    planned = evidence.facts.rounds or evidence.last_round
    since = evidence.last_round - finding.since
    return finding.severity == "warning" and finding.sign not in LEFT_ALONE and since >= PATIENCE * planned


def said(finding: Finding) -> str:
    """Say a finding in one sentence, without its advice, because the change that follows it may be another."""
    return replace(finding, remedies=()).sentence()


def diverged(plan: RunConfig, round_: int, sentence: str) -> Finding:
    """Return the finding of a game whose loss or weights are not finite."""
    tenth = escalation.scaled(plan, 0.1)
    why = "smaller steps keep the weights within the range of their arithmetic"
    exact = {**tenth, "precision": "float32"} if plan.training.precision != "float32" else tenth
    return Finding(
        sign="not-finite",
        title=f"A loss or a weight is not finite ({sentence})",
        severity="critical",
        confidence="certain",
        since=round_,
        measure="values that are not finite",
        value=1,
        threshold=0,
        meaning="Nothing that is computed from it is finite either.",
        remedies=tuple(
            Remedy(flags=escalation.typed(settings), why=why, settings=settings) for settings in (tenth, exact)
        ),
        source="Goodfellow et al. 2016, section 8.2.4 (https://www.deeplearningbook.org)",
    )


def sentence_of(rescue: Rescue, budget: Budget) -> str:
    """Say in one line what a rescue does."""
    if rescue.resigned:
        return f"No rescue is left, and the run goes on as it is: {rescue.finding}"
    changed = ", ".join(
        f"{flag(name)} {spelt(now)} (was {spelt(before)})" for name, (before, now) in rescue.changes.items()
    )
    place = f"round {rescue.to:,}" if rescue.to else "the start"
    return f"Rescue (try {rescue.attempt} of {budget.per_finding}): {rescue.finding} Back to {place} with {changed}."
