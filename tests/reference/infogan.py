"""Chen et al. 2016, section 5: min over G and Q, max over D of V(D, G) - lambda L_I."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.reference.common import (
    Move,
    Player,
    Weights,
    batch_norm,
    conv,
    conv_up,
    cross_entropy,
    leaky,
    relu,
    softplus,
    told,
)


def category_nll(logits: Tensor, code: Tensor) -> Tensor:
    """Return E -log Q(c|x) of a category, code as an index per sample."""
    log_q = logits - torch.logsumexp(logits, 1, keepdim=True)
    return -log_q.gather(1, code.view(-1, 1)).mean()


def normal_nll(mean: Tensor, code: Tensor) -> Tensor:
    """Return E -log N(c; mean, 1), summed over the codes of a sample."""
    return (0.5 * (code - mean) ** 2 + 0.5 * math.log(2 * math.pi)).sum(1).mean()


def lower_bound(
    q: Tensor, category: Tensor | None, codes: Tensor | None, *, categories: int
) -> tuple[Tensor | float, Tensor | float]:
    """Return L_I of the category and of the codes, E log Q(c|x) + H(c), in nats (equation 5).

    H of a uniform category is log K, of a code on [-1, 1] log 2.
    """
    of_category: Tensor | float = 0.0
    of_codes: Tensor | float = 0.0
    if category is not None:
        of_category = math.log(categories) - category_nll(q[:, :categories], category)
    if codes is not None:
        of_codes = codes.shape[1] * math.log(2) - normal_nll(q[:, categories:], codes)
    return of_category, of_codes


def play(
    g: Player,
    d: Player,
    judge: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], Tensor],
    x: Tensor,
    z: Sequence[Tensor],
    codes: Sequence[tuple[Tensor | None, Tensor | None]],
    *,
    categories: int,
    weight: float = 1.0,
) -> list[Move]:
    """Play one round; -lambda L_I is a term of both losses, and d owns Q too (authors' code, infogan_trainer.py).

    judge(x) and read(x) give the logit and Q's output with the present parameters. z holds the latents of the moves,
    codes included, and codes the category and the continuous codes of each.
    """

    def information(move: int, made: Tensor) -> tuple[Tensor, dict[str, Tensor | float]]:
        of_category, of_codes = lower_bound(read(made), *codes[move], categories=categories)
        return torch.as_tensor(-weight * (of_category + of_codes)), {"category": of_category, "codes": of_codes}

    fake = g(z[0]).detach()
    r, f = judge(x), judge(fake)
    term, parts = information(0, fake)
    adversarial = cross_entropy(r, 1.0) + cross_entropy(f, 0.0)
    moves = [d.move(adversarial + term, {"adversarial": adversarial, **parts, **told(r, f)})]
    made = g(z[1])
    term, parts = information(1, made)
    adversarial = softplus(-judge(made)).mean()
    moves.append(g.move(adversarial + term, {"adversarial": adversarial, **parts}))
    return moves


def generator(weights, z: Tensor, *, side: int, ups: int = 2, end: str = "sigmoid") -> Tensor:
    """FC, BN, ReLU; FC to a map, BN, ReLU; transposed k4 s2 with BN and ReLU, the last with neither (table G)."""
    w = Weights(weights)
    h = relu(batch_norm(z @ w.take().T + w.take(), w.take(), w.take()))
    h = relu(batch_norm(h @ w.take().T + w.take(), w.take(), w.take()))
    h = h.reshape(len(z), -1, side, side)
    for i in range(ups):
        h = conv_up(h, w.take(), w.take(), stride=2, padding=1)
        if i < ups - 1:
            h = relu(batch_norm(h, w.take(), w.take()))
    w.done()
    return torch.sigmoid(h) if end == "sigmoid" else h.tanh()


def discriminator(weights, x: Tensor, *, downs: int = 2, slope: float = 0.1) -> tuple[Tensor, Tensor]:
    """Trunk of k4 s2 convolutions and an FC, the head of D, the head of Q with one hidden layer (table D/Q)."""
    w, h = Weights(weights), x
    for i in range(downs):
        h = conv(h, w.take(), w.take(), stride=2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, slope)
    h = leaky(batch_norm(h.flatten(1) @ w.take().T + w.take(), w.take(), w.take()), slope)
    logit = (h @ w.take().T + w.take()).flatten()
    q = leaky(batch_norm(h @ w.take().T + w.take(), w.take(), w.take()), slope)
    q = q @ w.take().T + w.take()
    w.done()
    return logit, q


def plain_discriminator(weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """Trunk of two linear layers with a leaky ReLU of .2 after each, for points; linear heads of D and of Q."""
    w = Weights(weights)
    h = leaky(leaky(x @ w.take().T + w.take(), 0.2) @ w.take().T + w.take(), 0.2)
    logit = (h @ w.take().T + w.take()).flatten()
    q = h @ w.take().T + w.take()
    w.done()
    return logit, q
