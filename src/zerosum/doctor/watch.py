"""What the signs need, watched while a game is played: seldom, cheaply, and without changing the game by a bit."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.data.dataset import Dataset
from zerosum.doctor import measures, variety
from zerosum.doctor.real_samples import PER_CLASS, SAMPLES, RealSamples, some
from zerosum.doctor.round_hooks import norm, rectified_units, relative_steps
from zerosum.game import Game
from zerosum.metrics.spectrum import nyquist_share
from zerosum.runtime import rng

CLASSES = 16
"""Classes a look."""

FAINT = 1e-3
"""Share of the power near the Nyquist frequencies below which nobody would notice any."""

LEAST = 16
"""Samples that are made at a time at least, whatever the batch."""


class Watch:
    """Looks at a game every few rounds: at the round itself by hooks, and at samples of the live weights after it.

    Samples are made in evaluation mode, but for batch norm, which normalises by the batch as in a round, because its
    running statistics lag behind; the latents are the same at every look. In a game of several processes the first one
    looks alone, and sends nothing. Of recipes that make samples from images only the steps are watched.

    Args:
        game: that is played.
        dataset: that it is played on.
        every: rounds between looks; 0 for none.
        seed: of the run.
    """

    def __init__(self, game: Game[Any], dataset: Dataset, *, every: int, seed: int) -> None:
        self._game = game
        self._every = every if game.world.is_first else 0
        self._seed = rng.derived(seed, "watch")
        self._generates = game.recipe.task.given == "nothing"
        self._real = RealSamples(dataset, game.device, seed=self._seed)
        self._steps: dict[str, Tensor] = {}
        self._alive: dict[Any, Tensor] = {}

    def is_due(self) -> bool:
        """Whether the round that comes next is one to watch: it depends on its number alone."""
        return self._every > 0 and (self._game.clock.round + 1) % self._every == 0

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Watch the round that is played meanwhile."""
        self._steps, self._alive = {}, {}
        with ExitStack() as stack:
            stack.enter_context(relative_steps(self._game.players, self._steps))
            if self._generates:
                stack.enter_context(rectified_units(self._game.recipe, self._alive))
            yield

    def look(self) -> dict[str, float]:
        """Return what was watched in the round that was played, and measures of samples: finite values by name."""
        found: dict[str, float | None] = {}
        for name, player in self._game.players.items():
            found[measures.WEIGHTS.format(player=name)] = float(norm([p.detach() for p in player.parameters]))
            if name in self._steps:
                found[measures.UPDATE.format(player=name)] = float(self._steps[name])
        if self._alive:
            found[measures.DEAD_UNITS] = max(1 - float(alive.float().mean()) for alive in self._alive.values())
        if self._generates:
            recipe = self._game.recipe
            with rng.fork(self._game.device, seed=self._seed), recipe.evaluating(), batch_statistics(recipe):
                found |= self._of_samples()
        return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}

    def _of_samples(self) -> dict[str, float | None]:
        real, labels = self._real, self._real.labels if self._game.recipe.takes_labels else None
        recipe: Any = self._game.recipe
        latent = {"latent": recipe.prior(len(real.samples))} if self._takes_latents else {}
        fake = self._sample(len(real.samples), **latent, **({} if labels is None else {"labels": labels}))
        found = {
            measures.DIVERSITY: variety.ratio(variety.mean_distance(fake), real.distance),
            measures.DISTANCE: variety.ratio(variety.energy_distance(fake, real.samples), real.distance),
        }
        if fake.ndim == 4:
            found[measures.SATURATED] = variety.saturated(fake) - real.saturated
        if fake.ndim == 4 and not variety.is_enlarged(fake):
            found[measures.CHECKERBOARD] = nyquist_share(some(fake)) / max(real.nyquist_share, FAINT)
        if labels is not None:
            found[measures.LABEL_EFFECT] = self._label_effect(labels, **latent)
            found[measures.CLASS_DIVERSITY] = self._class_diversity()
        if real.training is not None:
            distances = variety.nearest_distances(variety.pooled(fake), real.training)
            found[measures.NEAREST] = variety.ratio(float(distances.median()), real.training_distance)
        return found

    def _label_effect(self, labels: Tensor, latent: Tensor | None = None) -> float | None:
        """Compare the effect of other labels with that of other latents; None where there is no other."""
        if latent is None:
            return None
        others = labels.roll(1, 0)
        rows = (labels != others).view(len(labels), -1).any(1).nonzero()[: SAMPLES // 2, 0]
        if not len(rows):
            return None
        own, same = latent[rows], labels[rows]
        fake = self._sample(len(rows), latent=own, labels=same)
        relabelled = self._sample(len(rows), latent=own, labels=others[rows])
        redrawn = self._sample(len(rows), latent=latent.roll(1, 0)[rows], labels=same)
        return variety.ratio(variety.distance(fake, relabelled), variety.distance(fake, redrawn))

    def _class_diversity(self) -> float | None:
        """Return the smallest ratio over classes of which there are enough different real samples."""
        count = len(self._real.class_rows)
        if count < 2:
            return None
        began = self._game.clock.round // self._every * CLASSES
        names = list(self._real.class_rows)
        chosen = [names[(began + place) % count] for place in range(min(CLASSES, count))]
        labels = torch.tensor(chosen, device=self._game.device).repeat_interleave(PER_CLASS)
        parts = self._sample(len(labels), labels=labels).split(PER_CLASS)
        ratios = [
            variety.ratio(variety.mean_distance(part), self._real.class_distance(name))
            for name, part in zip(chosen, parts, strict=True)
        ]
        return min((value for value in ratios if value is not None), default=None)

    def _sample(self, n: int, **given: Tensor) -> Tensor:
        """Generate (n, *shape) float32 samples, about as many at a time as a batch has."""
        parts = -(-n // max(LEAST, self._game.batch // self._game.world.size))
        made = []
        with self._game.autocast():
            for rows in torch.arange(n).tensor_split(parts):
                piece = {name: value[rows.to(value.device)] for name, value in given.items()}
                made.append(self._game.recipe.sample(len(rows), **piece).float())
        return torch.cat(made).to(self._real.device)

    @cached_property
    def _takes_latents(self) -> bool:
        recipe = self._game.recipe
        return hasattr(recipe, "prior") and "latent" in inspect.signature(recipe.sample).parameters


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norm normalise by the statistics of the batch meanwhile, and leave its running statistics alone.

    Layers that would ask other processes for theirs are left as they are.
    """
    found = [m for m in network.modules() if isinstance(m, _BatchNorm) and not isinstance(m, nn.SyncBatchNorm)]
    norms = [(module, module.training, module.track_running_stats) for module in found]
    for module, _, _ in norms:
        module.training, module.track_running_stats = True, False
    try:
        yield
    finally:
        for module, training, tracking in norms:
            module.training, module.track_running_stats = training, tracking
