"""What a data set looks like to a recipe: the shape of a sample and the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The facts about the data that a recipe builds its networks from."""

    shape: tuple[int, ...]
    """Shape of one sample without the batch: (C, H, W) for images, (2,) for points."""

    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of their labels; empty when the data has no labels."""

    source_shape: tuple[int, ...] | None = None
    """Shape (C', H', W') of what a sample is made from, for pairs and domains; None where it is made from nothing."""

    range: str | None = field(default=None, compare=False)
    """Numbers that become 0 and 255, as `bit_depth.read_range` reads them, of sources/targets where they differ; None
    where all data have 8 bits. It belongs to the preprocessing, and two specs are equal whatever it is."""

    @property
    def is_points(self) -> bool:
        """Whether a sample is a point of the plane rather than an image.

        >>> Spec(shape=(2,)).is_points
        True
        """
        return len(self.shape) == 1
