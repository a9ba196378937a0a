"""The real samples of an evaluation: the part that is held against, and another one for the floor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from zerosum.data.batch import Batch
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import AnyDataset, open_as
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

HELD_OUT = ("test", "val")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Some of the samples of a split."""

    dataset: AnyDataset
    split: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """What samples are held against, and what sets the floor."""

    real: Split
    other: Split | None
    """None where there is one split only, of which one half serves as the real side and the other for the floor."""

    trained: str
    """The split that is trained on."""

    @property
    def training(self) -> Dataset:
        """The samples that are trained on; of another split only where the data have none of that name."""
        sides = [side for side in (self.real, self.other) if side is not None]
        return targets_as_images(next((side for side in sides if side.split == self.trained), sides[0]).dataset)

    @property
    def held_out(self) -> Dataset | None:
        """Samples that are not trained on, or None."""
        sides = [side for side in (self.real, self.other) if side is not None]
        found = next((side for side in sides if side.split != self.trained), None)
        return None if found is None or len(sides) < 2 else targets_as_images(found.dataset)

    def count(self, asked: int) -> int:
        """Return how many samples a side can have, given how many were asked for.

        Raises:
            InputError: There are not two for each side.
        """
        real = len(targets_as_images(self.real.dataset))
        count = min(asked, real // 2 if self.other is None else min(real, len(targets_as_images(self.other.dataset))))
        if count < 2:
            raise InputError(
                f"{self.real.dataset.source} has {real} real samples, and an evaluation needs 2 for each of two sides: "
                "give more data, or --count 2 or more."
            )
        return count


def find_parts(
    source: str | Path,
    options: DataConfig,
    kinds: Sequence[type[Batch]],
    *,
    split: str | None,
    progress: ProgressCallback | None = None,
    world: World,
) -> Splits:
    """Open the part of some data that samples are held against, and another one like it if there is one.

    Args:
        source: as in training.
        options: as in training; their split is the one that is trained on.
        kinds: as for `open_as`.
        split: the part to hold samples against; a held-out one by default.
        progress: told of stages.
        world: the first process opens alone at first, so that data are packed once.

    Raises:
        InputError: There are no such data, or no such part.
        StorageError: The cache cannot be written to.
    """
    trained = options.split

    def opened(part: str, like: AnyDataset | None) -> AnyDataset:
        asked = replace(options if like is None else with_size_of(like.spec, options), split=part)
        return in_turn(world, lambda: open_as(kinds, source, options=asked, progress=progress))

    def attempted(part: str, like: AnyDataset) -> Split | None:
        try:
            found = opened(part, like)
        except InputError:
            return None
        return Split(dataset=found, split=part) if found.spec.shape == like.spec.shape else None

    chosen = split or trained
    first = Split(dataset=opened(chosen, None), split=chosen)
    rest = [part for part in (trained, *HELD_OUT) if part != chosen]
    second = next((found for part in rest if (found := attempted(part, first.dataset))), None)
    if split is None and second is not None:
        first, second = second, first
    return Splits(real=first, other=second, trained=trained)


def in_turn(world: World, make: Callable[[], T]) -> T:
    """Make something in the first process, which leaves it in the cache, and then in the others.

    The others come after it also where it fails: they fail alike, and nobody waits for anybody.
    """
    if not world.is_first:
        world.wait()
        return make()
    try:
        return make()
    finally:
        world.wait()


def with_size_of(spec: Spec, options: DataConfig) -> DataConfig:
    """Return options that bring images to the size, and where they are made from nothing the channels, of a spec."""
    if spec.is_points:
        return options
    asked = replace(options, size="x".join(map(str, spec.shape[1:])), range=spec.range or options.range)
    return asked if spec.source_shape is not None else replace(asked, channels=spec.shape[0])


def targets_as_images(dataset: AnyDataset) -> Dataset:
    """View what translations should look like, the targets or the second domain, as images."""
    if isinstance(dataset, Dataset):
        return dataset
    return Dataset(
        samples=dataset.samples,
        labels=None,
        spec=Spec(shape=dataset.spec.shape),
        source=dataset.source,
        fingerprint=f"{dataset.fingerprint}-targets",
        notes=(),
    )
