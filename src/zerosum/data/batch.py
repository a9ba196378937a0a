"""Batches of real samples, and the only place that knows the value range: integers on disk, [-1, 1] in a game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch(ABC):
    """Samples drawn together. Every field is a tensor whose first axis is the batch, or None where data lack it."""

    pixels: ClassVar[tuple[str, ...]] = ()
    """Fields whose uint8 or uint16 values are pixels, which a game takes in [-1, 1]; other fields keep their values."""

    @property
    @abstractmethod
    def real(self) -> Tensor:
        """The samples themselves: (N, *shape)."""

    def __len__(self) -> int:
        return len(next(value for name in _names(type(self)) if (value := getattr(self, name)) is not None))

    def __getitem__(self, rows: slice) -> Self:
        return type(self)(**{name: None if value is None else value[rows] for name, value in self._tensors().items()})

    def split(self, parts: int) -> Iterator[Self]:
        """Yield at most `parts` consecutive pieces of nearly equal length; the batch itself where it is one."""
        if parts == 1:
            yield self
            return
        size = -(-len(self) // parts)
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def to(self, device: torch.device, memory_format: torch.memory_format = torch.contiguous_format) -> Self:
        """Copy to `device`; pixels become float in [-1, 1] there, and images take `memory_format`."""
        moved: dict[str, Tensor | None] = {}
        for name, value in self._tensors().items():
            if value is not None:
                wide = value.dtype == torch.uint16
                # Not every device has unsigned integers of 16 bits: their bits travel as signed ones.
                value = (value.view(torch.int16) if wide else value).to(device, non_blocking=True)
                if name in self.pixels and (wide or value.dtype == torch.uint8):
                    value = _wide_to_float(value) if wide else to_float(value)
                if value.ndim == 4:
                    value = value.contiguous(memory_format=memory_format)
            moved[name] = value
        return type(self)(**moved)

    def _tensors(self) -> dict[str, Tensor | None]:
        return {name: getattr(self, name) for name in _names(type(self))}


@dataclass(frozen=True, kw_only=True)
class Images(Batch):
    """Images, and their labels where the data has them."""

    pixels: ClassVar[tuple[str, ...]] = ("image",)

    image: Tensor
    """(N, C, H, W): float in [-1, 1] once on the device, uint8 or uint16 on the way there."""

    label: Tensor | None = None
    """(N,), int64 in [0, K); (N, A), int64 of 0 and 1, where the data have attributes; or None."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, C, H, W)."""
        return self.image


@dataclass(frozen=True, kw_only=True)
class Points(Batch):
    """Points of the plane, for the toy problems on which a game can be watched in seconds."""

    point: Tensor
    """(N, 2), float."""

    label: Tensor | None = None
    """(N,), int64: the mode a point was drawn from, or None."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, 2)."""
        return self.point


@dataclass(frozen=True, kw_only=True)
class Pairs(Batch):
    """Images, each with what it is to be made from."""

    pixels: ClassVar[tuple[str, ...]] = ("source", "target")

    source: Tensor
    """(N, C', H', W'): what is given. Float in [-1, 1] once on the device, uint8 or uint16 on the way there."""

    target: Tensor
    """(N, C, H, W): what is to come out, likewise."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, C, H, W)."""
        return self.target


@dataclass(frozen=True, kw_only=True)
class Domains(Batch):
    """Images of two kinds, drawn apart: row i of one has nothing to do with row i of the other."""

    pixels: ClassVar[tuple[str, ...]] = ("a", "b")

    a: Tensor
    """(N, C, H, W): images of the first domain. Float in [-1, 1] once on the device, uint8 or uint16 before."""

    b: Tensor
    """(N, C, H, W): images of the second domain, likewise."""

    @property
    def real(self) -> Tensor:
        """The samples that translations of `a` are compared with: (N, C, H, W)."""
        return self.b


@cache
def _names(kind: type[Batch]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def to_float(image: Tensor) -> Tensor:
    """Bring uint8 or uint16 images to the range that networks take.

    >>> to_float(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-1.0, 1.0]
    >>> to_float(torch.tensor([0, 65535], dtype=torch.uint16)).tolist()
    [-1.0, 1.0]
    """
    if image.dtype == torch.uint16:
        return _wide_to_float(image.view(torch.int16))
    return image.to(torch.float32).mul_(1 / 127.5).sub_(1)


def to_uint8(image: Tensor) -> Tensor:
    """Bring images in [-1, 1] to uint8, rounding to the nearest level and clipping what lies outside.

    >>> to_uint8(torch.tensor([-1.0, 0.0, 2.0])).tolist()
    [0, 128, 255]
    """
    return image.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_uint16(image: Tensor) -> Tensor:
    """Bring images in [-1, 1] to uint16 on the CPU, rounding to the nearest level and clipping what lies outside.

    >>> to_uint16(torch.tensor([-1.0, 0.0, 2.0])).tolist()
    [0, 32768, 65535]
    """
    levels = image.double().cpu().add(1).mul(32767.5).round().clamp(0, 65535)
    return levels.to(torch.int32).to(torch.uint16)


def to_levels(image: Tensor, bits: int) -> Tensor:
    """Bring images in [-1, 1] to uint8 or uint16 on the CPU, as their bits say."""
    return to_uint16(image) if bits == 16 else to_uint8(image).cpu()


def as_uint8(image: Tensor) -> Tensor:
    """Return uint8 images as they are, and uint16 ones at 8 bits, as generated images of theirs are brought to it.

    >>> as_uint8(torch.tensor([0, 128, 129, 65535], dtype=torch.uint16)).tolist()
    [0, 0, 1, 255]
    """
    return to_uint8(to_float(image)) if image.dtype == torch.uint16 else image


def _wide_to_float(image: Tensor) -> Tensor:
    """Bring the bits of uint16 images, given as int16, to [-1, 1]."""
    return image.to(torch.int32).bitwise_and_(0xFFFF).to(torch.float32).mul_(1 / 32767.5).sub_(1)
