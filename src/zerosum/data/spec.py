"""What a data set looks like to a recipe: the shape of a sample and the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zerosum.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The facts about the data that a recipe builds its networks from."""

    shape: tuple[int, ...]
    """Shape of one sample without the batch: (C, H, W) for images, (2,) for points, (1, L) for waveforms."""

    kind: str = "images"
    """What a sample is: the name of a kind of `zerosum.kinds`."""

    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of their labels; empty when the data has no labels."""

    class_counts: tuple[int, ...] = ()
    """Training samples of each class, in the order of `classes`; empty without labels, or where nobody counted."""

    attributes: tuple[str, ...] = ()
    """Names of the attributes where a label is (A,) zeros and ones, of which several may be 1; empty for all else."""

    attribute_rows: tuple[tuple[str, int], ...] = ()
    """The different rows of attributes in the training data, such as "011", and how many samples have each; empty
    where there are more than 4,096 of them, or nobody counted."""

    attribute_shares: tuple[float, ...] = ()
    """Share of the training samples that have each attribute; empty as `class_counts` is."""

    source_shape: tuple[int, ...] | None = None
    """Shape (C', H', W') of what a sample is made from, for pairs and domains; None where it is made from nothing."""

    bits: Literal[8, 16] = 8
    """Of a channel of an image: 8, or 16 where more than 256 levels were kept."""

    range: str | None = field(default=None, compare=False)
    """Numbers that become black and white, as `bit_depth.read_range` reads them, of sources/targets where they differ;
    None where all data have 8 bits. It belongs to the preprocessing, and two specs are equal whatever it is."""

    rate: int | None = None
    """Samples a second of a waveform; None for all else."""
    vocabulary: tuple[str, ...] = field(default=(), compare=False)
    """Words of the captions, the most frequent first, at most 10,000; empty for data without captions. Two specs are
    equal whatever it is, because another split has other words."""

    @property
    def label_width(self) -> int:
        """Values that a label has for a network, one a class or an attribute; 0 for data without labels.

        >>> Spec(shape=(2,), classes=("cat", "dog", "eel")).label_width
        3
        """
        return len(self.classes) or len(self.attributes)

    @property
    def factor(self) -> int:
        """How many times larger a sample's height and width are than its source's; 1 where it has no source.

        Raises:
            InputError: No whole number of times, or smaller.

        >>> Spec(shape=(3, 96, 64), source_shape=(1, 24, 16)).factor
        4
        """
        if self.source_shape is None:
            return 1
        source, target = self.source_shape[1:], self.shape[1:]
        factor = target[0] // source[0]
        if factor < 1 or tuple(factor * side for side in source) != target:
            raise InputError(
                f"Sources of {source[0]}x{source[1]} cannot be enlarged by a whole factor to targets of "
                f"{target[0]}x{target[1]}: give both the same size, or targets a whole number of times as large."
            )
        return factor
