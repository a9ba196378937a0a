"""Generating samples from nothing: the task, and recipes with latents."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.latent import Between, slerp, truncated_normal
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.runtime import rng
from zerosum.tasks.base import Task

GENERATE = Task(
    name="generate",
    method="sample",
    does="generates samples from nothing",
    invitation="More samples",
    command="zerosum sample {run} -n 16",
    python="model.sample(16)    # (16, *shape) in [-1, 1]",
    given="nothing",
    paired=False,
)


@dataclass(frozen=True, kw_only=True)
class LatentConfig(RecipeConfig):
    """What every recipe with a latent vector lets its user set."""

    latent_dim: PositiveInt = 100
    """Values in a latent vector, drawn from N(0, 1)."""


Recipe.task = GENERATE
"""What a recipe is for whose base class does not say otherwise: one that has `sample` and no more."""


class GenerativeRecipe(Recipe):
    """A recipe that generates samples from latents: `sample(n, latent=...)` maps what `prior(n)` draws."""

    task = GENERATE

    between: Between = staticmethod(slerp)
    """How to interpolate from one latent to the next."""

    @abstractmethod
    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""


class LatentRecipe(GenerativeRecipe):
    """A generative recipe whose `generator` maps latents (N, Z) from N(0, 1) to samples."""

    Config: ClassVar[type[LatentConfig]] = LatentConfig
    config: LatentConfig
    generator: nn.Module

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""
        return rng.normal(n, self.config.latent_dim, device=self.device)

    def latents(self, n: int, given: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Return (n, Z) latents on the recipe's device: those given, or draws of the prior, truncated if asked."""
        if given is not None:
            return given.to(self.device)
        if truncation is None:
            return self.prior(n)
        return truncated_normal(n, self.config.latent_dim, limit=truncation).to(self.device)

    def conditions(self, n: int, label: int | None = None, labels: Tensor | None = None) -> Tensor:
        """Return the classes to generate, for conditional recipes to call in `sample` and in their losses.

        Args:
            n: how many.
            label: one class for all, from 0.
            labels: (n,) int64 in [0, K), in place of `label`.

        Returns:
            (n,) int64 on the recipe's device; with neither, drawn by the shares of the training data.

        Raises:
            InputError: a class that the data do not have.
        """
        K = len(self.spec.classes)
        if label is not None and not 0 <= label < K:
            raise InputError(f"--label is {label}, and this model's classes go from 0 to {K - 1}.")
        if labels is not None:
            return labels.to(self.device)
        if label is not None:
            return torch.full((n,), label, device=self.device)
        counts = torch.tensor(self.spec.class_counts or (1,) * K, dtype=torch.float32, device=self.device)
        drawn = rng.uniform(n, device=self.device) * counts.sum()
        return torch.searchsorted(counts.cumsum(0), drawn, right=True).clamp(max=K - 1)

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.generator(self.latents(n, latent, truncation))
