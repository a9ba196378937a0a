"""A sitting of a run: the game is played and, with the autopilot, where it fails played again with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zerosum.data.dataset import Dataset
from zerosum.doctor import Finding
from zerosum.doctor.facts import facts_of
from zerosum.errors import DivergedError, UnhealthyError
from zerosum.game import Game
from zerosum.run import checkpoint, fallback
from zerosum.run.config import RunConfig
from zerosum.run.copies import Copies
from zerosum.run.directory import Run
from zerosum.run.metadata import outlook
from zerosum.run.pruning import prune
from zerosum.run.rescues import Rescue, commit, rescues_of, settle
from zerosum.runtime.atomic_files import remove_folder
from zerosum.runtime.progress import Progress
from zerosum.text import command
from zerosum.training.autopilot import Autopilot, distance, diverged, said, sentence_of
from zerosum.training.build import build_game
from zerosum.training.escalation import restructures, with_changes
from zerosum.training.evaluator import Evaluator
from zerosum.training.preview import Previews
from zerosum.training.trainer import Trainer
from zerosum.training.watching import loggers_with_findings, watch_of

CLEARLY, LEAST = 1.1, 0.02
"""Ratio and difference of distances from real samples by which one state counts as worse than another."""


class _FailingError(Exception):
    """A critical finding stands. Every process of the run raises it in the same place."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


@dataclass
class Sitting:
    """What is played now; a rescue replaces the game and the plan."""

    game: Game[Any]
    run: Run
    plan: RunConfig
    dataset: Dataset
    progress: Progress
    judge: Evaluator | None
    shown: Previews
    pilot: Autopilot = field(default_factory=Autopilot)
    given_up: str | None = None
    """Why the run ends before its last round, once no try is left."""

    def play(self) -> int | None:
        """Play the rounds that are left, with what rescues are needed; return the number of a signal that stopped it.

        Raises:
            DivergedError: a loss or a weight is not finite, and the autopilot is off.
            StorageError: the disk refuses.
        """
        while True:
            trainer = self._trainer()
            if not self.plan.training.autopilot:
                return trainer.train()
            try:
                stopped_by = trainer.train()
                if stopped_by is None:
                    self._require_better()
                return stopped_by
            except _FailingError as failing:
                finding, finite = failing.finding, True
            except DivergedError as error:
                finding, finite = self._divergence(str(error.__cause__ or error)), False
            self._rescue(finding, finite=finite)
            stopped = [number for number in self.game.world.gather(trainer.stopped_by) if isinstance(number, int)]
            if self.given_up is not None or stopped:
                return stopped[0] if stopped and self.given_up is None else None

    def _trainer(self) -> Trainer:
        preview, measured, _ = self.shown
        return Trainer(
            self.game, self.run, self.plan.training, preview, self.progress, measured=measured, judge=self.judge,
            watch=watch_of(self.game, self.plan, self.dataset), loggers=loggers_with_findings(self.run, self.progress),
            require_health=self._require_health if self.plan.training.autopilot else None, copies=self.copies,
        )  # fmt: skip

    @cached_property
    def copies(self) -> Copies | None:
        """Where the run is copied to, in the first process, if it is."""
        place = self.plan.training.copy_to
        return Copies(self.run, place, self.progress.note) if place and self.game.world.is_first else None

    def _require_health(self) -> None:
        found = self._failure() if self.game.world.is_first else None
        finding = self.game.world.gather(found)[0]
        if isinstance(finding, Finding):
            raise _FailingError(finding)

    def _failure(self) -> Finding | None:
        resigned = any(rescue.resigned for rescue in rescues_of(self.run))
        return self.pilot.failure(self.run.history(), facts_of(self.run.description), warnings=not resigned)

    def _divergence(self, sentence: str) -> Finding:
        """Return what a game that is not finite fails by: a finding that stood before, or that alone."""
        standing = self._failure() if self.game.world.is_first else None
        return standing or diverged(self.plan, self.game.clock.round + 1, sentence)

    def _rescue(self, finding: Finding, *, finite: bool) -> None:
        """Go back and change settings, or give up: every process does what the first decides."""
        if finite:
            self._keep_best(finding)
        self._carry_out(self._decide(finding) if self.game.world.is_first else None, finite=finite)

    def _carry_out(self, decided: Rescue | None, *, finite: bool = True) -> None:
        world = self.game.world
        rescue = world.gather(decided)[0]
        if not isinstance(rescue, Rescue):
            return
        self.plan = with_changes(self.plan, {name: now for name, (_, now) in rescue.changes.items()})
        if world.is_first:
            settings = {"config": self.plan.config.to_json(), "training": self.plan.training.to_json()}
            commit(self.run, rescue, settings)
        world.wait()
        stays = (rescue.gave_up or rescue.resigned) and rescue.to == self.game.clock.round
        if stays and finite and not rescue.fell_back:
            checkpoint.save(self.run, self.game, keep=self.plan.training.keep, elders=True)
        if world.is_first:
            settle(self.run)
            if not rescue.gave_up:
                self.progress.note(sentence_of(rescue, self.pilot.budget))
        world.wait()
        if rescue.gave_up:
            self.given_up = why_given_up(self.run, rescue)
        elif not rescue.resigned:
            self._go_back(rescue.to)

    def _keep_best(self, finding: Finding) -> None:
        """Keep the failing state to fall back on, where its samples are nearer to real ones than what is kept."""
        rows, world = self.run.history().rows if self.game.world.is_first else [], self.game.world
        now = distance(rows)
        kept = fallback.kept(self.run) if world.is_first else None
        if world.any(now is not None and (kept is None or now < kept["distance"])):
            about = {"distance": now, "sign": finding.sign, "finding": said(finding), "settings": self._settings()}
            fallback.keep(self.run, self.game, about, rows)

    def _require_better(self) -> None:
        """Compare a run that came to its end with the failing states before; the nearest to real samples is kept."""
        rescue = None
        if self.game.world.is_first and (kept := fallback.kept(self.run)) is not None:
            now = distance(self.run.history().rows)
            if now is not None and _is_worse(now, kept):
                rescue = self._end_at(kept)
            else:
                remove_folder(self.run.fallback)
        self._carry_out(rescue)

    def _settings(self) -> dict[str, Any]:
        return self.plan.config.to_json() | self.plan.training.to_json()

    def _end_at(self, kept: dict[str, Any]) -> Rescue:
        """Return the end of all tries at the state that was kept to fall back on."""
        old, new = self._settings(), kept["settings"]
        changes = {name: (old[name], new[name]) for name in old if old[name] != new[name]}
        restructured = restructures(self.plan, with_changes(self.plan, new), self.dataset.spec)
        sign, at = kept["sign"], self.game.clock.round
        attempt = 1 + sum(each.sign == sign for each in rescues_of(self.run))
        return Rescue(
            round=at, sign=sign, finding=kept["finding"], to=kept["round"], attempt=attempt, changes=changes,
            restructured=restructured, gave_up=True, fell_back=True,
        )  # fmt: skip

    def _go_back(self, round_: int) -> None:
        old = self.game
        old.source.close()
        self.game = build_game(self.plan, self.dataset, old.device, old.world)
        if self.game.world.is_first:
            self.run.describe(self.run.description | outlook(self.game))
        if round_:
            checkpoint.restore(self.run.checkpoint(round_), self.game, run=self.run)

    def _decide(self, finding: Finding) -> Rescue:
        history, before = self.run.history(), rescues_of(self.run)
        facts = facts_of(self.run.description)
        at, rounds = self.game.clock.round, [int(path.name) for path in self.run.checkpoints()]
        to = self.pilot.target(finding, history, facts, rounds, before)
        rescue = self.pilot.rescue(
            finding, facts, at=at, to=to, plan=self.plan, spec=self.dataset.spec, before=before, world=self.game.world
        )
        if rescue is not None:
            return rescue
        attempt = 1 + sum(each.sign == finding.sign for each in before)
        if finding.severity == "warning":
            return Rescue(round=at, sign=finding.sign, finding=said(finding), to=at, attempt=attempt, resigned=True)
        to = self.pilot.last_healthy(finding, history, facts, rounds)
        kept, now = fallback.kept(self.run), distance(history.until(to)) if to else None
        if kept is not None and (now is None or _is_worse(now, kept)):
            return self._end_at(kept)
        last = to or (rounds[-1] if rounds else at)
        return Rescue(
            round=at, sign=finding.sign, finding=said(finding), to=last, attempt=attempt, gave_up=True
        )  # fmt: skip


