"""The autopilot's decisions: whether a run fails, where it goes back to, and what is changed.

Every decision is a function of the history, the settings and the checkpoints that are there, none of the time, so that
a run that is killed and resumed decides the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from zerosum import doctor
from zerosum.config import flag, spelt
from zerosum.data.spec import Spec
from zerosum.doctor import Evidence, Facts, Finding, Remedy
from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.run.history import History
from zerosum.run.load import build_recipe
from zerosum.run.rescues import Rescue
from zerosum.runtime import rng
from zerosum.runtime.distributed import World
from zerosum.training.build import require_playable

RATE = re.compile(r"(.*_)?lr")
"""Settings that are learning rates."""

ANYWHERE = frozenset(
    {
        *("betas", "beta2", "batch", "n_discriminator", "n_critic", "long_n_critic", "ema_decay", "ema_half_life"),
        *("penalty", "gamma", "r1_every", "drift", "clip", "real_label", "fake_label", "dropout", "mirror", "enlarge"),
        *("stabilise", "precision", "micro_batches"),
    }
)
"""Settings beside learning rates that may change in the middle of a run: the game after it is the same game with the
same weights. Others (an objective, an activation) may change where the run goes back to its start."""

TIMED = re.compile(r"seconds|images_per_second|peak_.*|watch/data_wait")
"""Measurements that differ from one machine, or one sitting, to the next: no decision depends on them."""


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

    def failure(self, history: History, facts: Facts) -> Finding | None:
        """Return the critical finding that stands first, or None where the run is healthy."""
        rows = [{key: value for key, value in row.items() if not TIMED.fullmatch(key)} for row in history]
        found = self.diagnose(Evidence(history=History(rows), facts=facts))
        return next((finding for finding in found if finding.severity == "critical"), None)

    def target(self, finding: Finding, history: History, facts: Facts, rounds: Sequence[int]) -> int:
        """Return the newest of the checkpoints of `rounds` from before the finding that was healthy; 0: the start."""
        before = [round_ for round_ in rounds if round_ < finding.since]
        healthy = (r for r in reversed(before) if self.failure(History(history.until(r)), facts) is None)
        return next(healthy, 0)

    def rescue(
        self, finding: Finding, *, at: int, to: int, plan: RunConfig, spec: Spec, before: Sequence[Rescue], world: World
    ) -> Rescue | None:
        """Return the next rescue from a finding, or None where no try is left.

        The finding's remedies are tried in their order, each at most once; after them all learning rates are halved.

        Args:
            finding: critical.
            at: rounds played.
            to: where to go back to, as `target` says.
            plan: the run as it is now.
            spec: of its data.
            before: the rescues so far.
            world: the processes that share each batch.
        """
        same = [rescue for rescue in before if rescue.sign == finding.sign]
        if len(before) >= self.budget.per_run or len(same) >= self.budget.per_finding:
            return None
        tried = max((rescue.remedy for rescue in same if rescue.remedy is not None), default=-1)
        beyond = len(same) > 0 and same[-1].remedy is None
        skipped: list[str] = []
        for place, settings in _candidates(finding, plan, after=len(finding.remedies) if beyond else tried):
            try:
                changes, restructured = _admitted(settings, plan, spec, world, to)
            except InputError as refused:
                skipped.append(f"{_typed(settings)}: {refused}")
                continue
            return Rescue(
                round=at, sign=finding.sign, finding=said(finding), to=to, attempt=len(same) + 1, changes=changes,
                remedy=place, restructured=restructured, skipped=tuple(skipped),
            )  # fmt: skip
        return None


def said(finding: Finding) -> str:
    """Say a finding in one sentence, without its advice, because the change that follows it may be another."""
    return replace(finding, remedies=()).sentence()


def diverged(plan: RunConfig, round_: int, sentence: str) -> Finding:
    """Return the finding of a game whose loss or weights are not finite."""
    tenth = _scaled(plan, 0.1)
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
        remedies=tuple(Remedy(flags=_typed(settings), why=why, settings=settings) for settings in (tenth, exact)),
        source="Goodfellow et al. 2016, section 8.2.4 (https://www.deeplearningbook.org)",
    )


def with_changes(plan: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """Return a plan with other settings of its recipe and of training.

    Raises:
        InputError: there is no such setting, or a value is outside its type or range.
    """
    new = RunConfig.read(plan.data, plan.recipe_class, plan.settings() | dict(settings))
    return replace(plan, config=new.config, training=new.training)


def _candidates(finding: Finding, plan: RunConfig, *, after: int) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Yield changes with their places among the remedies: those behind place `after`, then halved learning rates."""
    for place, remedy in enumerate(finding.remedies):
        if place > after and remedy.settings:
            settings = dict(remedy.settings)
            if "stabilise" in settings:
                settings["stabilise"] = joined(plan.training.stabilise, settings["stabilise"])
            yield place, settings
    yield None, _scaled(plan, 0.5)


