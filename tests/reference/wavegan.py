"""Donahue et al. 2019: networks of appendix D and phase shuffle of section 3.3; the game is `wgan_gp.play`'s.

And a critic of spectrograms, whose game is `r3gan.play`'s.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Weights, leaky, relu


def generator(weights, z: Tensor, label: Tensor | None = None, *, length: int, start: int, classes: int = 0) -> Tensor:
    """Map z to `start` steps by a dense layer, times four by each transposed convolution; ReLU between, tanh last.

    A class stands beside z as a row of the identity.
    """
    w = Weights(weights)
    z = z if label is None else torch.cat([z, torch.eye(classes, dtype=z.dtype)[label]], 1)
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


def spectrogram(x: Tensor, *, window: int) -> Tensor:
    """Return the logarithm of the power in half-overlapping Hann windows, by sines: (N, C, window / 2, T)."""
    length = x.shape[2]
    step = window // 2
    time = torch.arange(window, dtype=x.dtype)
    hann = (1 - torch.cos(2 * math.pi * time / window)) / 2
    turns = 2 * math.pi * torch.arange(window // 2, dtype=x.dtype)[:, None] * time / window
    padded = functional.pad(x, (step, step))
    columns = []
    for at in range(length // step):
        frame = padded[..., at * step : at * step + window] * hann
        even, odd = frame @ turns.cos().T, frame @ turns.sin().T
        columns.append((even**2 + odd**2) * (2 / hann.sum()) ** 2)
    return 1 - 2 * (torch.stack(columns, -1) + 1e-7).log() / math.log(1e-7)


def spectrogram_critic(weights, x: Tensor, label: Tensor | None = None) -> Tensor:
    """Halve both sides by each convolution; leaky ReLU; a dense layer, and the product with the class's embedding."""
    w, ends = Weights(weights), 2 if label is None else 3
    while w.at < len(w.tensors) - ends:
        x = leaky(functional.conv2d(x, w.take(), w.take(), stride=2, padding=1), 0.2)
    h = x.flatten(1)
    value = (h @ w.take().T + w.take()).flatten()
    return value if label is None else value + (h * w.take()[label]).sum(1)
