"""The duality gap: how far two players are from an equilibrium, by what each could still gain alone.

V is minus what the discriminator pays. In an equilibrium neither player can change V to its liking by itself, and the
gap, max_D' V(G, D') - min_G' V(G', D), is 0; anywhere else it is above.

Source: Grnarova et al. 2019, definition 1 and section 4 (https://arxiv.org/abs/1811.05512).

Differs from the paper: V is the recipe's own objective, terms of a penalty included, whatever game that is; the best
responses are found by the players' own losses and optimizers, so the generator's may be the non-saturating one.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data.dataset import Drawable
from zerosum.errors import InputError
from zerosum.evaluation.probes.replay import Replay
from zerosum.loss import Loss
from zerosum.metrics.bootstrap import Interval, bootstrap
from zerosum.player import only_player_of
from zerosum.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class DualityGap:
    """How far a pair of players is from an equilibrium."""

    value: float
    """The gap found: V against the worst discriminator, minus V against the worst generator."""

    interval: Interval
    """By resampling the batches on which V was taken; how well the best responses were found is not in it."""

    objective: float
    """V of the pair as it is."""

    minimax: float
    """V of the generator against its worst discriminator: for one discriminator game, twice the Jensen-Shannon
    divergence minus log 4, from below."""

    discriminator_gain: float
    """By how much the discriminator's steps alone raise V."""

    generator_gain: float
    """By how much the generator's steps alone lower V."""

    steps: int
    """Of each best response."""

    batches: int
    """On which V was taken, the same for all three pairs."""

    data: str
    """"held out" or "training": on which V was taken."""

    meaning: str
    """What the number says, in a sentence."""


def duality_gap(
    recipe: Recipe,
    data: Drawable,
    held_out: Drawable | None = None,
    *,
    steps: int = 100,
    batches: int = 40,
    seed: int = 0,
    level: float = 0.95,
) -> DualityGap:
    """Let copies of each player answer the other, who stands still, and see how V changes.

    Args:
        recipe: trained or not; it is left as it is.
        data: on which the best responses are found.
        held_out: on which V is taken; None takes it on `data`, in another order.
        steps: of each player.
        batches: on which V is taken, 20 or more.
        seed: of draws and interval.
        level: share of intervals that should hold the truth.

    Raises:
        InputError: Fewer than 1 step or 20 batches, or a recipe that is no game of two such players.
        DivergedError: A best response diverges: the steps are too large, or too many.
    """
    if steps < 1 or batches < 20:
        raise InputError(f"{steps} steps and {batches} batches were asked for; give 1 step and 20 batches or more.")
    judged = data if held_out is None else held_out
    players = copy.deepcopy(recipe).players()
    sides = only_player_of(players, "discriminator"), only_player_of(players, "generator")
    present = _objective(recipe, judged, batches, seed)
    worst_judge, worst_maker = (
        _objective(_answer(recipe, data, {side: steps}, seed), judged, batches, seed) for side in sides
    )
    gaps = worst_judge - worst_maker
    interval = bootstrap(lambda rows: float(gaps[rows].mean()), len(gaps), seed=seed, level=level)
    gains = float((worst_judge - present).mean()), float((present - worst_maker).mean())
    return DualityGap(
        value=float(gaps.mean()),
        interval=interval,
        objective=float(present.mean()),
        minimax=float(worst_judge.mean()),
        discriminator_gain=gains[0],
        generator_gain=gains[1],
        steps=steps,
        batches=len(gaps),
        data="training" if held_out is None else "held out",
        meaning=_meaning(sides, gains, steps),
    )


def _answer(recipe: Recipe, data: Drawable, steps: Mapping[str, int], seed: int) -> Recipe:
    """Return a copy in which one player has answered the others."""
    rehearsal = Replay(recipe, data, steps=steps, seed=seed + 1)
    return rehearsal.play_until(lambda: rehearsal.exhausted, seed=seed + 1)


def _objective(recipe: Recipe, data: Drawable, batches: int, seed: int) -> Tensor:
    """V on each of the same batches and latents, whoever plays: (batches,) float64."""
    found: list[float] = []

    def hear(name: str, loss: Loss) -> None:
        if name == judge:
            found.append(-float(loss.total()))

    rehearsal = Replay(recipe, data, steps={}, heard=hear, seed=seed)
    judge = only_player_of(rehearsal.players, "discriminator")
    rehearsal.play_until(lambda: len(found) >= batches, seed=seed)
    return torch.tensor(found[:batches], dtype=torch.float64)


def _meaning(sides: tuple[str, str], gains: tuple[float, float], steps: int) -> str:
    said = (
        f"{steps} steps of the {sides[0]} alone raise its objective by {gains[0]:.4g}, and {steps} of the {sides[1]} "
        f"alone lower it by {gains[1]:.4g}"
    )
    if min(gains) < 0:
        return f"{said}: steps that lose are no best response, so the gap is not to be trusted; try fewer or more."
    return (
        f"{said}; their sum is 0 in an equilibrium. So many steps find a part of the gap, so compare it only with gaps "
        "of the same recipe, settings, steps and data."
    )
