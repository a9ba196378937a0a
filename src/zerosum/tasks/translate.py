"""Making images from images: the task, and the base class of its recipes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Interval
from pydantic import PositiveInt
from torch import Tensor

from zerosum.config import Fraction
from zerosum.data.batch import Pairs
from zerosum.data.spec import Spec
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.tasks.base import Task

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

    def spec_for(self, chosen: Mapping[str, Any]) -> Spec:
        """Return the spec of what is given and made where some values of the controls are chosen."""
        return self.spec

    def fake_and_real(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return translations and what they should be, both (N, *shape)."""
        return self.translate(batch.source), batch.target

    def preview_columns(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): source, translation, target."""
        return batch.source, self.translate(batch.source), batch.target
