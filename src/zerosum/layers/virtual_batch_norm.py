"""Virtual batch normalisation: statistics of a fixed reference batch and of the sample itself, not of other samples.

Source: Salimans et al. 2016, section 3.5 (https://arxiv.org/abs/1606.03498).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zerosum.objectives import to_float32
from zerosum.runtime import rng

REFERENCE = 64
"""Samples in a reference batch: the batch of most recipes (the paper gives no number)."""


class VirtualBatchNorm2d(nn.Module):
    """Normalise each channel of each sample by the statistics of the reference batch and the sample together.

    With R samples in the reference, the mean and the (biased) variance are those of all values of the channel in R + 1
    samples; those of the reference itself are of the R alone. A learned scale and shift follow. The
    statistics are in float32 at least, and computed the same way in training and in evaluation.

    Works within a network that `add_reference` was called on, which runs the reference first.

    Args:
        channels: of the maps.

    Source: Salimans et al. 2016, section 3.5; the weight 1 / (R + 1) of the sample is that of pooling them.
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.reference: tuple[Tensor, Tensor, float] | None = None

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape; the first call after `reference` was set to None sets it."""
        x = to_float32(maps)
        if self.reference is None:
            variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self.reference = mean, variance, 1 / (len(x) + 1)
            mean, variance = mean[None], variance[None]
        else:
            mean, variance = self._pooled(x)
        scale = self.weight * (variance + self.EPSILON).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None]).to(maps.dtype)

    def extra_repr(self) -> str:
        """Return the channels."""
        return str(len(self.weight))

    def _pooled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of each sample with the reference, (N, C) each, without cancellation."""
        assert self.reference is not None
        reference_mean, reference_variance, share = self.reference
        own_variance, own_mean = torch.var_mean(x, dim=(2, 3), correction=0)
        apart = own_mean - reference_mean
        within = torch.lerp(reference_variance.expand_as(own_variance), own_variance, share)
        return reference_mean + share * apart, within + share * (1 - share) * apart.square()


def add_reference(network: nn.Module, shape: tuple[int, ...]) -> None:
    """Give a network with virtual batch norm its reference batch: a buffer, and a pass of it before every call.

    The buffer `reference`, (64, *shape), is part of the state_dict. It is nan until `set_reference`, so that a loss
    without one is not finite. Its pass has gradients as any other, and draws what layers draw (dropout) for all its
    rows, however the batch is cut.

    Args:
        network: whose one input is (N, *shape).
        shape: of an input.
    """
    network.register_buffer("reference", torch.full((REFERENCE, *shape), torch.nan))
    network.register_forward_pre_hook(_pass_reference)
    network.register_forward_hook(_forget, always_call=True)


def has_reference(network: nn.Module) -> bool:
    """Whether a part of a network was given a reference batch."""
    return any(map(_is_reference, dict(network.named_buffers())))


@torch.no_grad()
def set_reference(network: nn.Module, *inputs: Any) -> None:
    """Fix the reference batch of those parts of a network that have one: what enters them of `inputs`, 64 rows.

    Call it in evaluation mode, in which nothing varies the inputs.
    """
    parts = [module for module in network.modules() if "reference" in dict(module.named_buffers(recurse=False))]
    handles = [part.register_forward_pre_hook(_keep, prepend=True) for part in parts]
    try:
        if parts:
            network(*inputs)
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def copy_reference(source: nn.Module, target: nn.Module) -> None:
    """Give a network the reference batches of another one that was built alike."""
    buffers = dict(target.named_buffers())
    for name, buffer in source.named_buffers():
        if _is_reference(name):
            buffers[name].copy_(buffer)


def _is_reference(name: str) -> bool:
    return name.rpartition(".")[2] == "reference"


def _norms(network: nn.Module) -> list[VirtualBatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, VirtualBatchNorm2d)]


def _pass_reference(network: nn.Module, _: Any) -> None:
    _forget(network)
    reference: Any = network.reference
    with rng.share(0, len(reference), len(reference)):
        network.forward(reference)


def _forget(network: nn.Module, *_: Any) -> None:
    for norm in _norms(network):
        norm.reference = None


def _keep(network: nn.Module, inputs: tuple[Any, ...]) -> None:
    reference: Any = network.reference
    reference.copy_(inputs[0])
