"""Convolutions for CPUs: torch.nn's layers, same parameters and results, but faster and cheap to differentiate twice.

A convolution without bias is a trilinear form t(image, weight, features) = <features, convolve(image, weight)>. Leaving
out one of the three gives convolution, transposed convolution or weight gradient, and the gradient of each is made of
the other two: one differentiable function closes the system, and gradients of gradients (WGAN-GP, R1) run on the same
kernels. Which kernel serves a shape is a fixed rule, measured on a CPU with AVX512-BF16: a resumed run must repeat.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from zerosum.layers import conv_kernels
from zerosum.layers.conv_kernels import Geometry

_NHWC = torch.channels_last
_GIVEN = {"features": ("image", "weight"), "image": ("features", "weight"), "weight": ("image", "features")}


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`: same arguments, same state_dict, same result within rounding."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, H', W')."""
        if isinstance(self.padding, str) or not serves(self, input):
            return super().forward(input)
        geometry = Geometry(self.kernel_size, self.stride, self.padding, tuple(input.shape[2:]))
        return contract(input, self.weight, self.bias, "features", geometry)


class ConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`: same arguments, same state_dict, same result within rounding."""

    at_use = False
    """Whether it is trained and used: kernels that would change the bits of training are then allowed."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, H', W')."""
        if output_size is not None or isinstance(self.padding, str) or not serves(self, input):
            return super().forward(input, output_size)
        sides = zip(input.shape[2:], self.stride, self.padding, self.kernel_size, self.output_padding, strict=True)
        size = tuple((cells - 1) * step - 2 * pad + kernel + extra for cells, step, pad, kernel, extra in sides)
        geometry = Geometry(self.kernel_size, self.stride, self.padding, size)
        if self.at_use and conv_kernels.spreads_by_taps(input, self.weight, geometry):
            return conv_kernels.spread_by_taps(input, self.weight, self.bias)
        return contract(input, self.weight, self.bias, "image", geometry)


class UpsampleConv(nn.Conv2d):
    """Nearest-neighbour upsampling by two, then the 3x3 convolution whose weight this is: Odena et al. 2016.

    On a CPU both are one 4x4 transposed convolution of stride 2 whose kernel sums the taps of the same pixel: the
    same function with 2.25 times fewer multiplications. Source: https://distill.pub/2016/deconv-checkerboard.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, 2H, 2W)."""
        if not serves(self, input):
            return super().forward(functional.interpolate(input, scale_factor=2.0, mode="nearest"))
        geometry = Geometry((4, 4), (2, 2), (1, 1), (2 * input.shape[2], 2 * input.shape[3]))
        weight = sum_taps(sum_taps(self.weight.transpose(0, 1), 2), 3)
        return contract(input, weight, self.bias, "image", geometry)


def sum_taps(weight: Tensor, axis: int) -> Tensor:
    """Three taps on the upsampled axis as four taps of a transposed convolution on the source's."""
    first, middle, last = weight.unbind(axis)
    return torch.stack([last, middle + last, first + middle, first], axis)


def serves(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, *, groups: int = 1, on: str = "cpu") -> bool:
    """Whether what follows can stand in, on such devices, for torch.nn's own forward; that is used where it cannot."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or x.ndim != 4 or x.numel() == 0:
        return False
    plain = layer.groups == groups and tuple(layer.dilation) == (1, 1) and layer.padding_mode == "zeros"
    placed = x.device == layer.weight.device and x.device.type in on.split()
    typed = x.is_floating_point() and x.dtype != torch.float16
    same = x.dtype == layer.weight.dtype or torch.is_autocast_enabled(x.device.type)
    return plain and placed and typed and same and x.shape[1] == layer.in_channels


def contract(a: Tensor, b: Tensor, bias: Tensor | None, missing: str, geometry: Geometry) -> Tensor:
    """Contract the trilinear form with `a` and `b`, which are those of _GIVEN[missing], in autocast's type."""
    return _Contraction.apply(ready(a), ready(b), ready(bias), missing, geometry)  # type: ignore[return-value]


def ready(value: Any) -> Any:
    """Bring a tensor, differentiably, to autocast's type, and on a CPU to channels-last; None stays None."""
    if value is None:
        return None
    place = value.device.type
    casts = torch.is_autocast_enabled(place) and value.dtype != torch.float64
    dtype = torch.get_autocast_dtype(place) if casts else value.dtype
    return inner(value.to(dtype, memory_format=_NHWC if place == "cpu" and value.ndim == 4 else torch.preserve_format))


def inner(value: Tensor) -> Tensor:
    """Return a leaf as a view of itself: only for inner nodes does autograd report whether their gradient is wanted."""
    return value.view_as(value) if value.is_leaf and value.requires_grad else value


class _Contraction(Function):
    """The trilinear form without `missing`: (a, b, bias) -> missing, where a and b are those of _GIVEN."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, bias: Tensor | None, missing: str, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.missing, ctx.geometry = missing, geometry
        if missing == "weight":
            return _correlate(a, b, geometry)
        return (_convolve if missing == "features" else _spread)(a, b, bias, geometry)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = inner(gradients[0].contiguous(memory_format=_NHWC))
        names = _GIVEN[ctx.missing]
        known = dict(zip((*names, ctx.missing), (*ctx.saved_tensors, gradient), strict=True))
        towards = (
            _Contraction.apply(*map(known.get, _GIVEN[name]), None, name, ctx.geometry) if wanted(ctx, index) else None
            for index, name in enumerate(names)
        )
        return *towards, gradient.sum((0, 2, 3)) if wanted(ctx, 2) else None, None, None


def wanted(ctx: Any, index: int) -> bool:
    """Whether the running pass uses this gradient: `autograd.grad(..., inputs)` does not use all that require one."""
    return ctx.needs_input_grad[index] and torch._C._will_engine_execute_node(ctx.next_functions[index][0])


def _convolve(image: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """(N, C, H, W), (K, C, h, w) -> (N, K, H', W')."""
    if (geometry.is_point or _few(image, len(weight), geometry, strided=2048, dense=256)) and _trusted(image.dtype):
        return _convolve_by_product(image, weight, bias, geometry)
    if conv_kernels.serves(image.shape[1], len(weight), geometry):
        return conv_kernels.convolve(image, weight, bias, geometry)
    return functional.conv2d(image, weight, bias, geometry.stride, geometry.padding)


def _spread(features: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """(N, K, H', W'), (K, C, h, w) -> (N, C, H, W)."""
    if geometry.is_point and _trusted(features.dtype):
        return _spread_by_product(features, weight, bias, geometry)
    if geometry.is_half and weight.shape[1] <= 4 and _trusted(features.dtype):
        return _spread_by_parity(features, weight, bias)
    _, stride, padding, size = geometry
    extra = [(size[i] + 2 * padding[i] - geometry.kernel[i]) % stride[i] for i in (0, 1)]
    return functional.conv_transpose2d(features, weight, bias, stride, padding, extra)


def _correlate(image: Tensor, features: Tensor, geometry: Geometry) -> Tensor:
    """(N, C, H, W), (N, K, H', W') -> (K, C, h, w)."""
    outputs = features.shape[1]
    if (geometry.is_point or _few(image, outputs, geometry, strided=8192, dense=1024)) and _trusted(image.dtype):
        return _correlate_by_product(image, features, geometry)
    if conv_kernels.serves(image.shape[1], outputs, geometry):
        return conv_kernels.correlate(image, features, geometry)
    like = torch.empty((features.shape[1], image.shape[1], *geometry.kernel), dtype=image.dtype, memory_format=_NHWC)
    return _aten_gradients(features, image, like, geometry, (False, True))[1]


def _aten_gradients(f: Tensor, x: Tensor, w: Tensor, geometry: Geometry, mask: tuple[bool, bool]) -> Any:
    _, step, pad, _ = geometry
    return torch.ops.aten.convolution_backward(f, x, w, None, step, pad, (1, 1), False, (0, 0), 1, (*mask, False))[:2]


def _few(image: Tensor, outputs: int, geometry: Geometry, *, strided: int, dense: int) -> bool:
    """Whether a map has so few cells that a product with copied patches beats aten, as in bfloat16 alone.

    Where the stride is 1, each pixel is copied for every tap: that pays for fewer cells, and for wide maps alone.
    """
    wide = min(image.shape[1], outputs) >= 64
    most = strided if max(geometry.stride) > 1 else dense if wide else 0
    return image.dtype == torch.bfloat16 and 0 < len(image) * math.prod(geometry.cells) <= most


def _cells(features: Tensor) -> Tensor:
    """(N, K, H, W) -> (N*H*W, K), without a copy of channels-last features."""
    return features.permute(0, 2, 3, 1).flatten(0, 2)


def _patches(image: Tensor, geometry: Geometry) -> Tensor:
    """(N, C, H, W) -> (N*H'*W', h*w*C): the patch that each cell covers."""
    kernel, stride, (top, left), _ = geometry
    pixels = image.permute(0, 2, 3, 1)
    pixels = functional.pad(pixels, (0, 0, left, left, top, top)) if top or left else pixels
    windows = pixels.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)


def _product(a: Tensor, b: Tensor, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """Return a @ b as a channels-last tensor of `shape`, and no view: activations may change it in place."""
    result = torch.empty(shape, dtype=a.dtype, memory_format=_NHWC)
    torch.mm(a, b, out=result.permute(0, 2, 3, 1).view(len(a), -1))
    return result if bias is None else result.add_(bias[:, None, None])


def _convolve_by_product(image: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    weights = _cells(weight).view(len(weight), -1).t()
    return _product(_patches(image, geometry), weights, bias, (len(image), len(weight), *geometry.cells))


def _spread_by_product(features: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    cells, weights = _cells(features), _cells(weight).view(len(weight), -1)
    rows = cells.expand(max(2, len(cells)), -1)  # one row, times a matrix, would be added up in another order
    made = _product(rows, weights, bias, (len(rows), weight.shape[1], *geometry.size))
    return made if len(cells) > 1 else made[:1].clone()


def _correlate_by_product(image: Tensor, features: Tensor, geometry: Geometry) -> Tensor:
    shape = (features.shape[1], image.shape[1], *geometry.kernel)
    return _product(_cells(features).t(), _patches(image, geometry), None, shape)


def _spread_by_parity(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Each parity of the image's rows and columns is a 3x3 convolution of the features: aten is slow at thin images."""
    taps = torch.tensor([[4, 2, 0], [5, 3, 1]])
    taken = functional.pad(weight, (1, 1, 1, 1))[:, :, taps[:, None, :, None], taps[None, :, None, :]]
    kernels = taken.permute(1, 2, 3, 0, 4, 5).flatten(0, 2).contiguous(memory_format=_NHWC)
    image = functional.pixel_shuffle(functional.conv2d(features, kernels, padding=1), 2)
    return (image if bias is None else image + bias[:, None, None]).contiguous(memory_format=_NHWC)


@cache
@torch.no_grad()
def _trusted(dtype: torch.dtype) -> bool:
    """Whether the kernels above give aten's results on this machine; tried once per type, without randomness."""
    half = Geometry((4, 4), (2, 2), (1, 1), (8, 8))
    image, weight, features = (
        torch.linspace(0.0, 40.0, torch.Size(shape).numel()).sin().view(shape).to(dtype, memory_format=_NHWC)
        for shape in ((4, 3, 8, 8), (16, 3, 4, 4), (4, 16, 4, 4))
    )
    x, w, f = image.double(), weight.double(), features.double()
    ours = [_convolve_by_product(image, weight, None, half), _spread_by_parity(features, weight, None)]
    ours.append(_correlate_by_product(image, features, half))
    theirs = (functional.conv2d(x, w, None, 2, 1), *_aten_gradients(f, x, w, half, (True, True)))
    errors = torch.stack([(a - b).abs().max() / b.abs().max() for a, b in zip(ours, theirs, strict=True)])
    if not (good := bool((errors <= 16 * torch.finfo(dtype).eps).all())):
        warnings.warn(f"zerosum's convolutions in {dtype} err on this machine; PyTorch's own are used", stacklevel=2)
    return good
