"""Residual networks under spectral norm: Miyato et al. 2018, algorithm 1 and table 4, Brock et al. 2019, appendix B."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tests.reference.common import batch_norm, conv, conv_up, leaky, relu


class Spectral:
    """The left singular vectors of a network's layers, one step of power iteration a call."""

    def __init__(self, vectors: Sequence[Tensor]) -> None:
        self.vectors = [u.clone() for u in vectors]

    def network(self) -> Iterator[int]:
        """Number the layers anew, in the order in which they own parameters."""
        return iter(range(len(self.vectors)))

    def divided(self, weight: Tensor, index: int) -> Tensor:
        """Return W / sigma(W) with sigma = u^T W v, the vectors constant."""
        matrix = weight.reshape(len(weight), -1)
        with torch.no_grad():
            v = matrix.T @ self.vectors[index]
            v = v / torch.sqrt((v**2).sum())
            u = matrix @ v
            u = u / torch.sqrt((u**2).sum())
        self.vectors[index] = u
        return weight / (u @ matrix @ v)


def doubled(x: Tensor) -> Tensor:
    """Repeat each pixel twice in both directions."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def halved(x: Tensor) -> Tensor:
    """Average squares of 2x2 pixels."""
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).mean([3, 5])


def generator(
    weights: Sequence[Tensor],
    z: Tensor,
    labels: Tensor | None = None,
    *,
    ups: int,
    shared: bool = False,
    pieces: Sequence[int] = (),
    spectral: Spectral | None = None,
) -> Tensor:
    """Return pictures of side 4 * 2^ups. Weights come in the order of the layers, and norms before their convolutions.

    Norms have a scale and a shift; or, with labels, a table each of 1 less than the scale and of the shift; or, with a
    shared embedding or pieces of z, a dense layer each. spectral divides all but tables.
    """
    left = iter(weights)
    layers = spectral.network() if spectral else None

    def take() -> Tensor:
        weight = next(left)
        return spectral.divided(weight, next(layers)) if spectral else weight

    embedding = next(left)[labels] if shared else None
    parts = list(z.split(list(pieces), 1)) if pieces else [z]

    def norm(x: Tensor, piece: Tensor | None) -> Tensor:
        given = [part for part in (embedding, piece) if part is not None]
        if given:
            vector = torch.cat(given, 1)
            scale, shift = 1 + vector @ take().T, vector @ take().T
        elif labels is not None:
            scale, shift = 1 + next(left)[labels], next(left)[labels]
        else:
            return batch_norm(x, next(left), next(left))
        ones = torch.ones(x.shape[1])
        return batch_norm(x, ones, 0 * ones) * scale[:, :, None, None] + shift[:, :, None, None]

    h = parts[0] @ take().T + next(left)
    h = h.view(len(z), -1, 4, 4)
    for index in range(ups):
        piece = parts[index + 1] if pieces else None
        inside = conv(doubled(relu(norm(h, piece))), take(), next(left), padding=1)
        inside = conv(relu(norm(inside, piece)), take(), next(left), padding=1)
        h = inside + conv(doubled(h), take(), next(left))
    h = relu(batch_norm(h, next(left), next(left)))
    image = torch.tanh(conv(h, take(), next(left), padding=1))
    assert next(left, None) is None
    return image


def discriminator(
    weights: Sequence[Tensor],
    x: Tensor,
    labels: Tensor | None = None,
    *,
    halves: Sequence[bool],
    learned: Sequence[bool],
    spectral: Spectral,
) -> Tensor:
    """Return logits: blocks, ReLU, sum over the map, a dense layer, and with labels the inner product (eq. 3).

    Args:
        weights: in the order of the layers.
        x: pictures.
        labels: classes.
        halves: of each block, whether it halves the map.
        learned: of each block, whether its shortcut is a 1x1 and not the identity.
        spectral: divides every weight.
    """
    left, layers = iter(weights), spectral.network()

    def take() -> Tensor:
        return spectral.divided(next(left), next(layers))

    h = x
    for index, (halving, has_shortcut) in enumerate(zip(halves, learned, strict=True)):
        inside = h if index == 0 else relu(h)
        inside = conv(inside, take(), next(left), padding=1)
        inside = conv(relu(inside), take(), next(left), padding=1)
        beside = conv(h, take(), next(left)) if has_shortcut else h
        h = halved(inside) + halved(beside) if halving else inside + beside
    phi = relu(h).sum([2, 3])
    logit = (phi @ take().T + next(left)).flatten()
    if labels is not None:
        logit = logit + (take()[labels] * phi).sum(1)
    assert next(left, None) is None
    return logit


def plain_generator(weights: Sequence[Tensor], z: Tensor, *, ups: int) -> Tensor:
    """Return pictures of the convolutional form: dense, k4 s2 transposed with norm and ReLU, k3, tanh (table 3)."""
    left = iter(weights)
    h = (z @ next(left).T + next(left)).view(len(z), -1, 4, 4)
    for _ in range(ups):
        h = conv_up(h, next(left), next(left), stride=2, padding=1)
        h = relu(batch_norm(h, next(left), next(left)))
    image = torch.tanh(conv(h, next(left), next(left), padding=1))
    assert next(left, None) is None
    return image


def plain_discriminator(weights: Sequence[Tensor], x: Tensor, *, downs: int, spectral: Spectral) -> Tensor:
    """Return logits of the convolutional form: k3 s1 and k4 s2 by turns, k3, dense; leaky ReLU of 0.1 (table 3)."""
    left, layers = iter(weights), spectral.network()

    def take() -> Tensor:
        return spectral.divided(next(left), next(layers))

    h = x
    for _ in range(downs):
        h = leaky(conv(h, take(), next(left), padding=1), 0.1)
        h = leaky(conv(h, take(), next(left), stride=2, padding=1), 0.1)
    h = leaky(conv(h, take(), next(left), padding=1), 0.1)
    logit = (h.flatten(1) @ take().T + next(left)).flatten()
    assert next(left, None) is None
    return logit
