"""What a data set looks like to a recipe: the shape of a sample and the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The facts about the data that a recipe builds its networks from."""

    shape: tuple[int, ...]
    """Shape of one sample without the batch: (C, H, W) for images, (2,) for points."""

    kind: str = "images"
    """What a sample is: the name of a kind of `zerosum.kinds`."""

    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of their labels; empty when the data has no labels."""

    class_counts: tuple[int, ...] = ()
    """Training samples of each class, in the order of `classes`; empty without labels, or where nobody counted."""

    source_shape: tuple[int, ...] | None = None
    """Shape (C', H', W') of what a sample is made from, for pairs and domains; None where it is made from nothing."""
