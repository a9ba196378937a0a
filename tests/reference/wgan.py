"""Arjovsky et al. 2017, algorithm 1, in the order of the authors' code (main.py): clip, then move the critic."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player


class RMSProp:
    """RMSProp as in the authors' framework: v <- .99 v + .01 g^2, w <- w - alpha g / (sqrt(v) + 1e-8)."""

    def __init__(self, parameters: Sequence[Tensor], *, alpha: float) -> None:
        self.alpha = alpha
        self.v = [torch.zeros_like(p) for p in parameters]

    def moved(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Return the new parameters."""
        self.v = [0.99 * v + 0.01 * g * g for v, g in zip(self.v, gradients, strict=True)]
        return [
            p - self.alpha * g / (torch.sqrt(v) + 1e-8) for p, g, v in zip(parameters, gradients, self.v, strict=True)
        ]


class ByRMSProp(Player):
    """A player that RMSProp moves."""

    def __init__(self, name: str, forward: Callable[..., Tensor], parameters: Sequence[Tensor], *, alpha: float):
        super().__init__(name, forward, parameters, alpha=alpha, beta1=0.0, beta2=0.0)
        self.adam = RMSProp(self.parameters, alpha=alpha)


def play(g: Player, d: Player, x: Sequence[Tensor], z: Sequence[Tensor], z_g: Tensor, *, c: float) -> list[Move]:
    """Play one round: moves of the critic, each after clipping and with its own data and noise, then the other's."""
    moves = []
    for x_i, z_i in zip(x, z, strict=True):
        with torch.no_grad():
            for w in d.parameters:
                w.copy_(w.clamp(-c, c))
        real, fake = d(x_i).mean(), d(g(z_i).detach()).mean()
        loss = fake - real
        moves.append(d.move(loss, {"loss": loss, "real": real, "fake": fake, "estimate": real - fake}))
    loss = -d(g(z_g)).mean()
    return [*moves, g.move(loss, {"loss": loss})]
