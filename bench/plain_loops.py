"""Training loops as one writes them from the papers: float32, NCHW, `torch.optim`'s defaults, `.item()` at each round.

Each is a function of the two networks, a draw of real samples and the recipe's settings, and returns its round. What a
careful user does is done: samples for the discriminator are made without a graph, and the discriminator's weights are
frozen in the generator's step; the running average is a loop over the weights.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu, softplus
from torch.optim import Adam, Optimizer, RMSprop

from zerosum.optim.unroll import rule_of, unrolled

Step = Callable[[], object]
Draw = Callable[[], tuple[Tensor, Tensor]]
"""Returns real samples (N, *shape) and labels (N,)."""


def adam(network: nn.Module, lr: float, betas: tuple[float, float]) -> Optimizer:
    """Adam over a network."""
    return Adam(network.parameters(), lr=lr, betas=betas)


def down(optimizer: Optimizer, loss: Tensor) -> float:
    """Take a step down a loss; return its value."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def down_frozen(optimizer: Optimizer, opponent: nn.Module, loss: Callable[[], Tensor]) -> float:
    """Take a step down a loss while the opponent's weights are frozen."""
    opponent.requires_grad_(False)
    value = down(optimizer, loss())
    opponent.requires_grad_(True)
    return value


class Average:
    """A copy of a network that follows it."""

    def __init__(self, network: nn.Module) -> None:
        self.network, self.copy = network, copy.deepcopy(network).requires_grad_(False)

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Go towards the network's weights."""
        for kept, live in zip(self.copy.parameters(), self.network.parameters(), strict=True):
            kept.mul_(decay).add_(live, alpha=1 - decay)


def gan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Goodfellow et al. 2014: the discriminator, then the generator on new samples."""
    step_g, step_d = adam(g, c.generator_lr, c.betas), adam(d, c.discriminator_lr, c.betas)
    average = Average(g)

    def step() -> object:
        real, _ = draw()
        with torch.no_grad():
            fake = g(torch.randn(len(real), c.latent_dim))
        loss_d = down(step_d, softplus(-d(real)).mean() + softplus(d(fake)).mean())
        loss_g = down_frozen(step_g, d, lambda: softplus(-d(g(torch.randn(len(real), c.latent_dim)))).mean())
        average.follow(c.ema_decay)
        return loss_d, loss_g

    return step


def lsgan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Mao et al. 2017: both steps on the same samples."""
    step_g, step_d = adam(g, c.generator_lr, c.betas), adam(d, c.discriminator_lr, c.betas)
    average = Average(g)

    def step() -> object:
        real, _ = draw()
        fake = g(torch.randn(len(real), c.latent_dim))
        loss_g = down_frozen(step_g, d, lambda: (d(fake) - 1).square().mean() / 2)
        average.follow(c.ema_decay)
        loss_d = down(step_d, ((d(real) - 1).square().mean() + d(fake.detach()).square().mean()) / 2)
        return loss_d, loss_g

    return step


def wgan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Arjovsky et al. 2017: clipped weights, several steps of the critic."""
    step_g, step_d = (RMSprop(network.parameters(), lr=c.lr) for network in (g, d))
    average = Average(g)

    def step() -> object:
        for _ in range(c.n_critic):
            real, _ = draw()
            for weight in d.parameters():
                weight.data.clamp_(-c.clip, c.clip)
            with torch.no_grad():
                fake = g(torch.randn(len(real), c.latent_dim))
            loss_d = down(step_d, d(fake).mean() - d(real).mean())
        loss_g = down_frozen(step_g, d, lambda: -d(g(torch.randn(len(real), c.latent_dim))).mean())
        average.follow(c.ema_decay)
        return loss_d, loss_g

    return step


def wgan_gp(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Gulrajani et al. 2017: a gradient penalty between the samples."""
    step_g, step_d = adam(g, c.lr, c.betas), adam(d, c.lr, c.betas)
    average = Average(g)

    def step() -> object:
        for _ in range(c.n_critic):
            real, _ = draw()
            with torch.no_grad():
                fake = g(torch.randn(len(real), c.latent_dim))
            mix = torch.rand(len(real), *[1] * (real.ndim - 1))
            between = (mix * real + (1 - mix) * fake).requires_grad_()
            (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=True)
            penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
            loss_d = down(step_d, d(fake).mean() - d(real).mean() + c.penalty * penalty)
        loss_g = down_frozen(step_g, d, lambda: -d(g(torch.randn(len(real), c.latent_dim))).mean())
        average.follow(c.ema_decay)
        return loss_d, loss_g

    return step


