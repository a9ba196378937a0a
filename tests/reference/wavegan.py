"""Donahue et al. 2019: networks of appendix D and phase shuffle of section 3.3; the game is `wgan_gp.play`'s."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Weights, leaky, relu


def generator(weights, z: Tensor, *, length: int, start: int) -> Tensor:
    """Map z to `start` steps by a dense layer, times four by each transposed convolution; ReLU between, tanh last."""
    w = Weights(weights)
    h = (z @ w.take().T + w.take()).reshape(len(z), -1, start)
    while w.at < len(w.tensors):
        h = functional.conv_transpose1d(relu(h), w.take(), w.take(), stride=4, padding=11, output_padding=1)
    return h[:, :, :length].tanh()


def shuffled(x: Tensor, shifts: Tensor) -> Tensor:
    """Shift each sample's maps to the right by its number of steps, which may be negative, mirrored at the edges."""
    rows = []
    for row, shift in zip(x, shifts.tolist(), strict=True):
        left, right = max(shift, 0), max(-shift, 0)
        wide = functional.pad(row[None], (left, right), mode="reflect")[0]
        rows.append(wide[:, : x.shape[2]] if shift > 0 else wide[:, right:])
    return torch.stack(rows)


def critic(weights, x: Tensor, *, shifts: Iterator[Tensor], multiple: int) -> Tensor:
    """Divide the length by four with each convolution; leaky ReLU, phase shuffle but after the last; a dense layer."""
    w = Weights(weights)
    h = functional.pad(x, (0, -x.shape[2] % multiple))
    while w.at < len(w.tensors) - 2:
        h = leaky(functional.conv1d(h, w.take(), w.take(), stride=4, padding=11), 0.2)
        if w.at < len(w.tensors) - 2:
            h = shuffled(h, next(shifts) - 2)
    return (h.reshape(len(h), -1) @ w.take().T + w.take()).squeeze(1)
