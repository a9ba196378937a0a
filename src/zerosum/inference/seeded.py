"""Samples of seeds that do not depend on the batch they are computed in: those of `zerosum sample --seed` come first.

Kernels may differ in the last bit by the size of a batch, which rounding to pixels can make a level. Only sizes are
used at which samples equal those of a chunk bit for bit; a batch of another size is filled up to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import CHUNK, SAMPLES, draw_labels, generate
from zerosum.inference.latents import sample_at
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import has_latents, require_latents

SIZES = (1, 2, 3, 4, 6, 8, 12, CHUNK)
"""Sizes of a batch that are tried; larger ones cost as much a sample, and memory."""


@dataclass(frozen=True)
class Seeded:
    """A sample that is asked for."""

    seed: int
    latent: Tensor | None = None
    """(Z,); that of the seed by default."""


@dataclass(frozen=True)
class Plan:
    """How samples are made with some controls."""

    sizes: tuple[int, ...] = ()
    """Sizes of batches; none where samples are made one by one."""

    truncated: bool = False
    """Whether it is latents that the control `truncation` truncates."""


class Sampler:
    """Samples of one recipe.

    Args:
        recipe: in evaluation mode.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe: Any = recipe
        self._known = tuple(controls(recipe))
        self._plans: dict[tuple[str, ...], Plan] = {}

    @torch.inference_mode()
    def sample(self, wanted: Sequence[Seeded], chosen: Mapping[str, Any]) -> Tensor:
        """Generate (N, *shape) samples in [-1, 1], or in the data's units, on the CPU.

        Raises:
            InputError: a control that the recipe does not have, or a value it refuses.
        """
        require_known(chosen, self._known)
        plan = self._plan(chosen)
        if not plan.sizes:
            return torch.cat([self._alone(one, chosen) for one in wanted])
        latents = torch.stack([self._latent(one, chosen, plan) for one in wanted])
        labels = [draw_labels(self.recipe.spec, 1, one.seed) for one in wanted] if self._draws_labels(chosen) else []
        made = []
        for start in range(0, len(wanted), plan.sizes[-1]):
            piece = latents[start : start + plan.sizes[-1]]
            of_piece = torch.cat(labels[start : start + plan.sizes[-1]]) if labels else None
            made.append(self._batch(piece, of_piece, chosen, plan.sizes))
        return torch.cat(made)

    @torch.no_grad()
    def latents(self, seeds: Sequence[int], chosen: Mapping[str, Any]) -> Tensor:
        """Return the latents (N, Z) of the first samples of seeds, as controls have them drawn.

        Raises:
            InputError: the recipe has none.
        """
        require_latents(self.recipe)
        require_known(chosen, self._known)
        plan = self._plan(chosen)
        return torch.stack([self._latent(Seeded(seed), chosen, plan).cpu() for seed in seeds])

    def _alone(self, one: Seeded, chosen: Mapping[str, Any]) -> Tensor:
        if one.latent is None:
            return generate(self.recipe, 1, one.seed, controls=chosen)
        return sample_at(self.recipe, one.latent[None], seed=one.seed, chosen=chosen)

    def _latent(self, one: Seeded, chosen: Mapping[str, Any], plan: Plan) -> Tensor:
        if one.latent is not None:
            return one.latent.to(self.recipe.device)
        with rng.fork(self.recipe.device, seed=rng.derived(one.seed, SAMPLES)):
            return self._draw(chosen, plan.truncated)[0]

    def _draw(self, chosen: Mapping[str, Any], truncated: bool) -> Tensor:
        """Draw the latents of a chunk (CHUNK, Z), truncated ones where it is them that the control truncates."""
        return self.recipe.latents(CHUNK, None, chosen["truncation"]) if truncated else self.recipe.prior(CHUNK)

    def _draws_labels(self, chosen: Mapping[str, Any]) -> bool:
        return self.recipe.takes_labels and "label" not in chosen

    def _batch(self, latents: Tensor, labels: Tensor | None, chosen: Mapping[str, Any], sizes: Sequence[int]) -> Tensor:
        """Generate at latents (N, Z), filled up to one of the sizes by repeating the first."""
        count = len(latents)
        fill = next(size for size in sizes if size >= count) - count

        def filled(rows: Tensor) -> Tensor:
            return torch.cat([rows, rows[:1].expand(fill, *rows.shape[1:])]) if fill else rows

        given = {} if labels is None else {"labels": filled(labels)}
        made = self.recipe.sample(count + fill, latent=filled(latents), **chosen, **given)
        return made.float().cpu()[:count]

    def _plan(self, chosen: Mapping[str, Any]) -> Plan:
        """Return how samples are made with controls of these names."""
        names = tuple(sorted(chosen))
        if names not in self._plans:
            draws = (True, False) if "truncation" in chosen and hasattr(self.recipe, "latents") else (False,)
            plans = (Plan(self._measure(chosen, truncated), truncated) for truncated in draws)
            self._plans[names] = next((plan for plan in plans if plan.sizes), Plan())
        return self._plans[names]

    def _measure(self, chosen: Mapping[str, Any], truncated: bool) -> tuple[int, ...]:
        """Return the sizes of batches that agree bit for bit with what one seed makes in a chunk."""
        if not has_latents(self.recipe):
            return ()
        device, began = self.recipe.device, rng.derived(0, SAMPLES)
        labels = draw_labels(self.recipe.spec, CHUNK, 0) if self._draws_labels(chosen) else None
        given = {} if labels is None else {"labels": labels}
        with rng.fork(device, seed=began):
            whole = self.recipe.sample(CHUNK, **chosen, **given).float().cpu()
        with rng.fork(device, seed=began):
            latents = self._draw(chosen, truncated)
            before = rng.state(device)
            again = self._batch(latents, labels, chosen, (CHUNK,))
            drew = any(not torch.equal(value, before[name]) for name, value in rng.state(device).items())
        if drew or not torch.equal(whole, again):
            return ()
        return tuple(size for size in SIZES if self._agrees(size, latents, whole, labels, chosen))

    def _agrees(
        self, size: int, latents: Tensor, whole: Tensor, labels: Tensor | None, chosen: Mapping[str, Any]
    ) -> bool:
        """Whether batches of a size make of latents (N, Z) the samples (N, *shape) that are known."""
        return torch.equal(whole, self._in_pieces(size, latents, labels, chosen))

    def _in_pieces(self, size: int, latents: Tensor, labels: Tensor | None, chosen: Mapping[str, Any]) -> Tensor:
        pieces = [
            self._batch(
                latents[start : start + size], None if labels is None else labels[start : start + size], chosen, (size,)
            )
            for start in range(0, len(latents), size)
        ]
        return torch.cat(pieces)