def _scaled(plan: RunConfig, factor: float) -> dict[str, Any]:
    """Return all learning rates of a plan, or the ends of their schedules, times a factor, to six digits."""
    rates = {name: value for name, value in plan.config.to_json().items() if RATE.fullmatch(name) and value}
    return {
        name: [_rounded(factor * end) for end in rate] if isinstance(rate, tuple | list) else _rounded(factor * rate)
        for name, rate in rates.items()
    }


def _rounded(rate: float) -> float:
    return float(f"{rate:.6g}")


def joined(now: str | None, more: str | None) -> str | None:
    """Add stabilisers to others; of one that is in both, the new strength counts.

    >>> joined("r1:10.0,label-noise", "r1:1.0,instance-noise:0.1")
    'r1:1.0,label-noise,instance-noise:0.1'
    """
    parts = [part.strip() for text in (now, more) if text for part in text.split(",")]
    return ",".join({part.partition(":")[0].strip(): part for part in parts}.values()) or None


def _admitted(
    settings: Mapping[str, Any], plan: RunConfig, spec: Spec, world: World, to: int
) -> tuple[dict[str, tuple[Any, Any]], bool]:
    """Return what a change of settings changes, and whether the networks' weights are others by it.

    Raises:
        InputError: it changes nothing, or cannot be made, or not at round `to`.
    """
    if of_data := [name for name in settings if name in plan.options.names()]:
        raise InputError(f"{flag(of_data[0])} makes other data of them, which takes a new run.")
    new = with_changes(plan, settings)
    old, now = (each.config.to_json() | each.training.to_json() for each in (plan, new))
    changes = {name: (old[name], now[name]) for name in now if old[name] != now[name]}
    if not changes:
        raise InputError("the run has these settings already.")
    late = [name for name in changes if name not in ANYWHERE and not RATE.fullmatch(name)]
    if to and late:
        raise InputError(f"{flag(late[0])} makes another game, which the weights of round {to:,} do not fit.")
    with rng.fork(torch.device("cpu")):
        before, after = (build_recipe(each, spec) for each in (plan, new))
    require_playable(new, after, world)
    restructured = _shapes(before) != _shapes(after)
    if to and restructured:
        raise InputError(f"it changes the networks, which the weights of round {to:,} do not fit then.")
    return changes, restructured


def _shapes(recipe: Recipe) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in recipe.state_dict().items()}


def _typed(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{flag(name)} {spelt(value)}" for name, value in settings.items())


def sentence_of(rescue: Rescue, budget: Budget) -> str:
    """Say in one line what a rescue does."""
    changed = ", ".join(
        f"{flag(name)} {spelt(now)} (was {spelt(before)})" for name, (before, now) in rescue.changes.items()
    )
    place = f"round {rescue.to:,}" if rescue.to else "the start"
    return f"Rescue (try {rescue.attempt} of {budget.per_finding}): {rescue.finding} Back to {place} with {changed}."
