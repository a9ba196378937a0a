"""Real samples in two splits: those that generated samples are compared with, and others like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zerosum import kinds
from zerosum.data.batch import Batch
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import HELD_OUT, open_as, open_splits
from zerosum.kinds.images import ImageDataset
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """A split of some data, opened."""

    dataset: Dataset
    split: str

    @property
    def images(self) -> SampleDataset:
        """Its samples; of pairs and domains, what translations should look like."""
        return targets_as_images(self.dataset)


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """The split that samples are compared with, and the one that sets the floor."""

    real: Split
    other: Split | None
    """None where there is one split only, of which one half serves as the real side and the other for the floor."""

    trained: str
    """The split that is trained on."""

    padded: bool = False
    """Whether images of another shape were padded to it, not cut."""

    notes: tuple[str, ...] = ()
    """Which splits were left out, and why."""

    @property
    def training(self) -> SampleDataset:
        """The samples that are trained on; of another split only where the data have none of that name."""
        return next((split for split in self._both if split.split == self.trained), self.real).images

    @property
    def held_out(self) -> SampleDataset | None:
        """Samples that are not trained on, or None."""
        found = next((split for split in self._both if split.split != self.trained), None)
        return None if found is None or self.other is None else found.images

    @property
    def _both(self) -> tuple[Split, ...]:
        return (self.real,) if self.other is None else (self.real, self.other)


def find_splits(
    batches: Sequence[type[Batch]],
    source: str | Path,
    options: DataConfig,
    *,
    split: str | None,
    progress: ProgressCallback | None = None,
    world: World = World(),
) -> Splits:
    """Open the split that samples are compared with, and another one of the same shape if there is one.

    Args:
        batches: as for `open_as`.
        source: as in training.
        options: as in training; their split is the one that is trained on.
        split: the one to compare with; by default a held-out one if there is one, else the one that is trained on.
        progress: told of stages.
        world: the first process opens alone at first, so that data are packed once.

    Raises:
        InputError: There are no such data or no such split, or another split is there and cannot be used.
        StorageError: The cache cannot be written to.
    """
    chosen = split or options.split
    asked = replace(options, split=chosen)
    opened = world.first_then_others(lambda: open_as(batches, source, options=asked, progress=progress))
    first, second, notes = Split(dataset=opened, split=chosen), None, []
    rest = [name for name in dict.fromkeys((options.split, *HELD_OUT)) if name != chosen]
    same = kinds.find(opened.spec.kind).like(opened.spec, options)
    for name, found in open_splits(batches, source, rest, options=same, progress=progress, world=world):
        if (apart := differing(found.spec, opened.spec)) is None:
            second = Split(dataset=found, split=name)
            break
        unit, theirs, ours = apart
        notes.append(
            f"Split {name} is left out: its {unit} have the shape {theirs} and those of split {chosen} {ours}."
        )
    if split is None and second is not None:
        first, second = second, first
    padded = options.fit == "pad"
    return Splits(real=first, other=second, trained=options.split, padded=padded, notes=tuple(notes))


def differing(one: Spec, other: Spec) -> tuple[str, tuple[int, ...] | None, tuple[int, ...] | None] | None:
    """Return what differs in shape between two specs, samples or their sources, and both shapes; None where nothing."""
    for unit, mine, theirs in (
        ("samples", one.shape, other.shape),
        ("sources", one.source_shape, other.source_shape),
    ):
        if mine != theirs:
            return unit, mine, theirs
    return None


def targets_as_images(dataset: Dataset) -> SampleDataset:
    """View what translations should look like, the targets or the second domain, as images."""
    if isinstance(dataset, SampleDataset):
        return dataset
    return ImageDataset(
        samples=dataset.samples,
        labels=None,
        spec=Spec(shape=dataset.spec.shape, bits=dataset.spec.bits),
        source=dataset.source,
        fingerprint=f"{dataset.fingerprint}-targets",
        notes=(),
    )


def require_same_classes(splits: Splits, spec: Spec) -> None:
    """See that the real samples have the classes that a run generates for.

    Raises:
        InputError: they have others, or none.
    """
    real = splits.real.images
    if not real.has_classes or real.spec.classes != spec.classes:
        raise InputError(
            f"--per-class needs real samples with the classes of the run, and {real.source} has "
            f"{'others' if real.has_classes else 'no classes'}: leave it out, or give such data with --against."
        )
