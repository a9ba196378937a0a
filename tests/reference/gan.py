"""Goodfellow et al. 2014, algorithm 1; generator's loss non-saturating (section 3) or saturating."""

from collections.abc import Sequence

from torch import Tensor

from tests.reference.common import Move, Player, Weights, cross_entropy, dropout, leaky, relu, softplus, told


def play(
    g: Player, d: Player, x: Sequence[Tensor], z_d: Sequence[Tensor], z_g: Tensor, *, saturating: bool = False
) -> list[Move]:
    """Play one round: a discriminator's move for each of the k batches x with noise z_d, then one generator's.

    The generator descends -E log D(G(z)), or the saturating E log(1 - D(G(z))) of equation 1.
    """
    moves = []
    for x_k, z_k in zip(x, z_d, strict=True):
        r, f = d(x_k), d(g(z_k).detach())
        real, fake = cross_entropy(r, 1.0), cross_entropy(f, 0.0)
        moves.append(d.move(real + fake, {"loss": real + fake, "real": real, "fake": fake, **told(r, f)}))
    f = d(g(z_g))
    loss = -softplus(f).mean() if saturating else softplus(-f).mean()
    moves.append(g.move(loss, {"loss": loss}))
    return moves


def dense_generator(weights, z: Tensor, *, hidden: int = 2, tanh: bool = True, shape: Sequence[int] | None = None):
    """Linear layers with ReLU after each hidden one, tanh at the end unless samples are points (sheet dense.md, A)."""
    w, h = Weights(weights), z
    for _ in range(hidden):
        h = relu(h @ w.take().T + w.take())
    h = h @ w.take().T + w.take()
    h = h.tanh() if tanh else h
    w.done()
    return h if shape is None else h.reshape(-1, *shape)


def dense_discriminator(weights, x: Tensor, *, hidden: int = 2, slope: float = 0.2, masks=None, rate: float = 0.0):
    """Flatten, linear layers with leaky ReLU and dropout after each hidden one, one logit (dense.md, A)."""
    w, h = Weights(weights), x.flatten(1)
    for _ in range(hidden):
        h = dropout(leaky(h @ w.take().T + w.take(), slope), masks, rate)
    h = h @ w.take().T + w.take()
    w.done()
    return h.flatten()
