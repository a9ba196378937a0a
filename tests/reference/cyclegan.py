"""Zhu et al. 2017, sections 3 and 4 and appendix 7."""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.reference.common import (
    Move,
    Player,
    Weights,
    conv,
    conv_up,
    instance_norm,
    mean_absolute,
    mean_squared,
    mirrored,
    relu,
    told,
)


class Pool:
    """The last generated pictures: new ones until full, then for half of the pictures an old one, replaced.

    decide and choose give the draws: one number in [0, 1) per picture and one index per picture exchanged.
    """

    def __init__(self, size: int, decide: Callable[[], float], choose: Callable[[], int]):
        self.size, self.decide, self.choose = size, decide, choose
        self.kept: list[Tensor] = []

    def exchange(self, batch: Tensor) -> Tensor:
        """Return for each picture of the batch the picture that the discriminator sees."""
        if self.size == 0:
            return batch.detach()
        out = []
        for picture in batch.detach():
            if len(self.kept) < self.size:
                self.kept.append(picture.clone())
                out.append(picture)
            elif self.decide() < 0.5:
                i = self.choose()
                out.append(self.kept[i])
                self.kept[i] = picture.clone()
            else:
                out.append(picture)
        return torch.stack(out)


def play(
    generators: Player,
    discriminators: Player,
    d_a: Callable[[Tensor], Tensor],
    d_b: Callable[[Tensor], Tensor],
    a: Tensor,
    b: Tensor,
    pool_a: Pool,
    pool_b: Pool,
    *,
    cycle: float = 10.0,
    identity: float = 0.5,
) -> list[Move]:
    """Play one round: G and F together (one optimiser), then both discriminators (another).

    generators(which, x) with which "G" (A to B) or "F" (B to A). d_a and d_b judge with the present parameters of
    the discriminators' player.
    """
    fake_b, fake_a = generators("G", a), generators("F", b)
    adversarial_b = mean_squared(d_b(fake_b), 1.0)
    adversarial_a = mean_squared(d_a(fake_a), 1.0)
    cycle_a = mean_absolute(generators("F", fake_b), a)
    cycle_b = mean_absolute(generators("G", fake_a), b)
    loss = adversarial_b + adversarial_a + cycle * (cycle_a + cycle_b)
    parts = {"adversarial_a": adversarial_a, "adversarial_b": adversarial_b, "cycle_a": cycle_a, "cycle_b": cycle_b}
    if identity:
        identity_b, identity_a = mean_absolute(generators("G", b), b), mean_absolute(generators("F", a), a)
        loss = loss + identity * cycle * (identity_b + identity_a)
        parts |= {"identity_a": identity_a, "identity_b": identity_b}
    moves = [generators.move(loss, {"loss": loss, **parts})]

    def judged(d, real: Tensor, fake: Tensor):
        r, f = d(real), d(fake)
        return 0.5 * (mean_squared(r, 1.0) + mean_squared(f, 0.0)), r, f

    seen_a, seen_b = pool_a.exchange(fake_a), pool_b.exchange(fake_b)
    loss_a, r_a, f_a = judged(d_a, a, seen_a)
    loss_b, r_b, f_b = judged(d_b, b, seen_b)
    loss = loss_a + loss_b
    said = told(torch.cat([r_a, r_b]), torch.cat([f_a, f_b]), threshold=0.5)
    moves.append(discriminators.move(loss, {"loss": loss, "loss_a": loss_a, "loss_b": loss_b, **said}))
    return moves


def resnet(weights, x: Tensor, *, blocks: int, downs: int = 2) -> Tensor:
    """c7s1, `downs` k3 s2, residual blocks, as many transposed k3 s2, c7s1 and tanh; all convolutions with bias."""
    w = Weights(weights)
    h = relu(instance_norm(conv(mirrored(x, 3), w.take(), w.take())))
    for _ in range(downs):
        h = relu(instance_norm(conv(h, w.take(), w.take(), stride=2, padding=1)))
    for _ in range(blocks):
        inner = relu(instance_norm(conv(mirrored(h, 1), w.take(), w.take())))
        h = h + instance_norm(conv(mirrored(inner, 1), w.take(), w.take()))
    for _ in range(downs):
        h = relu(instance_norm(conv_up(h, w.take(), w.take(), stride=2, padding=1, extra=1)))
    h = conv(mirrored(h, 3), w.take(), w.take())
    w.done()
    return h.tanh()
