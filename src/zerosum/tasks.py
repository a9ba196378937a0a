"""Tasks: what a recipe is for, a row each, and the base class of its recipes."""

from __future__ import annotations

import shlex
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Interval
from pydantic import PositiveInt
from torch import Tensor, nn

from zerosum import kinds
from zerosum.config import Fraction
from zerosum.data.batch import Pairs
from zerosum.data.jitter import Jitter
from zerosum.errors import InputError
from zerosum.latent import Between, slerp, truncated_normal
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.runtime import rng


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a recipe is for. Commands, previews, the report, evaluation and refusals read these rows."""

    name: str
    """How run.json and the documentation name it."""

    method: str
    """The recipe's method at use, whose keywords are the user's controls."""

    does: str
    """What its runs do, as the end of the sentence "This run ..."."""

    invitation: str
    """What a user may do with a finished run."""

    command: str
    """What to type for that; `{run}` stands for the run directory."""

    python: str
    """The same in Python, where `model` is what `zerosum.load` returns."""

    given: Literal["nothing", "images", "labels", "text"]
    """What a result is made from."""

    paired: bool
    """Whether a result has one real answer, unless the kind of sample says that the data hold none."""

    def typed(self, run: object) -> str:
        """Spell the command for a run directory, quoted for a shell."""
        return self.command.format(run=shlex.quote(str(run)))


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
TRANSLATE = Task(
    name="translate",
    method="translate",
    does="makes images from images",
    invitation="Translate images",
    command="zerosum translate {run} INPUT --out OUTPUT",
    python="model.translate(sources)    # (N, C, H, W) in [-1, 1], from as many of the same range",
    given="images",
    paired=True,
)
UPSCALE = Task(
    name="upscale",
    method="translate",
    does="makes images larger",
    invitation="Upscale images",
    command="zerosum upscale {run} INPUT --out OUTPUT",
    python="model.translate(small)    # (N, C, fH, fW) in [-1, 1], from (N, C, H, W) of the same range",
    given="images",
    paired=True,
)
INPAINT = Task(
    name="inpaint",
    method="complete",
    does="fills holes in images",
    invitation="Fill holes in images",
    command="zerosum inpaint {run} INPUT --mask MASK",
    python="model.complete(images, mask)    # (N, C, H, W) in [-1, 1] and (N, 1, H, W), 1 where there is a hole",
    given="images",
    paired=True,
)
TASKS = {task.name: task for task in (GENERATE, TRANSLATE, UPSCALE, INPAINT)}


@dataclass(frozen=True, kw_only=True)
class LatentConfig(RecipeConfig):
    """What every recipe with a latent vector lets its user set."""

    latent_dim: PositiveInt = 100
    """Values in a latent vector, drawn from N(0, 1)."""


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
        if latent is None:
            latent = (
                self.prior(n) if truncation is None else truncated_normal(n, self.config.latent_dim, limit=truncation)
            )
        return self.generator(latent.to(self.device))


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(RecipeConfig):
    """What every recipe that makes images from images lets its user set."""

    batch: PositiveInt = 1
    """Real samples per draw, over all processes."""

    enlarge: Annotated[float, Interval(ge=1, le=4)] = 286 / 256
    """Factor by which images are enlarged before they are cropped to their size at a random place; 1 crops nothing."""

    mirror: Fraction = 0.5
    """Share of the draws that are mirrored left to right; 0 where left and right are not alike."""


class TranslationRecipe(Recipe):
    """A recipe that makes images from images. In place of `sample` it has `translate`."""

    task = TRANSLATE
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

    @property
    def jitter(self) -> Jitter:
        """How real images are varied each time they are drawn."""
        return Jitter(enlarge=self.config.enlarge, mirror=self.config.mirror)


class UpscalingRecipe(TranslationRecipe):
    """A recipe that makes images of any size larger."""

    task = UPSCALE
    factor: int
    """How many times as large."""

    @property
    def size_multiple(self) -> int:
        """Sides of a source can be of any size."""
        return 1

    @property
    @abstractmethod
    def radius(self) -> int:
        """How far, in pixels of a source, a pixel of the result looks beyond the one that it lies in."""


class InpaintingRecipe(Recipe):
    """A recipe that fills holes in images. In place of `sample` it has `complete`."""

    task = INPAINT

    @abstractmethod
    def complete(self, images: Tensor, mask: Tensor) -> Tensor:
        """Fill (N, C, H, W) images in [-1, 1] where the (N, 1, H, W) mask is 1, and leave all else as it is."""


def is_paired(recipe: type[Recipe] | Recipe) -> bool:
    """Whether each result of a recipe has one real answer in the data."""
    return recipe.task.paired and all(kind.paired for kind in kinds.of_batches(recipe.data))


def require_task(recipe: type[Recipe], run: object | None, *accepted: Task) -> None:
    """Refuse a run, or a loaded recipe where no run is named, that is for something else.

    Raises:
        InputError: what the run does instead, and what to type.
    """
    if recipe.task not in accepted:
        task, wanted = recipe.task, " or ".join(one.does for one in accepted)
        subject, place = ("This run", "RUN") if run is None else (run, run)
        raise InputError(f"{subject} {task.does}, and what {wanted} is needed here. Type: {task.typed(place)}")


def require_latents(recipe: Recipe) -> GenerativeRecipe:
    """Return a recipe that has latents to interpolate.

    Raises:
        InputError: it has none.
    """
    if not isinstance(recipe, GenerativeRecipe):
        raise InputError("This recipe has no latent vector to interpolate: leave out --interpolate.")
    return recipe


def has_latents(recipe: Recipe | None) -> bool:
    """Whether a recipe maps latents to samples."""
    return isinstance(recipe, GenerativeRecipe)
