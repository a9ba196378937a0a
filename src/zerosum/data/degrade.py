"""Ways to spoil an image, so that a pair is made from it alone: the spoilt one is the source, the image the target."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter

from zerosum.data.packing.wide import blurred, doubled, resized
from zerosum.errors import InputError

LUMA = np.array([299, 587, 114], dtype=np.uint32)  # ITU-R BT.601, in thousandths
GRAY = 128


@dataclass(frozen=True)
class Way:
    """One way to spoil images: what its strength means, and what it does."""

    strength: float | None
    """By default; None where there is nothing to set."""
    bounds: tuple[float, float]
    meaning: str
    apply: Callable[[np.ndarray, float, np.random.Generator, bool], np.ndarray]
    """(H, W, C) uint8 or uint16 to what is left of it, of the same type; the last says whether there is opacity."""


@dataclass(frozen=True)
class Degradation:
    """A way to spoil images, with its strength: what --degrade names."""

    name: str
    strength: float
    alpha: bool = field(default=False, repr=False)
    """Whether the last of two or four channels is the opacity that image files declare; in an array it is data."""

    @classmethod
    def read(cls, asked: str) -> Degradation:
        """Read "name" or "name:strength".

        Raises:
            InputError: there is no such way, or its strength is out of bounds.

        >>> Degradation.read("downscale:2"), Degradation.read("gray")
        (Degradation(name='downscale', strength=2.0), Degradation(name='gray', strength=0.0))
        """
        match = re.fullmatch(r"([a-z]+)(?::([0-9.]+))?", asked.strip().lower())
        name, given = (match[1], match[2]) if match else (asked, None)
        way = ways().get(name)
        if way is None:
            known = ", ".join(f"{name} ({way.meaning})" for name, way in ways().items())
            raise InputError(f"--degrade {asked} is not known: give one of {known}.")
        if way.strength is None:
            if given is not None:
                raise InputError(f"--degrade {asked} has a strength, but {name} has none to set: give {name} alone.")
            return cls(name, 0.0)
        low, high = way.bounds
        try:
            strength = way.strength if given is None else float(given)
        except ValueError:
            strength = low - 1
        if not low <= strength <= high or (name == "downscale" and strength != int(strength)):
            raise InputError(
                f"--degrade {asked} is not possible: {way.meaning}, from {low:g} to {high:g}, such as "
                f"{name}:{way.strength:g}."
            )
        return cls(name, strength)

    def shape(self, target: tuple[int, ...]) -> tuple[int, ...]:
        """Shape (C', H', W') of the source that a target of (C, H, W) is spoilt to.

        Raises:
            InputError: the sides cannot be divided by the factor of a downscaling.

        >>> Degradation.read("downscale:4").shape((3, 64, 96))
        (3, 16, 24)
        """
        channels, height, width = target
        if self.name in ("gray", "edges"):
            return (1, height, width)
        if self.name != "downscale":
            return target
        factor = int(self.strength)
        if (fit := self.fitting((height, width))) != (height, width):
            raise InputError(
                f"Images of {height}x{width} cannot be downscaled by {factor} to whole pixels: --size "
                f"{fit[0]}x{fit[1]} would fit."
            )
        return (channels, height // factor, width // factor)

    def fitting(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the largest size (H, W) of a target up to `size` whose source has whole pixels.

        >>> Degradation.read("downscale:4").fitting((30, 64)), Degradation.read("gray").fitting((30, 64))
        ((28, 64), (30, 64))
        """
        factor = int(self.strength) if self.name == "downscale" else 1
        height, width = (max(1, side // factor) * factor for side in size)
        return height, width

    def __call__(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Spoil one image: (H, W, C) uint8 or uint16 to (H', W', C') of the same type, as `shape` says."""
        return ways()[self.name].apply(image, self.strength, random, self.alpha)

    def __str__(self) -> str:
        way = ways()[self.name]
        return self.name if way.strength is None else f"{self.name}:{self.strength:g}"


def ways() -> dict[str, Way]:
    """All ways there are, by name."""
    none = (0.0, 0.0)
    return {
        "downscale": Way(4, (2, 16), "factor by which both sides shrink", _downscale),
        "gray": Way(None, none, "luma alone", _gray),
        "mask": Way(0.25, (0.01, 0.9), "share of the area that a block of gray covers", _mask),
        "noise": Way(0.1, (0.001, 1), "standard deviation, as a share of the full range", _noise),
        "blur": Way(2, (0.1, 50), "standard deviation in pixels", _blur),
        "edges": Way(None, none, "dark lines on white where the luma changes", _edges),
    }


def _downscale(image: np.ndarray, factor: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    size = (image.shape[1] // int(factor), image.shape[0] // int(factor))
    if image.dtype == np.uint16:
        opacity = alpha and image.shape[2] in (2, 4)
        return resized(image, (size[1], size[0]), filter=Image.Resampling.BICUBIC, alpha=opacity)
    return _filtered(image, alpha, lambda picture: picture.resize(size, Image.Resampling.BICUBIC))


def _gray(image: np.ndarray, strength: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    channels = image.shape[2]
    if channels == 3 or (channels == 4 and alpha):
        return ((image[..., :3] @ LUMA + 500) // 1000).astype(image.dtype)[..., None]
    if channels == 1 or alpha:
        return image[..., :1]
    return np.rint(image.mean(2, keepdims=True)).astype(image.dtype)


def _mask(image: np.ndarray, share: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    height, width, _ = image.shape
    tall, wide = (max(1, round(side * share**0.5)) for side in (height, width))
    top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
    masked = image.copy()
    masked[top : top + tall, left : left + wide] = GRAY * (_top(image) // 255)
    return masked


def _noise(image: np.ndarray, deviation: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    noise = random.standard_normal(image.shape, dtype=np.float32)
    top = _top(image)
    return np.clip(np.rint(image + top * deviation * noise), 0, top).astype(image.dtype)


def _blur(image: np.ndarray, deviation: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    if image.dtype == np.uint16:
        return blurred(image, deviation, alpha=alpha and image.shape[2] in (2, 4))
    return _filtered(image, alpha, lambda picture: picture.filter(ImageFilter.GaussianBlur(deviation)))


def _edges(image: np.ndarray, strength: float, random: np.random.Generator, alpha: bool) -> np.ndarray:
    """Slope of the luma, slightly smoothed, by central differences; 32 levels a pixel or more are black."""
    if image.dtype == np.uint16:
        return doubled(_edges((image >> 8).astype(np.uint8), strength, random, alpha))
    luma = _blur(_gray(image, 0, random, alpha), 1, random, alpha=False)[..., 0]
    padded = np.pad(luma.astype(np.float32), 1, mode="edge")
    down, across = np.diff(padded[:, 1:-1], axis=0), np.diff(padded[1:-1], axis=1)
    slopes = (down[1:] + down[:-1]) / 2, (across[:, 1:] + across[:, :-1]) / 2
    return (255 - np.clip(np.rint(8 * np.hypot(*slopes)), 0, 255)).astype(np.uint8)[..., None]


def _top(image: np.ndarray) -> int:
    """The highest level of an image's type."""
    return int(np.iinfo(image.dtype).max)


def _filtered(image: np.ndarray, alpha: bool, apply: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    """Filter (H, W, C) by Pillow, which takes the last of two or four channels for opacity and weighs by it.

    Where it is none, each channel is filtered alone.
    """
    if image.shape[2] == 3 or (alpha and image.shape[2] in (2, 4)):
        return np.asarray(apply(Image.fromarray(image)))
    bands = [np.asarray(apply(Image.fromarray(band))) for band in np.moveaxis(image, 2, 0)]
    return np.stack(bands, axis=2)
