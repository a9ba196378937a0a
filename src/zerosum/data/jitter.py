"""What chance does to an image each time it is drawn: a random crop of its enlargement, a mirror, and a turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from zerosum.data.packing.wide import resized
from zerosum.errors import InputError

ORDER, CROP, NOISE, FIXED_NOISE, CAPTION = range(5)
"""What a generator of random numbers is for: no two purposes share one. `FIXED_NOISE` is that of a row, not a draw."""


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How images are varied. The same picture never comes twice in quite the same way."""

    enlarge: float = 1.0
    """Factor by which an image is enlarged before it is cropped to its own size again, at a random place."""

    mirror: float = 0.0
    """Share of the draws that are mirrored left to right."""

    rotate: float = 0.0
    """Share of the draws that are turned by 90, 180 or 270 degrees; by 180 where height and width differ."""

    def checked(self) -> Jitter:
        """Return this, once it is known to make sense.

        Raises:
            InputError: an enlargement outside [1, 4], or a share outside [0, 1].
        """
        if not 1 <= self.enlarge <= 4:
            raise InputError(f"--enlarge {self.enlarge:g} is not possible: give a factor from 1 (no crop) to 4.")
        if not 0 <= self.mirror <= 1:
            raise InputError(f"--mirror {self.mirror:g} is not possible: give a share from 0 to 1.")
        if not 0 <= self.rotate <= 1:
            raise InputError(f"--rotate {self.rotate:g} is not possible: give a share from 0 to 1.")
        return self


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Which draw of a stream this is. All randomness of its samples is a function of it: runs resume exactly."""

    seed: int
    position: int
    """Of the first sample, counted from the start of the run."""
    jitter: Jitter = Jitter()

    def generator(self, index: int, purpose: int, side: int = 0) -> np.random.Generator:
        """Random numbers for one purpose, for the sample at `index` of this draw."""
        return generator(self.seed, self.position + index, purpose, side)

    def view(self, index: int, side: int = 0) -> View:
        """The view of the sample at `index`; the two sides of a pair share one, two domains do not."""
        left, top, toss, turn, angle = self.generator(index, CROP, side).random(5)
        room = 1 - 1 / self.jitter.enlarge
        return View(
            left=left * room,
            top=top * room,
            side=1 - room,
            mirrored=bool(toss < self.jitter.mirror),
            turns=1 + int(3 * angle) if turn < self.jitter.rotate else 0,
        )


@dataclass(frozen=True, kw_only=True)
class View:
    """A part of an image, scaled to the whole image's size, mirrored and turned. Lengths are shares of its sides."""

    left: float
    top: float
    side: float
    mirrored: bool
    turns: int = 0
    """Quarter turns, counterclockwise; any number is a half where height and width differ."""

    def of(self, image: np.ndarray) -> np.ndarray:
        """Cut this view out of an image: (H, W, C) uint8 or uint16 to the same shape and type."""
        image = self._cropped(image) if self.side < 1 else image
        image = image[:, ::-1] if self.mirrored else image
        square = image.shape[0] == image.shape[1]
        return np.rot90(image, self.turns if square else 2) if self.turns else image

    def _cropped(self, image: np.ndarray) -> np.ndarray:
        height, width, channels = image.shape
        box = (self.left * width, self.top * height)
        ends = (min(width, box[0] + self.side * width), min(height, box[1] + self.side * height))
        if image.dtype == np.uint16:
            return resized(image, (height, width), filter=Image.Resampling.BICUBIC, box=(*box, *ends))
        # channel by channel: Pillow takes the last of two or four for an alpha channel, and weighs by it
        bands = [
            Image.fromarray(image[..., channel]).resize((width, height), Image.Resampling.BICUBIC, (*box, *ends))
            for channel in range(channels)
        ]
        return np.stack([np.asarray(band) for band in bands], axis=-1)


def generator(seed: int, index: int, purpose: int, side: int = 0) -> np.random.Generator:
    """Random numbers of one purpose.

    Args:
        seed: of the run.
        index: of the epoch, the draw or the row.
        purpose: one of the constants above.
        side: 1 for the second of two domains.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, index, purpose, side))))


def views(images: np.ndarray, draw: Draw, side: int = 0) -> np.ndarray:
    """Vary images as a draw says: (N, H, W, C) uint8 or uint16 to the same shape and type."""
    if draw.jitter == Jitter():
        return images
    return np.stack([draw.view(index, side).of(image) for index, image in enumerate(images)])
