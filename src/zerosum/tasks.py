"""The controls that a recipe gives its user: the keywords of its `sample`, or of its `translate`."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import torch
from annotated_types import Interval
from torch import Tensor, nn

from zerosum.config import Count, Fraction
from zerosum.data.batch import Pairs
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.latent import Between, slerp, truncated_normal
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.runtime import rng


def controls_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the keywords of a function that a person can set, by name: all but tensors.

    >>> list(controls_of(lambda n, *, truncation=None: n))
    ['truncation']
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    return {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY and "Tensor" not in str(p.annotation)}


def require_known(chosen: Iterable[str], known: Iterable[str]) -> None:
    """See that every chosen control is there.

    Raises:
        InputError: one is not.
    """
    have = list(known)
    for name in chosen:
        if name not in have:
            raise InputError(f"This run's recipe has no control {name!r}; it has: {', '.join(have) or 'none'}.")


@dataclass(frozen=True, kw_only=True)
class LatentConfig(RecipeConfig):
    """What every recipe with a latent vector lets its user set."""

    latent_dim: Count = 100
    """Values in a latent vector, drawn from N(0, 1)."""


class LatentRecipe(Recipe):
    """A recipe whose `generator` maps latents (N, Z) to samples, so that one can truncate them and walk among them."""

    Config: ClassVar[type[LatentConfig]] = LatentConfig
    config: LatentConfig
    generator: nn.Module
    between: Between = staticmethod(slerp)

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""
        return rng.normal(n, self.config.latent_dim, device=self.device)

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        if latent is None:
            latent = (
                self.prior(n) if truncation is None else truncated_normal(n, self.config.latent_dim, limit=truncation)
            )
        return self.generator(latent.to(self.device))


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(RecipeConfig):
    """What every recipe that makes images from images lets its user set."""

    batch: Count = 1
    """Real samples per draw, over all processes."""

    enlarge: Annotated[float, Interval(ge=1, le=4)] = 286 / 256
    """Factor by which images are enlarged before they are cropped to their size at a random place; 1 crops nothing."""

    mirror: Fraction = 0.5
    """Share of the draws that are mirrored left to right; 0 where left and right are not alike."""


class TranslationRecipe(Recipe):
    """A recipe that makes images from images. In place of `sample` it has `translate`."""

    Config: ClassVar[type[TranslationConfig]] = TranslationConfig
    config: TranslationConfig
    data = (Pairs,)

    translate: Callable[..., Tensor]
    """Makes (N, *shape) images from (N, *source_shape) ones, all in [-1, 1]: the same function in previews, in metrics
    and at use. Its signature is the command line: keywords are the user's controls."""

    @property
    @abstractmethod
    def size_multiple(self) -> int:
        """What both sides of an image must be a multiple of for the networks to take it, in pixels."""

    @property
    def min_size(self) -> int:
        """Side of the smallest image that the networks take, a multiple of `multiple`, in pixels."""
        return self.size_multiple

    def fake_and_real(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return translations and what they should be, both (N, *shape)."""
        return self.translate(batch.source), batch.target

    def preview_columns(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): source, translation, target."""
        return batch.source, self.translate(batch.source), batch.target


@runtime_checkable
class Interpolable(Protocol):
    """A recipe with latents to walk among: `sample(n, latent=...)` maps what `prior(n)` draws."""

    between: Between
    """How to go from one latent to the next."""

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""
        ...


@runtime_checkable
class Inpainter(Protocol):
    """A recipe that fills holes in images."""

    spec: Spec

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        ...

    def complete(self, images: Tensor, mask: Tensor) -> Tensor:
        """Fill (N, C, H, W) images in [-1, 1] where the (N, 1, H, W) mask is 1, and leave all else as it is."""
        ...

    def preview_columns(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): with holes, completed, as it was."""
        ...


@runtime_checkable
class Upscaler(Protocol):
    """A recipe that makes images larger, of any size."""

    factor: int
    """How many times as large."""

    @property
    def radius(self) -> int:
        """How far, in pixels of a source, a pixel of the result looks beyond the one that it lies in."""
        ...


def controls(recipe: type[Recipe] | Recipe) -> dict[str, inspect.Parameter]:
    """Return the keywords of `sample` that a person can set, by name.

    Raises:
        InputError: the recipe does not make samples from nothing.
    """
    if not hasattr(recipe, "sample"):
        if hasattr(recipe, "complete"):
            raise InputError("This run fills holes in images: zerosum inpaint RUN INPUT --mask MASK")
        raise InputError("This run makes images from images: zerosum translate RUN INPUT --out OUTPUT")
    return controls_of(recipe.sample)
