"""Differentiable unrolling: a network's parameters after k optimizer steps.

Source: Metz et al. 2017, section 2 (https://arxiv.org/abs/1611.02163).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import SGD, Adam, Optimizer

Network = Callable[[Tensor], Tensor]
Weights = dict[str, Tensor]
Rule = Callable[[Weights, Weights, int], Weights]
"""An optimizer's step as a function: (weights, gradients, step counted from 0) -> weights one step later."""
RuleMaker = Callable[[], Rule]
"""Makes a rule that starts from the optimizer's present state."""


def unrolled(network: nn.Module, loss: Callable[[Network], Tensor], *, steps: int, rule: RuleMaker) -> Network:
    """Return `network` as it will be after `steps` steps down `loss`, differentiable in all that `loss` reads.

    The weights of `network` themselves stay as they are. It must have no batch norm, whose statistics every step would
    move.

    Args:
        network: the module that moves.
        loss: from the network, as a function of its input, to what it minimises, of shape ().
        steps: how far to look; 0 is the network as it is.
        rule: makes the step to differentiate through, such as `descent(0.1)` or `rule_of(optimizer, network)`.

    Raises:
        ValueError: `network` has batch norm.
    """
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()):
        raise ValueError("cannot look ahead through batch norm: its statistics are of the batch, and would be moved")
    weights: Weights = {name: p.detach().requires_grad_() for name, p in network.named_parameters()}
    move = rule()
    with torch.enable_grad():
        for step in range(steps):
            gradients = torch.autograd.grad(loss(_fixed(network, weights)), list(weights.values()), create_graph=True)
            weights = move(weights, dict(zip(weights, gradients, strict=True)), step)
    return _fixed(network, weights)


def descent(lr: float) -> RuleMaker:
    """Plain gradient descent: w - lr * g."""

    def rule() -> Rule:
        return lambda weights, gradients, step: {name: w - lr * gradients[name] for name, w in weights.items()}

    return rule


def rule_of(optimizer: Optimizer, network: nn.Module) -> RuleMaker:
    """Return the step that `optimizer` would take from its present state, as a differentiable function.

    Knows plain SGD and Adam. Adam's square root takes its eps inside, so that its derivative at zero is finite.

    Raises:
        NotImplementedError: another optimizer, or one with options that this function does not unroll.
    """
    group = optimizer.param_groups[0]
    options = ("weight_decay", "momentum", "amsgrad", "maximize")
    plain = len(optimizer.param_groups) == 1 and not any(group.get(option) for option in options)
    if isinstance(optimizer, SGD) and plain:
        return descent(group["lr"])
    if isinstance(optimizer, Adam) and plain:
        return lambda: _adam(optimizer, network)
    raise NotImplementedError(f"cannot look ahead through {optimizer}; use plain SGD or Adam")


def _adam(optimizer: Adam, network: nn.Module) -> Rule:
    """Adam (Kingma & Ba 2015, algorithm 1), going on from the moments that `optimizer` holds."""
    group = optimizer.param_groups[0]
    lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
    first: Weights = {}
    second: Weights = {}
    taken = 0
    for name, parameter in network.named_parameters():
        state = optimizer.state.get(parameter, {})
        first[name] = state.get("exp_avg", torch.zeros_like(parameter)).clone()
        second[name] = state.get("exp_avg_sq", torch.zeros_like(parameter)).clone()
        taken = int(state.get("step", 0))

    def rule(weights: Weights, gradients: Weights, step: int) -> Weights:
        time = taken + step + 1
        moved: Weights = {}
        for name, weight in weights.items():
            first[name] = torch.lerp(gradients[name], first[name], beta1)
            second[name] = torch.lerp(gradients[name].square(), second[name], beta2)
            scale = (second[name] / (1 - beta2**time) + eps**2).sqrt()
            moved[name] = weight - lr / (1 - beta1**time) * first[name] / scale
        return moved

    return rule


def _fixed(network: nn.Module, weights: Weights) -> Network:
    return lambda x: functional_call(network, weights, (x,))
