"""The hinge game of Miyato et al. 2018 (eq. 16, 17), Miyato & Koyama 2018 and Brock et al. 2019 (eq. 3)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player, relu, told


def orthogonality(weights: Sequence[Tensor]) -> Tensor:
    """Return the sum of |W W^T * (1 - I)|^2 in the Frobenius norm, W with a row an output."""
    total = torch.zeros(())
    for weight in weights:
        matrix = weight.reshape(len(weight), -1)
        total = total + ((matrix @ matrix.T * (1 - torch.eye(len(matrix)))) ** 2).sum()
    return total


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    y: Sequence[Tensor | None],
    z: Sequence[Tensor],
    drawn: Sequence[Tensor | None],
    *,
    beta: float = 0.0,
    regularised: Sequence[int] = (),
) -> list[Move]:
    """Play one round: a move of D for each batch x of labels y, then one of G.

    z and drawn, the labels of samples, have one entry more than x: G's. regularised numbers the weights of G that are
    held orthogonal. A batch of D holds data and samples, so that one power iteration serves both.
    """
    moves = []
    for x_i, y_i, z_i, c_i in zip(x, y, z[:-1], drawn[:-1], strict=True):
        fake = (g(z_i) if c_i is None else g(z_i, c_i)).detach()
        both = torch.cat([x_i, fake])
        logits = d(both) if c_i is None else d(both, torch.cat([y_i, c_i]))
        r, f = logits[: len(x_i)], logits[len(x_i) :]
        loss = relu(1 - r).mean() + relu(1 + f).mean()
        moves.append(d.move(loss, {"loss": loss, **told(r, f)}))
    fake = g(z[-1]) if drawn[-1] is None else g(z[-1], drawn[-1])
    adversarial = -(d(fake) if drawn[-1] is None else d(fake, drawn[-1])).mean()
    penalty = beta * orthogonality([g.parameters[i] for i in regularised])
    moves.append(g.move(adversarial + penalty, {"adversarial": adversarial, "orthogonality": penalty}))
    return moves
