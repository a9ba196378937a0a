"""Generating samples from nothing: the task, and recipes with latents."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum.config import AUTO
from zerosum.data.spec import Spec
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


@dataclass(frozen=True, kw_only=True)
class PresetConfig(LatentConfig):
    """Settings of a recipe whose networks come in sizes: `presets` names them."""

    preset: str = AUTO
    """Settings by name, over which single ones may be set; auto chooses by the images' size and the device."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return the name of the preset for data of a spec.

        Args:
            spec: of images.
            device: type of the device: "cpu", "cuda" or "mps".
        """
        raise NotImplementedError


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

    def conditions(self, n: int, label: str | int | None = None, labels: Tensor | None = None) -> Tensor:
        """Return the classes to generate, for conditional recipes to call in `sample` and in their losses.

        Args:
            n: how many.
            label: one class for all: its name, or its number from 0.
            labels: (n,) int64 in [0, K), in place of `label`.

        Returns:
            (n,) int64 on the recipe's device; with neither, drawn by the shares of the training data.

        Raises:
            InputError: a class that the data do not have.
        """
        if labels is not None:
            return labels.to(self.device)
        K = len(self.spec.classes)
        if label is not None:
            return torch.full((n,), class_number(self.spec, label), device=self.device)
        counts = torch.tensor(self.spec.class_counts or (1,) * K, dtype=torch.float32, device=self.device)
        drawn = rng.uniform(n, device=self.device) * counts.sum()
        return torch.searchsorted(counts.cumsum(0).to(drawn), drawn, right=True).clamp(max=K - 1)

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.generator(self.latents(n, latent, truncation))


class ConditionalRecipe(LatentRecipe):
    """A latent recipe whose `generator` takes labels (N,) beside latents (N, Z), where the data have labels.

    Its losses condition on `batch.label` of the data, and on `conditions(n)` where classes are drawn.
    """

    needs_labels: ClassVar[bool] = False
    """Whether the recipe cannot be trained on data without labels."""

    def __init__(self, config: LatentConfig, spec: Spec) -> None:
        super().__init__(config, spec)
        if self.needs_labels and not spec.classes:
            raise InputError(
                f"{type(self).__name__} is trained on labels, and these data have none: sort the images into a folder "
                "a class, or give --labels labels.csv; or choose a recipe that needs none, as --recipe dcgan."
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
            label: one class for all, by its name or its number from 0; by default classes are drawn by their shares of
                the training data.
            labels: (n,) int64 in [0, K), in place of `label`.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.generate(self.latents(n, latent, truncation), self.classes_of(n, label, labels))

    def generate(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where the data have them, to samples (N, *shape)."""
        return self.generator(latent) if labels is None else self.generator(latent, labels)

    def classes_of(self, n: int, label: str | int | None = None, labels: Tensor | None = None) -> Tensor | None:
        """Return the classes to generate, as `conditions` does; None where the data have none.

        Raises:
            InputError: a class that the data do not have.
        """
        if not self.spec.classes:
            if label is not None:
                raise InputError(
                    f"--label is {label}, and this model was trained on data without labels: leave it out."
                )
            return None
        return self.conditions(n, label, labels)


def class_number(spec: Spec, label: str | int) -> int:
    """Return the number of a class, given by its name or by its number.

    A name comes first where one class has the name that is another one's number.

    >>> spec = Spec(shape=(2,), classes=("cat", "dog"))
    >>> class_number(spec, "dog"), class_number(spec, "0"), class_number(spec, 1)
    (1, 0, 1)

    Raises:
        InputError: the data have no such class.
    """
    if isinstance(label, str) and label in spec.classes:
        return spec.classes.index(label)
    number = int(label) if str(label).isdecimal() else -1
    if 0 <= number < len(spec.classes):
        return number
    close = [] if number >= 0 else difflib.get_close_matches(str(label), spec.classes, n=1)
    names = ", ".join(spec.classes[:8]) + (", ..." if len(spec.classes) > 8 else "")
    hint = (
        f"did you mean {close[0]}?" if close else f"give one of {names}, or a number from 0 to {len(spec.classes) - 1}."
    )
    raise InputError(f"--label is {label}, and this model has no such class: {hint}")
