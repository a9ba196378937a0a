"""What a rescue may change, in the order in which it is tried, and whether a run takes it.

A run that begins again takes at once all that is known to help: the rules of the game as the recipe's defaults have
them, which are measured, and settings by which games converge. One that goes back to a checkpoint is changed little by
little: the remedy of a finding that is certain, as labels outside [0, 1]; the defaults; the finding's other remedies;
and what converges. Beyond that learning rates are halved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from zerosum.config import flag, spelt
from zerosum.data.spec import Spec
from zerosum.doctor import Facts, Finding
from zerosum.doctor.signs import remedies
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.run.rescues import Rescue
from zerosum.runtime import rng
from zerosum.runtime.distributed import World
from zerosum.training.build import require_playable

Step = Literal["defaults", "remedy", "steady", "rates"]

RATE = re.compile(r"(.*_)?lr")
"""Settings that are learning rates."""

PACE = frozenset(
    {
        *("betas", "beta2", "n_discriminator", "n_critic", "long_n_critic", "ema_decay", "ema_half_life"),
        *("penalty", "gamma", "r1_every", "drift", "clip", "real_label", "fake_label", "dropout"),
    }
)
"""Settings of the game beside learning rates that may change in the middle of a run."""

ANYWHERE = PACE | {"batch", "mirror", "enlarge", "rotate", "stabilise", "precision", "micro_batches"}
"""All settings beside learning rates that may: the game after it is the same game with the same weights. Others (an
objective, an activation) may change where the run goes back to its start."""

RULES = PACE | {"activation", "simultaneous", "generator_norm", "discriminator_norm", "critic_norm"}
"""Settings that go back to their defaults; the sizes of networks, batches and data stay as they were asked for."""

STEADY_R1 = {"points": 0.1, "convolutions": 0.3, "others": 1.0}
STEADY_RATE, RATE_TIMES_WIDTH = 1e-3, 0.016
"""Strength of R1, and learning rates with it on images, by our own measurement (docs/decisions/0190): others are dense
networks and the least-squares loss. Adam's rates fall with the width of convolutions (Yang et al. 2021, section 4)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Settings that a rescue would change."""

    step: Step
    settings: Mapping[str, Any]
    place: int | None = None
    """Among the finding's remedies."""


def changes(
    finding: Finding,
    facts: Facts,
    plan: RunConfig,
    kind: str,
    *,
    before: Sequence[Rescue],
    tries: int,
    from_start: bool,
) -> Iterator[Change]:
    """Yield what to change, the first to try first.

    Args:
        finding: what the run fails by.
        facts: of the run.
        plan: the run as it is now.
        kind: of its samples.
        before: the rescues so far.
        tries: rescues from one finding at most; the last one is left to what is strongest.
        from_start: whether the run goes back to its start.
    """
    same = [rescue for rescue in before if rescue.sign == finding.sign]
    used = {rescue.step for rescue in before}
    tried = max((rescue.remedy for rescue in same if rescue.remedy is not None), default=-1)
    own = [
        Change(step="remedy", place=place, settings=_added(remedy.settings, plan))
        for place, remedy in enumerate(finding.remedies)
        if place > tried and remedy.settings
    ]
    sure = own[:1] if (finding.severity, finding.confidence) == ("warning", "certain") else []  # of a setting
    rules = _defaults(plan, kind, from_start=from_start)
    defaults = Change(step="defaults", settings=rules)
    if not from_start:
        steady = Change(step="steady", settings=_steady(facts, plan, from_start=False))
        rest = own[len(sure) :]
        order = [*sure, defaults, *([steady, *rest] if len(same) + 1 == tries else [*rest, steady])]
    else:
        certain = {name: value for change in sure for name, value in change.settings.items()}
        settings = rules | _steady(facts, plan, from_start=True) | certain
        order = [Change(step="steady", settings=settings), *own, defaults]
    yield from (change for change in order if change.step == "remedy" or change.step not in used)
    yield Change(step="rates", settings=scaled(plan, 0.5))


