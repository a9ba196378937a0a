"""LPIPS: perceptual distance of two images on a network's features; and the same distance on any classifier.

Source: Zhang et al. 2018, section 3 and eq. 1 (https://arxiv.org/abs/1801.03924); constants of version 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.runtime.external_weights import read_weights

Stages = Callable[[Tensor], Sequence[Tensor]]
"""Extracts, from images (N, C, H, W) in [-1, 1], the maps (N, C_s, H_s, W_s) of its stages, first to last."""

Backbone = Literal["alex", "vgg"]

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
TINY = 1e-10
_ALEX = ((64, 11, 4, 2), "pool", (192, 5, 1, 2), "pool", (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
_VGG = tuple(
    layer
    for index, (width, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)))
    for layer in (("pool",) if index else ()) + ((width, 3, 1, 1),) * count
)
_ENDS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
_WIDTHS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
_SMALLEST = {"alex": 31, "vgg": 16}


class FeatureStack(nn.Module):
    """The convolutions of AlexNet or VGG16, by the names that torchvision gives their weights: features.0.weight ...

    Args:
        backbone: "alex" (Krizhevsky 2014, https://arxiv.org/abs/1404.5997) or "vgg" (Simonyan & Zisserman 2014,
            https://arxiv.org/abs/1409.1556, configuration D). The weights are random until some are loaded.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone: Backbone = backbone
        pool = nn.MaxPool2d(3, 2) if backbone == "alex" else nn.MaxPool2d(2, 2)
        layers, channels = [], 3
        for layer in _ALEX if backbone == "alex" else _VGG:
            if isinstance(layer, str):
                layers.append(pool)
                continue
            width, kernel, stride, padding = layer
            layers += [nn.Conv2d(channels, width, kernel, stride, padding), nn.ReLU()]
            channels = width
        self.features = nn.Sequential(*layers)
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute the five stages of (N, C, H, W) in [-1, 1], C being 3, or 1 for gray, repeated to three channels.

        Raises:
            InputError: Another number of channels, or images too small for the last stage.
        """
        least = _SMALLEST[self.backbone]
        if images.shape[1] not in (1, 3) or min(images.shape[2:]) < least:
            raise InputError(
                f"LPIPS-{self.backbone} was given images of {images.shape[1]} channels and "
                f"{images.shape[2]}x{images.shape[3]} pixels; give 1 or 3 channels and {least} pixels a side or more."
            )
        shift, scale = (images.new_tensor(value)[:, None, None] for value in (SHIFT, SCALE))
        maps, stages = (images - shift) / scale, []
        for index, layer in enumerate(self.features):
            maps = layer(maps)
            if index in _ENDS[self.backbone]:
                stages.append(maps)
        return stages


@dataclass(frozen=True, eq=False)
class PerceptualDistance:
    """A perceptual distance of images, on a network's features."""

    name: str
    """What stands beside each number: "lpips-alex", "lpips-vgg" or "lpips-classifier". Other names do not compare."""

    stages: Stages
    """Computes the features of images."""

    heads: Sequence[Tensor] | None
    """(C_s,) non-negative weights of each stage's channels; None weighs every channel by 1."""

    @torch.no_grad()
    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Measure (N, C, H, W) images against as many others: (N,) float32, 0 for equal ones.

        Args:
            a: uint8, or float in [-1, 1], which is brought to float32.
            b: likewise.

        Raises:
            InputError: Images that do not fit each other, or floating-point values outside [-1, 1].
        """
        if a.shape != b.shape or a.ndim != 4:
            raise InputError(
                f"{self.name} was given images {tuple(a.shape)} and {tuple(b.shape)}; give both as (N, C, H, W), of "
                "one size."
            )
        # Few at a time: VGG's first maps take 26 MB an image of 224 pixels.
        pairs = zip(a.split(16), b.split(16), strict=True)
        return torch.cat([stage_distance(self._see(x), self._see(y), self.heads) for x, y in pairs])

    def with_gradient(self, a: Tensor, b: Tensor) -> Tensor:
        """Measure (N, C, H, W) images, float in [-1, 1], against as many others, with a gradient: (N,)."""
        return stage_distance(self.stages(a), self.stages(b), self.heads)

    def _see(self, images: Tensor) -> Sequence[Tensor]:
        images = to_float(images) if images.dtype == torch.uint8 else images.float()
        if not bool((images.abs() <= 1 + 1e-3).all()):
            raise InputError(f"{self.name} was given values outside [-1, 1]; give uint8, or float in [-1, 1].")
        return self.stages(images)


def stage_distance(a: Sequence[Tensor], b: Sequence[Tensor], heads: Sequence[Tensor] | None = None) -> Tensor:
    """Compute the feature distance of N pairs: channels made unit vectors, squared differences weighed, means summed.

    Args:
        a: maps (N, C_s, H_s, W_s), one a stage.
        b: likewise.
        heads: (C_s,) a stage; None weighs every channel by 1.

    Returns:
        (N,).

    Source: Zhang et al. 2018, eq. 1.

    >>> one, other = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    >>> stage_distance([one.view(1, 2, 1, 1)], [other.view(1, 2, 1, 1)]).item()
    2.0
    """
    total = a[0].new_zeros(len(a[0]))
    for index, (x, y) in enumerate(zip(a, b, strict=True)):
        apart = (_unit(x) - _unit(y)).square()
        if heads is not None:
            apart = apart * heads[index].to(apart).view(-1, 1, 1)
        total = total + apart.sum(1).mean((1, 2))
    return total


def lpips(backbone: Backbone, *, weights: str | Path, heads: str | Path, device: str = "cpu") -> PerceptualDistance:
    """Return LPIPS v0.1 with a backbone's weights and the learned weights of its channels, each from a file.

    Args:
        backbone: "alex", as comparisons report it, or "vgg", as perceptual path lengths do.
        weights: .pth or .safetensors with torchvision's names; what is not under "features." is left aside.
        heads: .pth or .safetensors with lin0.model.1.weight to lin4.model.1.weight, as the authors publish them.
        device: where to compute.

    Raises:
        InputError: A file that cannot be read, or that is of another network.
    """
    stack = FeatureStack(backbone)
    found = {name: value for name, value in read_weights(weights).items() if name.startswith("features.")}
    _require_same(found, stack.state_dict(), weights, f"the backbone {backbone}")
    stack.load_state_dict(found)
    stack.to(device).eval()
    return PerceptualDistance(f"lpips-{backbone}", stack, read_heads(backbone, heads))


def read_heads(backbone: Backbone, path: str | Path) -> list[Tensor]:
    """Read the learned weights of the channels of each stage, (C_s,) each.

    Raises:
        InputError: A file that cannot be read, of another backbone, or with negative weights.
    """
    found = {name: value for name, value in read_weights(path).items() if name.startswith("lin")}
    widths = _WIDTHS[backbone]
    expected = {f"lin{s}.model.1.weight": torch.empty(1, width, 1, 1) for s, width in enumerate(widths)}
    _require_same(found, expected, path, f"the heads of {backbone}")
    if any(bool((value < 0).any()) for value in found.values()):
        raise InputError(f"{path} has negative weights, and LPIPS has none; is it another version?")
    return [found[name].flatten() for name in expected]


def lpips_classifier(stages: Stages) -> PerceptualDistance:
    """Return the same construction on any network, every channel weighed by 1, named "lpips-classifier".

    It needs no downloads, and it is not LPIPS: its numbers compare only among those of the same network.
    """
    return PerceptualDistance("lpips-classifier", stages, None)


def outputs_of(modules: nn.Sequential) -> Stages:
    """View a sequence of modules as stages, each module's output being one: `outputs_of(classifier.stages)`."""

    def see(images: Tensor) -> list[Tensor]:
        found = [images]
        for module in modules:
            found.append(module(found[-1]))
        return found[1:]

    return see


def _unit(maps: Tensor) -> Tensor:
    return maps / (torch.linalg.vector_norm(maps, dim=1, keepdim=True) + TINY)


def _require_same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: str | Path, of: str) -> None:
    ours, theirs = ({name: tuple(value.shape) for name, value in side.items()} for side in (expected, found))
    if differing := sorted({name for name, _ in ours.items() ^ theirs.items()}):
        raise InputError(
            f"{path} does not hold the weights of {of}: {len(differing)} tensors differ ({', '.join(differing[:3])})."
        )
