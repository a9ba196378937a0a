"""Lipschitz regularisation of discriminators: gradient penalties and weight clipping.

`critic` maps (N, *shape) to one logit or more per sample and must compute each on its own (no batch norm), since
the gradient of a sum of outputs is read as each sample's gradient. Penalties are of shape (), in float32
at least.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zerosum.objectives import require_pairs, to_float32
from zerosum.runtime import rng

Critic = Callable[[Tensor], Tensor]


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, *, target: float = 1.0) -> Tensor:
    """Penalise gradient norms other than `target` between real and fake samples: E(|grad D(x^)| - target)^2.

    Each x^ = e x + (1 - e) G(z) has its own e ~ U[0, 1], and the norm runs over all of a sample's values.

    Args:
        critic: (N, *shape) -> logits.
        real: (N, *shape).
        fake: (N, *shape).
        target: the gradient norm; 1 in the paper, 0 for the zero-centred variant.

    Raises:
        ValueError: `real` and `fake` are of two shapes.

    Source: Gulrajani et al. 2017, eq. 3 and algorithm 1 (https://arxiv.org/abs/1704.00028).
    """
    require_pairs(real, fake)
    mix = rng.uniform(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = torch.lerp(to_float32(fake), to_float32(real), mix.to(to_float32(real)))
    return (_squared_slopes(critic, between).add(1e-12).sqrt() - target).square().mean()


def approximate_r1(critic: Critic, real: Tensor, *, sigma: float = 0.01) -> Tensor:
    """Estimate `r1` by finite differences: E(D(x + sigma e) - D(x))^2 / (2 sigma^2) with e ~ N(0, I).

    Differentiated once, not twice. Its mean over e is that of `r1` up to O(sigma^2); each sample's estimate has a
    standard deviation of sqrt(2) times its mean. Both values are computed on the same random draws (of dropout, of
    augmentation) and in float32, whatever autocast says, because their difference is divided by sigma.

    Args:
        critic: (N, *shape) -> logits; two calls on equal draws must be of one function, with no state in between.
        real: (N, *shape).
        sigma: standard deviation of the noise, in units of the data.

    Source: Lin et al. 2025 (https://arxiv.org/abs/2501.08316).
    """
    x = to_float32(real.detach())
    noise = rng.normal(len(x), *x.shape[1:], device=x.device).to(x)
    state = rng.state(x.device)
    with torch.autocast(x.device.type, enabled=False):
        there = critic(x + sigma * noise)
        rng.set_state(state, x.device)
        difference = to_float32(there) - to_float32(critic(x))
    return (difference.reshape(len(x), -1).sum(1) / sigma).square().mean() / 2


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Compute half the mean squared gradient norm of the critic at real samples: E|grad D(x)|^2 / 2.

    Weigh it by gamma.

    Source: Mescheder et al. 2018, eq. 9 (https://arxiv.org/abs/1801.04406).
    """
    return _squared_slopes(critic, real).mean() / 2


def r2(critic: Critic, fake: Tensor) -> Tensor:
    """Compute half the mean squared gradient norm at generated samples: E|grad D(G(z))|^2 / 2.

    Weigh it by gamma.

    Source: Mescheder et al. 2018, eq. 10.
    """
    return _squared_slopes(critic, fake).mean() / 2


def logits_and_slopes(critic: Critic, x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute logits and their squared gradient norms in one pass, for penalties at the samples of the loss itself.

    Half the norms' mean is `r1` or `r2` at a bit more than half the time: E|grad D(x)|^2 / 2.

    Args:
        critic: (N, *shape) -> logits (N, ...).
        x: (N, *shape).

    Returns:
        The logits, and |grad D(x)|^2 of each sample (N,), differentiable once more.
    """
    x = to_float32(x.detach()).requires_grad_()
    with torch.enable_grad():
        logits = critic(x)
        (slope,) = torch.autograd.grad(to_float32(logits).sum(), x, create_graph=True)
    return logits, slope.flatten(1).square().sum(1)


def path_lengths(samples: Tensor, styles: Tensor) -> Tensor:
    """Compute how far each sample moves with its styles, in a random direction of image space: |J^T y|.

    Args:
        samples: (N, C, H, W), made from `styles`.
        styles: (N, L, S), those of L layers.

    Returns:
        (N,), the root of the mean over layers of the squared norms, for y ~ N(0, 1 / (H W)); differentiable once more.

    Source: Karras et al. 2020, section 3.2 and appendix B (https://arxiv.org/abs/1912.04958).
    """
    noise = rng.normal(len(samples), *samples.shape[1:], device=samples.device)
    noise = noise / (samples.shape[2] * samples.shape[3]) ** 0.5
    with torch.enable_grad():
        (slope,) = torch.autograd.grad((to_float32(samples) * noise).sum(), styles, create_graph=True)
    return to_float32(slope).square().sum(2).mean(1).sqrt()


@torch.no_grad()
def clip_weights_(network: nn.Module, limit: float) -> None:
    """Clip every parameter of `network`, in place, to [-limit, limit].

    Source: Arjovsky et al. 2017, algorithm 1, line 7.
    """
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _squared_slopes(critic: Critic, x: Tensor) -> Tensor:
    """Return |grad D|^2 at each sample: (N, *shape) -> (N,), differentiable once more."""
    return logits_and_slopes(critic, x)[1]
