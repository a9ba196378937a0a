"""The contract of a recipe: one paper in one file, and an nn.Module whose children are its networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, runtime_checkable

import torch
from annotated_types import Interval
from torch import Tensor, nn

from zerosum.config import Count, Fraction, Settings
from zerosum.data.batch import Batch, Images, Pairs
from zerosum.data.jitter import Jitter
from zerosum.data.spec import Spec
from zerosum.latent import Between, slerp, truncated_normal
from zerosum.player import Player
from zerosum.runtime import rng

if TYPE_CHECKING:
    from zerosum.game import Game


class Loss(dict[str, Tensor]):
    """Named terms, each of shape (), whose sum one player minimises.

    Args:
        watch: logged but not minimised: of shape (), or (N, ...) with one row or more a sample.
        keep: (N, ...), handed back by the move for a later one in the round, neither logged nor minimised.
        terms: of shape () each.
    """

    def __init__(
        self, *, watch: Mapping[str, Tensor] | None = None, keep: Mapping[str, Tensor] | None = None, **terms: Tensor
    ) -> None:
        super().__init__(terms)
        self.watch: dict[str, Tensor] = dict(watch or {})
        self.keep: dict[str, Tensor] = dict(keep or {})

    def total(self) -> Tensor:
        """Return the sum of the terms, of shape ().

        >>> Loss(adversarial=torch.tensor(1.0), penalty=torch.tensor(0.5)).total().item()
        1.5
        """
        return torch.stack([term.float() for term in self.values()]).sum()


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of rounds played the same way."""

    name: str
    rounds: int
    play: Callable[[Game[Any]], None]
    batch: int | None = None
    """Samples per draw over all processes; None: the recipe's."""
    fresh: tuple[str, ...] = ()
    """Players that start this phase with a forgetful optimizer."""


@dataclass(frozen=True, kw_only=True)
class RecipeSettings(Settings):
    """What every recipe lets its user set."""

    rounds: Count = 10_000
    """Rounds to play: passes through the paper's algorithm box."""

    batch: Count = 64
    """Real samples per draw, over all processes."""


class Recipe(nn.Module, ABC):
    """One paper: networks, players, the round, and how to sample. Its state_dict is the whole model."""

    Config: ClassVar[type[RecipeSettings]] = RecipeSettings
    """Frozen dataclass with a docstring under each field; the defaults are the paper's."""

    data: ClassVar[tuple[type[Batch], ...]] = (Images,)
    """The kinds of batch that this recipe plays on."""

    divisible: ClassVar[bool] = True
    """Whether each loss is a mean over samples, so that pieces of a batch may be differentiated apart. Where it is not,
    every process plays with the whole batch."""

    group: int = 1
    """Neighbours in a batch that a loss looks at together: a piece of a batch holds a multiple of them."""

    sample: Callable[..., Tensor]
    """Generates (n, *shape) samples in [-1, 1]. Its signature is the command line: keywords are the user's controls."""

    def __init__(self, config: RecipeSettings, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.spec = spec

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Return who moves, by name; called once, when the networks stand on their device."""

    @abstractmethod
    def round(self, game: Game[Any]) -> None:
        """Play the paper's algorithm box once, with `game.draw()` and `game.move(...)`."""

    def phases(self) -> Sequence[Phase]:
        """Return the stretches of rounds, in order."""
        return [Phase(name="main", rounds=self.config.rounds, play=self.round)]

    def compare(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return samples and the real ones to hold them against, both (N, *shape), for previews and metrics."""
        return self.sample(len(batch)), batch.real

    @property
    def jitter(self) -> Jitter:
        """How real images are varied each time they are drawn: here not at all."""
        return Jitter()

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said when training starts, one sentence each."""
        return ()

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device


@dataclass(frozen=True, kw_only=True)
class LatentSettings(RecipeSettings):
    """What every recipe with a latent vector lets its user set."""

    latent: Count = 100
    """Values in a latent vector, drawn from N(0, 1)."""


class LatentRecipe(Recipe):
    """A recipe whose `generator` maps latents (N, Z) to samples, so that one can truncate them and walk among them."""

    Config: ClassVar[type[LatentSettings]] = LatentSettings
    config: LatentSettings
    generator: nn.Module
    between: Between = staticmethod(slerp)

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""
        return rng.normal(n, self.config.latent, device=self.device)

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        if latent is None:
            latent = self.prior(n) if truncation is None else truncated_normal(n, self.config.latent, limit=truncation)
        return self.generator(latent.to(self.device))


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(RecipeSettings):
    """What every recipe that makes images from images lets its user set."""

    batch: Count = 1
    """Real samples per draw, over all processes."""

    enlarge: Annotated[float, Interval(ge=1, le=4)] = 286 / 256
    """Factor by which images are enlarged before they are cropped to their size at a random place; 1 crops nothing."""

    mirror: Fraction = 0.5
    """Share of the draws that are mirrored left to right; 0 where left and right are not alike."""


class TranslationRecipe(Recipe):
    """A recipe that makes images from images. In place of `sample` it has `translate`."""

    Config: ClassVar[type[TranslationSettings]] = TranslationSettings
    config: TranslationSettings
    data = (Pairs,)

    translate: Callable[..., Tensor]
    """Makes (N, *shape) images from (N, *source_shape) ones, all in [-1, 1]: the same function in previews, in metrics
    and at use. Its signature is the command line: keywords are the user's controls."""

    @property
    @abstractmethod
    def multiple(self) -> int:
        """What both sides of an image must be a multiple of for the networks to take it, in pixels."""

    @property
    def smallest(self) -> int:
        """Side of the smallest image that the networks take, a multiple of `multiple`, in pixels."""
        return self.multiple

    def compare(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Return translations and what they should be, both (N, *shape)."""
        return self.translate(batch.source), batch.target

    def show(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): source, translation, target."""
        return batch.source, self.translate(batch.source), batch.target

    @property
    def jitter(self) -> Jitter:
        """How real images are varied each time they are drawn."""
        return Jitter(enlarge=self.config.enlarge, mirror=self.config.mirror)


@runtime_checkable
class Walkable(Protocol):
    """A recipe with latents to walk among: `sample(n, latent=...)` maps what `prior(n)` draws."""

    between: Between
    """How to go from one latent to the next."""

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents as in training."""
        ...


@runtime_checkable
class Completing(Protocol):
    """A recipe that fills holes in images."""

    spec: Spec

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        ...

    def complete(self, images: Tensor, mask: Tensor) -> Tensor:
        """Fill (N, C, H, W) images in [-1, 1] where the (N, 1, H, W) mask is 1, and leave all else as it is."""
        ...

    def show(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): with holes, completed, as it was."""
        ...
