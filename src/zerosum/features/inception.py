"""The extractor of the Frechet Inception Distance: the Inception network of 2015, and the way it resizes images.

Source: Heusel et al. 2017, section 4 (https://arxiv.org/abs/1706.08500); Salimans et al. 2016, section 4
(https://arxiv.org/abs/1606.03498).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zerosum.features.extractor import SENTENCE, Features, as_rgb, identity_of, rgb_levels
from zerosum.features.inception_network import body, fill

SIDE = 299
CPU = torch.device("cpu")
HEAD = "fc.weight"


class Inception:
    """The Inception network of 2015 as an extractor.

    Args:
        name: "inception", 2048 features and 1008 logits; or "inception-768", the network up to its block mixed_7.
        weights: of each convolution "NAME.weight" (C', C, h, w) and "NAME.bias" (C',) with NAME as in PyTorch's ports,
            and "fc.weight" (1008, 2048), as `inception_weights.read` returns them.
        device: where to compute.
    """

    def __init__(self, name: str, weights: Mapping[str, Tensor], *, device: torch.device = CPU) -> None:
        reduced = name == "inception-768"
        self.name, self.width = name, 768 if reduced else 2048
        network = body(reduced=reduced)
        used = fill(network, weights)
        head = None if reduced else weights[HEAD].float()
        self.identity = identity_of(used if head is None else used | {HEAD: head}, name)
        self.protocol = _protocol(self.width, self.identity)
        self._device, self._head = device, None if head is None else head.to(device)
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images of any size.

        The logits (N, 1008) are without their bias, as the Inception Score has been computed from its first code on.
        """
        features = self._features(as_rgb(images).to(self._device, torch.float32))
        with torch.autocast(self._device.type, enabled=False):
            logits = None if self._head is None else features @ self._head.T
        return Features(features=features.cpu(), logits=None if logits is None else logits.cpu())

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        return self._features(rgb_levels(images.to(self._device)))

    def _features(self, rgb: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 255] to features (N, F)."""
        x = (resize(rgb) - 128) / 128
        with torch.autocast(self._device.type, enabled=False):
            return self._network(x.contiguous(memory_format=torch.channels_last)).mean((2, 3))


def resize(images: Tensor, side: int = SIDE) -> Tensor:
    """Resize as TensorFlow 1 did by default: bilinear, corners not aligned, pixel centres not shifted by a half.

    Output row i lies at i x H / side of the input, in float32, between the two rows around it (the last one twice); no
    smoothing before images are made smaller.

    Args:
        images: (N, C, H, W) float.
        side: H and W of the result.
    """
    x = _between(images, 3, side)
    return _between(x, 2, side)


def _protocol(width: int, identity: str) -> str:
    which = "its 2,048 pooled features and 1,008 logits without bias"
    if width == 768:
        which = "768 features, the spatial means of its block mixed_7, no published FID compares with them"
    return (
        f"The Inception-v3 network of 2015-12-05 (weights {identity[:8]}), {which}; images resized to {SIDE}x{SIDE} by "
        "TensorFlow 1's bilinear resizer (corners not aligned, no half-pixel centres, no antialiasing), (x - 128) / "
        f"128, {SENTENCE}."
    )


def _between(x: Tensor, axis: int, side: int) -> Tensor:
    scale = torch.tensor(x.shape[axis] / side, dtype=torch.float32)
    at = torch.arange(side, dtype=torch.float32) * scale
    low = at.long()
    high = (low + 1).clamp_max(x.shape[axis] - 1)
    share = (at - low).to(x.device).view([-1 if each == axis else 1 for each in range(x.ndim)])
    first, second = (x.index_select(axis, rows.to(x.device)) for rows in (low, high))
    return first + (second - first) * share
