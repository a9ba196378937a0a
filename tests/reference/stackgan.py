"""Zhang et al. 2017, section 3 and figure 2: two stages of matching-aware games with conditioning augmentation."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Move, Player, Weights, batch_norm, conv, cross_entropy, leaky, relu, softplus, told


def sentence(w: Weights, tokens: Tensor) -> Tensor:
    """Embed words and the mean over words of them and of a mix of three neighbours; scale to norm sqrt(E)."""
    table, mix, mix_bias, out, out_bias = (w.take() for _ in range(5))
    rows = []
    for row in tokens:
        row = row[row > 0]
        words = table[row]
        padded = torch.cat([torch.zeros_like(words[:1]), words, torch.zeros_like(words[:1])])
        mixed = torch.stack([torch.einsum("ock,kc->o", mix, padded[at : at + 3]) + mix_bias for at in range(len(row))])
        rows.append(torch.cat([words, relu(mixed)], dim=1).mean(0) @ out.T + out_bias)
    return of_norm(torch.stack(rows))


def of_norm(x: Tensor) -> Tensor:
    """Scale rows to norm sqrt(E)."""
    return x / x.square().sum(1, keepdim=True).sqrt() * x.shape[1] ** 0.5


def encoder_move(encoder: Player, image: Tensor, tokens: Tensor, *, layers: int) -> Move:
    """Play the symmetric contrastive loss of images and sentences (Radford et al. 2021, figure 3)."""
    w = Weights(encoder.parameters)
    scale = w.take()
    b = sentence(w, tokens)
    h = image
    for _ in range(layers):
        h = leaky(batch_norm(conv(h, w.take(), stride=2, padding=1), w.take(), w.take()), 0.2)
    a = of_norm(h.flatten(1) @ w.take().T + w.take())
    w.done()
    logits = scale.exp() * a @ b.T / a.shape[1]
    n = len(logits)
    kept = torch.tensor([[i == j or bool((tokens[i] != tokens[j]).any()) for j in range(n)] for i in range(n)])
    weight = torch.where(kept, logits.exp(), torch.zeros_like(logits))
    right = logits.diagonal()
    loss = (torch.log(weight.sum(1)) - right).mean() / 2 + (torch.log(weight.sum(0)) - right).mean() / 2
    found = (logits.argmax(1) == torch.arange(n)).to(logits.dtype).mean()
    return encoder.move(loss, {"loss": loss, "found": found})


def augment(w: Weights, e: Tensor, *, rectified: bool) -> tuple[Tensor, Tensor]:
    """Map embeddings to the mean and the logarithm of the variance, both through a ReLU if rectified."""
    both = e @ w.take().T + w.take()
    both = relu(both) if rectified else both
    return both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), the mean over all values."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).mean()


def double(h: Tensor) -> Tensor:
    """Repeat each pixel."""
    return h.repeat_interleave(2, 2).repeat_interleave(2, 3)


def first_generator(w: Weights, z: Tensor, c: Tensor, *, start: tuple[int, int], ups: int) -> Tensor:
    """Dense, BN, ReLU; doublings; k3, tanh."""
    h = relu(batch_norm(torch.cat([z, c], 1) @ w.take().T, w.take(), w.take()))
    h = h.view(len(h), -1, *start)
    for _ in range(ups):
        h = relu(batch_norm(conv(double(h), w.take(), padding=1), w.take(), w.take()))
    return conv(h, w.take(), padding=1).tanh()


def beside(h: Tensor, c: Tensor) -> Tensor:
    """Append the condition at every place."""
    return torch.cat([h, c[:, :, None, None].expand(-1, -1, *h.shape[2:])], 1)


def second_generator(w: Weights, small: Tensor, c: Tensor, *, halved: int, blocks: int) -> Tensor:
    """k3, k4 s2; joined with the condition; residual blocks; doublings; k3, tanh."""
    h = relu(conv(small, w.take(), padding=1))
    for _ in range(halved):
        h = relu(batch_norm(conv(h, w.take(), stride=2, padding=1), w.take(), w.take()))
    h = relu(batch_norm(conv(beside(h, c), w.take(), padding=1), w.take(), w.take()))
    for _ in range(blocks):
        inner = relu(batch_norm(conv(h, w.take(), padding=1), w.take(), w.take()))
        h = relu(h + batch_norm(conv(inner, w.take(), padding=1), w.take(), w.take()))
    for _ in range(2 * halved):
        h = relu(batch_norm(conv(double(h), w.take(), padding=1), w.take(), w.take()))
    return conv(h, w.take(), padding=1).tanh()


Heads = tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor] | None]


def discriminator(weights: Sequence[Tensor], *, layers: int, both: bool) -> Heads:
    """Return the trunk, the head for matching pairs, and the head for images alone where there is one."""
    w = Weights(weights)
    trunk = [[w.take()]] + [[w.take() for _ in range(3)] for _ in range(layers - 1)]
    joint = [w.take() for _ in range(3)]
    matching = [w.take(), w.take()]
    alone = [w.take(), w.take()] if both else []
    w.done()

    def maps(x: Tensor) -> Tensor:
        h = leaky(conv(x, trunk[0][0], stride=2, padding=1), 0.2)
        for kernel, scale, shift in trunk[1:]:
            h = leaky(batch_norm(conv(h, kernel, stride=2, padding=1), scale, shift), 0.2)
        return h

    def matches(h: Tensor, c: Tensor) -> Tensor:
        h = leaky(batch_norm(conv(beside(h, c), joint[0], padding=1), joint[1], joint[2]), 0.2)
        return conv(h, *matching).flatten()

    return maps, matches, (lambda h: conv(h, *alone).flatten()) if both else None


def d_move(d: Player, heads: Heads, real: Tensor, fake: Tensor, mean: Tensor) -> Move:
    """Play real and right; fake; real and wrong: weights 1, 1/2, 1/2, or of both heads 1/2, 1/3, 1/3."""
    maps, matches, alone = heads
    h, f = maps(real), maps(fake.detach())
    right, false, wrong = matches(h, mean), matches(f, mean), matches(h[:-1], mean[1:])
    if alone is None:
        parts = [cross_entropy(right, 1.0), cross_entropy(false, 0.0) / 2, cross_entropy(wrong, 0.0) / 2]
    else:
        parts = [
            (cross_entropy(right, 1.0) + cross_entropy(alone(h), 1.0)) / 2,
            (cross_entropy(false, 0.0) + cross_entropy(alone(f), 0.0)) / 3,
            cross_entropy(wrong, 0.0) / 3,
        ]
    terms = dict(zip(("accepted", "fake", "mismatched"), parts, strict=True))
    loss = torch.stack(parts).sum()
    return d.move(loss, {"loss": loss, **terms, "wrong": wrong.mean(), **told(right, false)})


def g_move(g: Player, heads: Heads, fake: Tensor, mean: Tensor, divergence: Tensor, *, weight: float) -> Move:
    """Play for acceptance by every head, and the divergence of the conditions."""
    maps, matches, alone = heads
    h = maps(fake)
    adversarial = softplus(-matches(h, mean.detach())).mean()
    if alone is not None:
        adversarial = adversarial + softplus(-alone(h)).mean()
    loss = adversarial + weight * divergence
    return g.move(loss, {"loss": loss, "adversarial": adversarial, "divergence": weight * divergence})


def shrink(x: Tensor, factor: int) -> Tensor:
    """Average over squares."""
    return functional.avg_pool2d(x, factor)
