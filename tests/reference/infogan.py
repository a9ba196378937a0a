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


def play(
    g: Player,
    d: Player,
    x: Tensor,
    z: Tensor,
    z_g: Tensor | None,
    information: Callable[[Tensor, str], tuple[Tensor, dict[str, Tensor]]],
    *,
    real_label: float = 1.0,
    mi_in_discriminator: bool = True,
    half: bool = False,
) -> list[Move]:
    """Play one round.

    d returns (logit, code estimates); information maps the estimates and the name of the mover (whose codes they are)
    to the weighted -lambda L_I up to H(c), and its parts. The player d holds trunk, D's head and Q: one optimiser.
    """
    fake = g(z).detach()
    r, _ = d(x)
    f, estimate = d(fake)
    real_part, fake_part = cross_entropy(r, real_label), cross_entropy(f, 0.0)
    term, parts = information(estimate, "discriminator")
    loss = (0.5 if half else 1.0) * (real_part + fake_part) + (term if mi_in_discriminator else 0.0)
    moves = [d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, "information": term, **parts})]
    f, estimate = d(g(z if z_g is None else z_g))
    adversarial = softplus(-f).mean()
    term, parts = information(estimate, "generator")
    loss = adversarial + term
    moves.append(g.move(loss, {"loss": loss, "adversarial": adversarial, "information": term, **parts}))
    return moves


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


def play_in_three(
    g: Player,
    d: Player,
    informant: Player,
    judge: Callable[[Tensor], Tensor],
    read: Callable[[Tensor], Tensor],
    x: Tensor,
    z: Sequence[Tensor],
    category: Tensor | None,
    codes: Tensor | None,
    *,
    categories: int,
    weight: float = 1.0,
) -> list[Move]:
    """Play one round with L_I as a move of its own, of a third optimiser over G, trunk and Q (PyTorch-GAN's way).

    judge(x) and read(x) give the logit and Q's output with the present parameters; z holds the latents of the three
    moves, codes included, and category and codes are those of the third.
    """
    r, f = judge(x), judge(g(z[0]).detach())
    real_part, fake_part = cross_entropy(r, 1.0), cross_entropy(f, 0.0)
    loss = real_part + fake_part
    moves = [d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f)})]
    loss = softplus(-judge(g(z[1]))).mean()
    moves.append(g.move(loss, {"loss": loss}))
    of_category, of_codes = lower_bound(read(g(z[2])), category, codes, categories=categories)
    loss = -weight * (of_category + of_codes)
    moves.append(informant.move(loss, {"loss": loss, "category": of_category, "codes": of_codes}))
    return moves


def generator(weights, z: Tensor, *, side: int, ups: int = 2, bias: bool = True, end: str = "sigmoid") -> Tensor:
    """FC, BN, ReLU; FC to a map, BN, ReLU; transposed k4 s2 with BN and ReLU, the last with neither (table G)."""
    w = Weights(weights)

    def take_bias():
        return w.take() if bias else None

    h = z @ w.take().T
    if bias:
        h = h + w.take()
    h = relu(batch_norm(h, w.take(), w.take()))
    h = h @ w.take().T
    if bias:
        h = h + w.take()
    h = relu(batch_norm(h, w.take(), w.take()))
    h = h.reshape(len(z), -1, side, side)
    for i in range(ups):
        h = conv_up(h, w.take(), take_bias(), stride=2, padding=1)
        if i < ups - 1:
            h = relu(batch_norm(h, w.take(), w.take()))
    w.done()
    return torch.sigmoid(h) if end == "sigmoid" else h.tanh()


def discriminator(
    weights, x: Tensor, *, downs: int = 2, slope: float = 0.1, bias: bool = True
) -> tuple[Tensor, Tensor]:
    """Trunk of k4 s2 convolutions and an FC, the head of D, the head of Q with one hidden layer (table D/Q)."""
    w = Weights(weights)

    def take_bias():
        return w.take() if bias else None

    h = x
    for i in range(downs):
        h = conv(h, w.take(), take_bias(), stride=2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, slope)
    h = h.flatten(1) @ w.take().T
    if bias:
        h = h + w.take()
    h = leaky(batch_norm(h, w.take(), w.take()), slope)
    logit = (h @ w.take().T + w.take()).flatten()
    q = h @ w.take().T
    if bias:
        q = q + w.take()
    q = leaky(batch_norm(q, w.take(), w.take()), slope)
    q = q @ w.take().T + w.take()
    w.done()
    return logit, q


def plain_discriminator(weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """Trunk of two linear layers with a leaky ReLU of .2 between, for points; linear heads of D and of Q."""
    w = Weights(weights)
    h = leaky(x @ w.take().T + w.take(), 0.2) @ w.take().T + w.take()
    logit = (h @ w.take().T + w.take()).flatten()
    q = h @ w.take().T + w.take()
    w.done()
    return logit, q
