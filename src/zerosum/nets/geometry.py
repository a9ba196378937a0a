"""How the cells of a convolution's features lie over an image."""

from __future__ import annotations

from typing import NamedTuple


class Geometry(NamedTuple):
    """How the cells of the features lie over an image. `size` is the image's (H, W), which a stride leaves open."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """(H', W') of the features."""
        sides = zip(*self, strict=True)
        return tuple((size + 2 * pad - kernel) // step + 1 for kernel, step, pad, size in sides)

    @property
    def is_point(self) -> bool:
        """Whether one cell sees the whole image, so that everything is a plain matrix product."""
        return self.size == self.kernel and self.padding == (0, 0)

    @property
    def is_half(self) -> bool:
        """Whether this is DCGAN's 4x4 kernel that halves an image of even size."""
        return self[:3] == ((4, 4), (2, 2), (1, 1)) and self.size[0] % 2 == self.size[1] % 2 == 0
