"""One trial of a search: a run that ends early where it falls behind the others, or fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zerosum.doctor import Evidence, Finding, diagnose
from zerosum.doctor.facts import facts_of
from zerosum.errors import DivergedError, InputError
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run, require_free
from zerosum.runtime.progress import Progress, Status
from zerosum.training import launch


class EndedEarlyError(Exception):
    """A trial that is not worth its remaining rounds."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the training of a trial ended."""

    stopped_by: int | None = None
    """The signal that stopped it; None where it was not stopped."""

    ended: str | None = None
    """Why it ended before its last round, in a clause; None where it played all."""


class TrialProgress:
    """Progress of a trial within that of the search; it looks at each evaluation, and may end the trial.

    Args:
        shown: who is told.
        title: what the trial is called.
        key: name of the figure in the history.
        behind: told of a figure and its round; says whether the trial has fallen behind the others.
        findings: what is critical in the run so far.
    """

    def __init__(
        self,
        shown: Progress,
        title: str,
        key: str,
        behind: Callable[[float, int], bool],
        findings: Callable[[], list[Finding]],
    ) -> None:
        self._shown, self._title, self._key = shown, title, key
        self._behind, self._findings = behind, findings

    def update(self, status: Status) -> None:
        """Show where the trial stands; raise EndedEarlyError where it is not worth going on."""
        self._shown.update(replace(status, phase=self._title))
        value = status.values.get(self._key)
        if value is None or status.round >= status.rounds:
            return
        if failing := self._findings():
            raise EndedEarlyError(failing[0].title.lower())
        if self._behind(value, status.round):
            raise EndedEarlyError("behind the others")

    def note(self, text: str) -> None:
        """Leave out what every trial would say."""

    def close(self) -> None:
        """Leave the display to the next trial."""


def play(plan: RunConfig, place: Path, progress: TrialProgress) -> Outcome:
    """Train a trial's run, or go on with what was begun.

    Raises:
        InputError: the recipe cannot take the data or the settings, or something else lies at `place`.
        StorageError: the disk refuses.
    """
    begun = (place / "run.json").exists()
    if not begun:
        _require_free(place)
    try:
        if begun:
            run = launch.resume(place, recipe=plan.recipe_class, progress=progress)
        else:
            run = launch.start(plan, run=place, progress=progress)
    except DivergedError:
        return Outcome(ended="diverged")
    except EndedEarlyError as end:
        return Outcome(ended=str(end))
    return Outcome(stopped_by=run.stopped_by)


def _require_free(place: Path) -> None:
    try:
        require_free(place)
    except InputError:
        raise InputError(f"{place} is no run of this search, and stays: name another folder with --out.") from None


def critical(place: Path) -> list[Finding]:
    """Return what is critical in a run so far."""
    run = Run.open(place)
    found = diagnose(Evidence(history=run.history(), facts=facts_of(run.description)))
    return [finding for finding in found if finding.severity == "critical"]


def with_settings(plan: RunConfig, chosen: Mapping[str, Any]) -> RunConfig:
    """Return a plan with other settings."""
    return RunConfig.read(plan.data, plan.recipe_class, {**plan.asked, **chosen})