def unrolled_gan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Metz et al. 2017: the generator moves against the discriminator some steps of Adam from now."""
    step_g, step_d = adam(g, c.generator_lr, c.betas), adam(d, c.discriminator_lr, c.betas)
    average = Average(g)

    def step() -> object:
        real, _ = draw()
        fake = g(torch.randn(len(real), c.latent_dim))
        cost = lambda f: softplus(-f(real)).mean() + softplus(f(fake)).mean()  # noqa: E731
        future = unrolled(d, cost, steps=c.steps, rule=rule_of(step_d, d))
        loss_g = down_frozen(step_g, d, lambda: softplus(-future(fake)).mean())
        average.follow(c.ema_decay)
        with torch.no_grad():
            fake = g(torch.randn(len(real), c.latent_dim))
        return down(step_d, softplus(-d(real)).mean() + softplus(d(fake)).mean()), loss_g

    return step


def cgan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Mirza & Osindero 2014: both networks take the labels of the data."""
    step_g, step_d = adam(g, c.lr, c.betas), adam(d, c.lr, c.betas)
    average = Average(g)

    def step() -> object:
        real, labels = draw()
        made = lambda: g(torch.randn(len(real), c.latent_dim), labels)  # noqa: E731
        with torch.no_grad():
            fake = made()
        real.requires_grad_(c.gamma > 0)
        on_real = d(real, labels)
        loss = softplus(-on_real).mean() + softplus(d(fake, labels)).mean()
        if c.gamma:  # R1 (Mescheder et al. 2018)
            (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = loss + c.gamma / 2 * slope.flatten(1).square().sum(1).mean()
        loss_d = down(step_d, loss)
        loss_g = down_frozen(step_g, d, lambda: softplus(-d(made(), labels)).mean())
        average.follow(c.ema_decay)
        return loss_d, loss_g

    return step


def acgan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Odena et al. 2017: the discriminator names the class too; both steps on the same samples."""
    step_g, step_d = adam(g, c.lr, c.betas), adam(d, c.lr, c.betas)
    average = Average(g)

    def step() -> object:
        real, labels = draw()
        fake = g(torch.randn(len(real), c.latent_dim), labels)

        def lower() -> Tensor:
            source, classes = d(fake)
            return softplus(-source).mean() + cross_entropy(classes, labels)

        loss_g = down_frozen(step_g, d, lower)
        average.follow(c.ema_decay)
        (source_real, class_real), (source_fake, class_fake) = d(real), d(fake.detach())
        source = softplus(-source_real).mean() + softplus(source_fake).mean()
        return down(step_d, source + cross_entropy(class_real, labels) + cross_entropy(class_fake, labels)), loss_g

    return step


def hinge(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Miyato et al. 2018, Miyato & Koyama 2018, Brock et al. 2019: hinge loss, data and samples in one batch."""
    rates = (c.generator_lr, c.discriminator_lr) if hasattr(c, "generator_lr") else (c.lr, c.lr)
    moves = c.n_critic if hasattr(c, "n_critic") else c.n_discriminator
    step_g, step_d = adam(g, rates[0], c.betas), adam(d, rates[1], c.betas)
    average = Average(g)

    def made(n: int, labels: Tensor | None) -> tuple[Tensor, ...]:
        latent = torch.randn(n, c.latent_dim)
        return (g(latent),) if labels is None else (g(latent, labels), labels)

    def step() -> object:
        for _ in range(moves):
            real, labels = draw()
            drawn = torch.randint(10, (len(real),)) if c.labelled else None
            with torch.no_grad():
                fake, *_ = made(len(real), drawn)
            both = torch.cat([real, fake])
            logits = d(both) if drawn is None else d(both, torch.cat([labels, drawn]))
            on_real, on_fake = logits.chunk(2)
            loss_d = down(step_d, relu(1 - on_real).mean() + relu(1 + on_fake).mean())
        drawn = torch.randint(10, (len(real),)) if c.labelled else None
        loss_g = down_frozen(step_g, d, lambda: -d(*made(len(real), drawn)).mean())
        average.follow(c.ema_decay)
        return loss_d, loss_g

    return step


def r3gan(g: nn.Module, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Huang et al. 2024: relativistic, with R1 and R2 at each round, and schedules over a burn-in."""
    step_g, step_d = (adam(network, c.lr[0], (0.0, c.beta2[0])) for network in (g, d))
    average, seen = Average(g), 0

    def scheduled(ends: tuple[float, float]) -> float:
        return ends[1] + (ends[0] - ends[1]) * (1 + math.cos(math.pi * min(1.0, seen / c.burn_in))) / 2

    def step() -> object:
        nonlocal seen
        real, _ = draw()
        seen += len(real)
        for optimizer in (step_g, step_d):
            for group in optimizer.param_groups:
                group["lr"], group["betas"] = scheduled(c.lr), (0.0, scheduled(c.beta2))
        with torch.no_grad():
            fake = g(torch.randn(len(real), c.latent_dim))
        logits, slopes = [], []
        for x in (real.detach().clone(), fake):
            on_x = d(x.requires_grad_())
            (slope,) = torch.autograd.grad(on_x.sum(), x, create_graph=True)
            logits.append(on_x)
            slopes.append(slope.square().flatten(1).sum(1).mean())
        penalty = scheduled(c.gamma) / 2 * (slopes[0] + slopes[1])
        loss_d = down(step_d, softplus(logits[1] - logits[0]).mean() + penalty)

        def lower() -> Tensor:
            return softplus(d(real) - d(g(torch.randn(len(real), c.latent_dim)))).mean()

        loss_g = down_frozen(step_g, d, lower)
        half_life = scheduled(c.ema_half_life)
        average.follow(0.5 ** (len(real) / half_life) if half_life else 0.0)
        return loss_d, loss_g

    return step


def stylegan2(g: Any, d: nn.Module, draw: Draw, c: Any) -> Step:
    """Karras et al. 2020: mixed styles, and R1 in every k-th round as a step of its own."""
    lazy = c.r1_every / (c.r1_every + 1)
    step_g, step_d = adam(g, c.lr, (0.0, c.beta2)), adam(d, c.lr * lazy, (0.0, c.beta2**lazy))
    average, mean, played = Average(g), torch.zeros(c.latent_dim), 0

    def made(n: int) -> Tensor:
        styles = g.styles(torch.randn(n, c.latent_dim))
        mean.lerp_(styles.detach().mean(0), 0.005)
        layers = 2 * len(g.to_image)
        mixed = styles[:, None].repeat(1, layers, 1)
        if torch.rand(()) < c.mixing:
            cut = int(torch.randint(1, layers, ()))
            mixed[:, cut:] = g.styles(torch.randn(n, c.latent_dim))[:, None]
        return g(mixed)

    def step() -> object:
        nonlocal played
        real, _ = draw()
        loss_g = down_frozen(step_g, d, lambda: softplus(-d(made(len(real)))).mean())
        average.follow(0.5 ** (c.batch / c.ema_half_life))
        with torch.no_grad():
            fake = made(len(real))
        loss_d = down(step_d, softplus(d(fake)).mean() + softplus(-d(real)).mean())
        if played % c.r1_every == 0:
            x = real.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
            down(step_d, c.gamma / 2 * c.r1_every * slope.square().sum((1, 2, 3)).mean())
        played += 1
        return loss_d, loss_g

    return step


def weights(networks: Iterable[nn.Module]) -> int:
    """Return how many weights networks have, those of a parametrisation counted as the layer's own."""
    return sum(p.numel() for network in networks for p in network.parameters())
