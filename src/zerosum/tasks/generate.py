"""Generating samples from nothing: the task, and recipes with latents."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.latent import Between, slerp, truncated_normal
from zerosum.layers.virtual_batch_norm import set_reference
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.runtime import rng
from zerosum.tasks.base import Task
from zerosum.tasks.conditions import condition, draw_conditions

Decoder = Callable[[Tensor, Tensor | None], Tensor]
"""Maps latents (N, Z), and labels where the recipe takes them, to samples (N, *shape)."""

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
    generator: nn.Module

    between: Between = staticmethod(slerp)
    """How to interpolate from one latent to the next."""

    @abstractmethod
    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""

    def take_reference(self, batch: Any) -> None:
        """Fix the reference of virtual batch norm, where a network has one: by latents, and by real samples."""
        set_reference(self.generator, self.prior(len(batch)))
        for network in self.discriminators():
            set_reference(network, batch.real)

    def latent_bound(self, chosen: Mapping[str, Any]) -> float | None:
        """Return within which bound controls of `sample`, by name, have latents drawn; None for no bound."""
        return None

    def decoder(self) -> Decoder:
        """Return the function that maps latents (N, Z), and labels of conditional recipes, to samples (N, *shape).

        It draws nothing at random and its controls are at rest, so that it can be exported as a graph.
        """

        def decode(latent: Tensor, labels: Tensor | None) -> Tensor:
            given = {} if labels is None else {"labels": labels}
            return self.sample(latent.shape[0], latent=latent, **given)

        return decode


class LatentRecipe(GenerativeRecipe):
    """A generative recipe whose `generator` maps latents (N, Z) from N(0, 1) to samples."""

    Config: ClassVar[type[LatentConfig]] = LatentConfig
    config: LatentConfig

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

    def latent_bound(self, chosen: Mapping[str, Any]) -> float | None:
        """Return the control `truncation`, where it is chosen."""
        return chosen.get("truncation")

    def conditions(self, n: int, label: str | int | None = None, labels: Tensor | None = None) -> Tensor:
        """Return the labels to generate for, for conditional recipes to call in `sample` and in their losses.

        Args:
            n: how many.
            label: one for all: a class by its name or its number from 0; or the attributes that are 1, with commas
                between.
            labels: (n,) int64 in [0, K), or (n, A) of 0 and 1 for attributes, in place of `label`.

        Returns:
            (n,) or (n, A) int64 on the recipe's device; with neither, drawn by the shares of the training data.

        Raises:
            InputError: a class or attribute that the data do not have.
        """
        if labels is not None:
            return labels.to(self.device)
        if label is not None:
            one = condition(self.spec, label).to(self.device)
            return one.expand(n, *one.shape)
        return draw_conditions(self.spec, n, partial(rng.uniform, device=self.device))

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.generator(self.latents(n, latent, truncation))


class ConditionalRecipe(LatentRecipe):
    """A latent recipe whose `generator` takes labels beside latents (N, Z), where the data have labels.

    Labels are (N,) int64 in [0, K); with `takes_attributes` they may be (N, A) int64 of 0 and 1 too. Its losses
    condition on `batch.label` of the data, and on `conditions(n)` where labels are drawn.
    """

    needs_labels: ClassVar[bool] = False
    """Whether the recipe cannot be trained on data without labels."""

    def __init__(self, config: LatentConfig, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.needs_labels and not spec.label_width:
            raise InputError(
                f"{type(self).__name__} is trained on labels, and these data have none: sort the images into a folder "
                "a class, or give --labels labels.csv, or --clusters 30 for clusters of similar images in their place; "
                "or choose a recipe that needs none, as --recipe dcgan."
            )

    def sample(
        self,
        n: int,
        *,
        latent: Tensor | None = None,
        label: str | int | None = None,
        labels: Tensor | None = None,
        truncation: float | None = None,
    ) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            label: one class for all, by its name or its number from 0, or the attributes that are 1, with commas
                between; by default labels are drawn by their shares of the training data.
            labels: (n,) int64 in [0, K), or (n, A) of 0 and 1 for attributes, in place of `label`.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.generate(self.latents(n, latent, truncation), self.classes_of(n, label, labels))

    def decoder(self) -> Decoder:
        """Return `generate`."""
        return self.generate

    def generate(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Map latents (N, Z), and labels where the data have them, to samples (N, *shape)."""
        return self.generator(latent) if labels is None else self.generator(latent, labels)

    def classes_of(self, n: int, label: str | int | None = None, labels: Tensor | None = None) -> Tensor | None:
        """Return the labels to generate for, as `conditions` does; None where the data have none.

        Raises:
            InputError: a class or attribute that the data do not have.
        """
        if not self.spec.label_width:
            if label is not None:
                raise InputError(
                    f"--label is {label}, and this model was trained on data without labels: leave it out."
                )
            return None
        return self.conditions(n, label, labels)
