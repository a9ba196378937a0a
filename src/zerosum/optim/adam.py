"""Adam as in torch, but fast on channels-last weights, whose gradients torch's fused kernel copies at every step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zerosum.optim.eager import Eager


class Adam(Eager, torch.optim.Adam):
    """`torch.optim.Adam`: same arguments, same state_dict, same steps.

    The fused kernel goes through memory from end to end and heeds no strides, so gradients and moments must lie as the
    weights do. Torch brings channels-last gradients in order by a copy that takes longer than the step itself; here the
    kernel gets views of everything in the order in which it lies. Moments of a checkpoint that was written with another
    memory format are laid out as the weights are now.

    Source: Kingma & Ba 2015, algorithm 1 (https://arxiv.org/abs/1412.6980).
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        super().load_state_dict(state_dict)
        for weight, state in self.state.items():
            for name, value in state.items():
                if value.shape == weight.shape:
                    state[name] = _like(weight, value)

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        max_exp_avg_sqs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        """Gather weights, gradients and moments as torch does, each as a view without gaps."""
        gathered = (params_with_grad, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
        has_complex = super()._init_group(group, *gathered, state_steps)
        grads[:] = map(_like, params_with_grad, grads)
        for tensors in gathered:
            tensors[:] = map(_in_order, tensors)
        return has_complex


def _like(weight: Tensor, value: Tensor) -> Tensor:
    """Lay a value out as a weight of its shape, if it does not lie so."""
    return value if value.stride() == weight.stride() else torch.empty_like(weight).copy_(value)


def _in_order(tensor: Tensor) -> Tensor:
    """View a channels-last tensor (K, C, H, W) as the contiguous (K, H, W, C) that it is."""
    if tensor.ndim != 4 or tensor.is_contiguous() or not tensor.is_contiguous(memory_format=torch.channels_last):
        return tensor
    return tensor.permute(0, 2, 3, 1)
