"""How well a run's discriminator tells samples from data it was trained on, and from data it never saw."""

from __future__ import annotations

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
class Shares:
    """Shares of samples that a discriminator with a threshold tells right, in [0, 1]."""

    train: float
    """Of the training data called real."""

    held_out: float
    """Of held-out data called real."""

    fake: float
    """Of generated samples called generated."""

    gap: float
    """`train` minus `held_out`."""

    intervals: tuple[Interval, Interval, Interval]
    """Of `train`, `held_out` and `fake`, by resampling the samples of each kind."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorTrial:
    """What a discriminator makes of three kinds of samples, as the game plays it."""

    value: float
    """AUC of training data against held-out data: how often a training sample gets the higher logit, 0.5 for one that
    memorised nothing."""

    interval: Interval
    """Of `value`, by resampling the samples."""

    train_against_fake: float
    """AUC of training data against generated samples."""

    held_out_against_fake: float
    """AUC of held-out data against generated samples."""

    shares: Shares | None
    """None for a critic, whose values have no threshold."""

    difference: float
    """Mean logit of training data minus that of held-out data."""

    samples: int
    """Of each kind."""

    meaning: str
    """What the numbers say, in a sentence."""


def discriminator_trial(
    recipe: Recipe, train: Drawable, held_out: Drawable, *, samples: int = 2000, seed: int = 0, level: float = 0.95
) -> DiscriminatorTrial:
    """Let the discriminator, or the critic, judge training data, held-out data and samples in rounds where none moves.

    It judges as in the game: batches of one kind, batch norm and dropout as in training, data varied as in training.

    Args:
        recipe: trained; it is left as it is.
        train: the data it was trained on.
        held_out: data of the same kind that it never saw.
        samples: of each kind, at most; fewer where a set has fewer.
        seed: of draws and interval.
        level: share of intervals that should hold the truth.

    Raises:
        InputError: Fewer than 50 samples in a set, or a recipe whose discriminator logs no `real` and `fake`.
    """
    count = min(samples, min(train.lengths), min(held_out.lengths))
    if count < 50:
        raise InputError(
            f"{count} training or held-out samples cannot tell how a discriminator treats them; give 50 or more."
        )
    heard = [_judged(recipe, data, count, seed) for data in (train, held_out)]
    known, new, fake = heard[0]["real"], heard[1]["real"], torch.cat([side["fake"] for side in heard])
    shares = None
    if all("real_accuracy" in side for side in heard):
        told = torch.cat([side["fake_accuracy"] for side in heard])
        shares = _shares(heard[0]["real_accuracy"], heard[1]["real_accuracy"], told, seed=seed, level=level)
    interval = bootstrap(lambda rows: area(known[rows], new[rows]), count, seed=seed, level=level)
    value = area(known, new)
    return DiscriminatorTrial(
        value=value,
        interval=interval,
        train_against_fake=area(known, fake),
        held_out_against_fake=area(new, fake),
        shares=shares,
        difference=float(known.mean() - new.mean()),
        samples=count,
        meaning=_meaning(value, interval, shares),
    )


def area(higher: Tensor, lower: Tensor) -> float:
    """How often one of `higher` (N,) exceeds one of `lower` (M,), ties counting half: the area under the ROC curve.

    >>> area(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]))
    0.875
    """
    ordered = lower.sort().values
    below = torch.searchsorted(ordered, higher) + torch.searchsorted(ordered, higher, right=True)
    return float(below.double().mean() / 2 / len(lower))


def _shares(train: Tensor, held_out: Tensor, fake: Tensor, *, seed: int, level: float) -> Shares:
    """Sum up how often the discriminator is right of each kind: (N,), (N,) and (2 N,) in [0, 1]."""
    known, new, told = (float(right.mean()) for right in (train, held_out, fake))
    first, second, third = (
        bootstrap(lambda rows, right=right: float(right[rows].mean()), len(right), seed=seed, level=level)  # type: ignore[misc]
        for right in (train, held_out, fake)
    )
    return Shares(train=known, held_out=new, fake=told, gap=known - new, intervals=(first, second, third))


def _judged(recipe: Recipe, data: Drawable, count: int, seed: int) -> dict[str, Tensor]:
    """Play rounds in which nobody steps, until the judge has judged `count` real samples: what it watched of each."""
    watched: list[dict[str, Tensor]] = []
    seen = 0

    def hear(name: str, loss: Loss) -> None:
        nonlocal seen
        if name != judge:
            return
        if not {"real", "fake"} <= set(loss.log):
            raise InputError(f"The loss of {judge} logs no real and fake logits, as a discriminator's must.")
        watched.append({key: _per_sample(value) for key, value in loss.log.items() if value.ndim})
        seen += len(loss.log["real"])

    rehearsal = Replay(recipe, data, steps={}, heard=hear, seed=seed)
    judge = only_player_of(rehearsal.players, "discriminator")
    rehearsal.play_until(lambda: seen >= count, seed=seed)
    return {key: torch.cat([one[key] for one in watched])[:count].cpu() for key in watched[0]}


def _per_sample(values: Tensor) -> Tensor:
    """Mean over what was said of each sample, its patches for instance: (N, ...) -> (N,)."""
    return values.float().reshape(len(values), -1).mean(1)


def _meaning(value: float, interval: Interval, shares: Shares | None) -> str:
    said = (
        f"A training sample gets a higher logit than a held-out one in {value:.1%} of pairs "
        f"({interval.level:.0%} interval {interval.low:.1%} to {interval.high:.1%})"
    )
    if shares is not None:
        said += (
            f"; it calls {shares.train:.1%} of the training data, {shares.held_out:.1%} of held-out data real, and "
            f"{shares.fake:.1%} of the samples generated"
        )
    if interval.low > 0.5:
        return f"{said}: it has memorised some training samples, and its gradient draws the generator to them."
    if interval.high < 0.5:
        return f"{said}: it prefers held-out data, so the two sets differ; compare how they were split and prepared."
    return f"{said}: no overfitting is shown at this number of samples, which does not rule out a little."