def _is_worse(now: float, kept: Mapping[str, Any]) -> bool:
    return now > max(CLEARLY * kept["distance"], kept["distance"] + LEAST)


def why_given_up(run: Run, rescue: Rescue) -> str:
    """Say how a run ends that no rescue helped, and what to type next."""
    tries = sum(not each.gave_up for each in rescues_of(run))
    tried = f"{tries} rescue{'s' * (tries != 1)}" if tries else "no rescue that this recipe takes"
    place = (
        f"It ends at round {rescue.to:,} ({run.checkpoint(rescue.to)})" if run.checkpoints() else "It has no checkpoint"
    )
    place += ", where its samples were nearest to real ones" * rescue.fell_back
    further = command("zerosum", "train", "--resume", run.path, "--no-autopilot")
    return f"The run fails after {tried}: {rescue.finding} {place}. To go on all the same: {further}"


def tidy(run: Run, plan: RunConfig) -> None:
    """Bring to its end what a killed process left half done."""
    run.sweep()
    settle(run)
    if plan.training.autopilot:
        prune(run, keep=plan.training.keep, elders=True)


def require_not_given_up(run: Run) -> None:
    """Refuse to go on with a run that the autopilot has given up.

    Raises:
        UnhealthyError: it has.
    """
    rescues = rescues_of(run)
    if rescues and rescues[-1].gave_up and run.checkpoints():
        raise UnhealthyError(why_given_up(run, rescues[-1]))
