"""Standing statistics: batch norm's means and variances over many batches of samples, in place of running averages.

Source: Brock et al. 2019, section 3.1 and appendix C.2 (https://arxiv.org/abs/1809.11096).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Statistics = list[tuple[Tensor, Tensor]]
"""Mean and variance of every batch norm of a network, in order: (C,) each."""


@torch.no_grad()
def standing_statistics(network: nn.Module, forward: Callable[[], object], *, batches: int = 16) -> Statistics:
    """Return the mean of each batch norm's statistics over several batches; the network stays as it is.

    Args:
        network: with batch norm.
        forward: runs the network on one batch of samples.
        batches: how many.
    """
    norms = _norms(network)
    before = [(norm.momentum, norm.training, norm.num_batches_tracked.clone()) for norm in norms]  # type: ignore
    kept = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]  # type: ignore[union-attr]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # which torch reads as the mean over all batches
            norm.train()
        for _ in range(batches):
            forward()
        return [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]  # type: ignore[union-attr]
    finally:
        for norm, (momentum, training, count) in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.train(training)
            norm.num_batches_tracked.copy_(count)  # type: ignore[union-attr]
        _put(network, kept)


@contextmanager
def put_in_place(network: nn.Module, statistics: Statistics) -> Iterator[None]:
    """Let a network in evaluation mode normalise by `statistics` meanwhile."""
    kept = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in _norms(network)]  # type: ignore[union-attr]
    _put(network, statistics)
    try:
        yield
    finally:
        _put(network, kept)


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def _put(network: nn.Module, statistics: Statistics) -> None:
    for norm, (mean, variance) in zip(_norms(network), statistics, strict=True):
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
