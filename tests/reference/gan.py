"""Goodfellow et al. 2014, algorithm 1; generator's loss non-saturating (section 3) or saturating."""

from collections.abc import Sequence

from torch import Tensor

from tests.reference.common import Move, Player, Weights, cross_entropy, dropout, leaky, relu, softplus, told


def discriminator_loss(r: Tensor, f: Tensor, *, real_label: float, fake_label: float) -> tuple[Tensor, Tensor]:
    """Return -E log D(x) and -E log(1 - D(G(z))), for labels 1 and 0; other labels smooth them."""
    return cross_entropy(r, real_label), cross_entropy(f, fake_label)


def generator_loss(f: Tensor, *, saturating: bool) -> Tensor:
    """Return E log(1 - D(G(z))), or the non-saturating -E log D(G(z))."""
    return -softplus(f).mean() if saturating else softplus(-f).mean()


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    z_d: Sequence[Tensor],
    z_g: Tensor,
    *,
    saturating: bool = False,
    real_label: float = 1.0,
    fake_label: float = 0.0,
) -> list[Move]:
    """Play one round: a discriminator's move for each of the k batches x with noise z_d, then one generator's."""
    moves = []
    for x_k, z_k in zip(x, z_d, strict=True):
        r, f = d(x_k), d(g(z_k).detach())
        real, fake = discriminator_loss(r, f, real_label=real_label, fake_label=fake_label)
        moves.append(d.move(real + fake, {"loss": real + fake, "real": real, "fake": fake, **told(r, f)}))
    loss = generator_loss(d(g(z_g)), saturating=saturating)
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
