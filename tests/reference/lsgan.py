"""Mao et al. 2017, equation 2: both players regress the discriminator's outputs to targets."""

from torch import Tensor

from tests.reference.common import Move, Player, mean_squared, told


def play(g: Player, d: Player, x: Tensor, z: Tensor, *, a: float = 0.0, b: float = 1.0, c: float = 1.0) -> list[Move]:
    """Play one round, the generator first; both moves share the pictures made of z before either."""
    fake = g(z)
    loss = mean_squared(d(fake), c) / 2
    moves = [g.move(loss, {"loss": loss})]
    r, f = d(x), d(fake.detach())
    loss = mean_squared(r, b) / 2 + mean_squared(f, a) / 2
    return [*moves, d.move(loss, {"loss": loss, **told(r, f, threshold=(a + b) / 2)})]