def admitted(
    settings: Mapping[str, Any], plan: RunConfig, spec: Spec, world: World, to: int
) -> tuple[dict[str, tuple[Any, Any]], bool]:
    """Return what a change of settings changes, by name, and whether the networks' weights are others by it.

    Args:
        settings: the new ones.
        plan: the run as it is now.
        spec: of its data.
        world: the processes that share each batch.
        to: the round that the run goes back to.

    Raises:
        InputError: it changes nothing, or cannot be made, or not at that round.
    """
    if of_data := [name for name in settings if name in plan.options.names()]:
        raise InputError(f"{flag(of_data[0])} makes other data of them, which takes a new run.")
    if "rounds" in settings:
        raise InputError("--rounds stays as it was asked for.")
    new = with_changes(plan, settings)
    old, now = (each.config.to_json() | each.training.to_json() for each in (plan, new))
    changed = {name: (old[name], now[name]) for name in now if old[name] != now[name]}
    if not changed:
        raise InputError("the run has these settings already.")
    late = [name for name in changed if name not in ANYWHERE and not RATE.fullmatch(name)]
    if to and late:
        raise InputError(f"{flag(late[0])} makes another game, which the weights of round {to:,} do not fit.")
    with rng.fork(torch.device("cpu")):
        require_playable(new, build_recipe(new, spec), world)
    restructured = restructures(plan, new, spec)
    if to and restructured:
        raise InputError(f"it changes the networks, which the weights of round {to:,} do not fit then.")
    return changed, restructured


def restructures(plan: RunConfig, new: RunConfig, spec: Spec) -> bool:
    """Whether the networks of two plans have other weights."""
    with rng.fork(torch.device("cpu")):
        before, after = ({k: v.shape for k, v in build_recipe(p, spec).state_dict().items()} for p in (plan, new))
    return before != after


def with_changes(plan: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """Return a plan with other settings of its recipe and of training.

    Raises:
        InputError: there is no such setting, or a value is outside its type or range.
    """
    new = RunConfig.read(plan.data, plan.recipe_class, plan.settings() | dict(settings))
    return replace(plan, config=new.config, training=new.training)


def scaled(plan: RunConfig, factor: float) -> dict[str, Any]:
    """Return all learning rates of a plan, or the ends of their schedules, times a factor, to six digits."""
    rates = {name: value for name, value in plan.config.to_json().items() if RATE.fullmatch(name) and value}
    return {
        name: [_rounded(factor * end) for end in rate] if isinstance(rate, tuple | list) else _rounded(factor * rate)
        for name, rate in rates.items()
    }


def joined(now: str | None, more: str | None) -> str | None:
    """Add stabilisers to others; of one that is in both, the new strength counts.

    >>> joined("r1:10.0,label-noise", "r1:1.0,instance-noise:0.1")
    'r1:1.0,label-noise,instance-noise:0.1'
    """
    parts = [part.strip() for text in (now, more) if text for part in text.split(",")]
    return ",".join({part.partition(":")[0].strip(): part for part in parts}.values()) or None


def typed(settings: Mapping[str, Any]) -> str:
    """Spell settings as they are typed."""
    return " ".join(f"{flag(name)} {spelt(value)}" for name, value in settings.items())


def _defaults(plan: RunConfig, kind: str, *, from_start: bool) -> dict[str, Any]:
    """Return the rules of the game that differ from the recipe's defaults, as those have them."""
    known = plan.config.to_json()
    preset = {"preset": known["preset"]} if "preset" in known else {}
    default = type(plan.config).for_kind(kind, preset).to_json()
    able = RULES if from_start else PACE
    return {
        name: value
        for name, value in default.items()
        if (name in able or RATE.fullmatch(name)) and value is not None and known[name] != value
    }


def _steady(facts: Facts, plan: RunConfig, *, from_start: bool) -> dict[str, Any]:
    """Return settings by which games converge: a penalty of the discriminator's slope, one pace for both."""
    known, image = plan.config.to_json(), len(facts.shape) == 3
    found: dict[str, Any] = {}
    if image and from_start and known.get("discriminator_norm") in ("batch", "auto"):
        freed = replace(facts, config={**known, "discriminator_norm": "none"})
        if remedies.admits(freed, "r1"):
            found["discriminator_norm"], facts = "none", freed
    penalised, width = remedies.admits(facts, "r1"), known.get("width")
    if penalised:
        convolves = width is not None and facts.objective == "logistic"
        strength = STEADY_R1["points" if not image else "convolutions" if convolves else "others"]
        found["stabilise"] = joined(plan.training.stabilise, f"r1:{strength:g}")
    elif remedies.admits(facts, "instance-noise"):
        found["stabilise"] = joined(plan.training.stabilise, "instance-noise:0.1")
    if image and penalised and {"generator_lr", "discriminator_lr"} <= known.keys():
        rate = STEADY_RATE if width is None else _rounded(min(2 * STEADY_RATE, RATE_TIMES_WIDTH / width))
        found |= {"generator_lr": rate, "discriminator_lr": rate}
    return found


def _added(settings: Mapping[str, Any], plan: RunConfig) -> dict[str, Any]:
    if "stabilise" not in settings:
        return dict(settings)
    return {**settings, "stabilise": joined(plan.training.stabilise, settings["stabilise"])}


def _rounded(rate: float) -> float:
    return float(f"{rate:.6g}")
