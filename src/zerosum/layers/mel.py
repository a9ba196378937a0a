"""Log-mel spectrograms: the power of waves over time and pitch, in decibels."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from zerosum.objectives import to_float32

BANDS = 64
FLOOR = -80.0
"""Decibels below full scale that count as silence."""


def log_mel(waves: Tensor, rate: int, *, bands: int = BANDS) -> Tensor:
    """Compute log-mel spectrograms of waves (N, L) in [-1, 1]: (N, bands, T) decibels from -80 to about 0.

    Windows (Hann's) last about 64 ms, or all of a shorter wave, and start every 64th part of the wave, but at least
    every quarter of a window and at most every 16 samples: 16,384 samples at 16 kHz give T = 65. Bands are equally wide
    on the mel scale from 40 Hz to half the rate. A sine of amplitude 1 has about 0 dB in its band.

    Source: 64 ms windows and 40 Hz are those of the classifier of Donahue et al. 2019, which has 128 bands (https://arxiv.org/abs/1802.04208).
    """
    length = waves.shape[1]
    size = min(2 ** round(math.log2(0.064 * rate)), 2 ** int(math.log2(length)))
    step = min(size // 4, max(16, length // 64))
    power = power_spectrogram(waves, size, step)
    with torch.autocast(waves.device.type, enabled=False):
        return power_to_db(_filters(rate, size, bands).to(power) @ power)


def power_spectrogram(waves: Tensor, size: int, step: int) -> Tensor:
    """Compute the power of waves (N, L) in Hann's windows, about 1 for a sine of amplitude 1: (N, size // 2 + 1, T).

    Args:
        waves: in [-1, 1], with silence before and after.
        size: samples in a window; half of the first lies before the wave.
        step: samples from one window to the next.
    """
    waves = to_float32(waves)
    window = torch.hann_window(size, dtype=waves.dtype, device=waves.device)
    with torch.autocast(waves.device.type, enabled=False):
        found = torch.stft(waves, size, step, window=window, center=True, pad_mode="constant", return_complex=True)
        return (found.abs() * (2 / window.sum())).square()


def power_to_db(power: Tensor) -> Tensor:
    """Bring power to decibels of full scale, from -80 upwards.

    >>> power_to_db(torch.tensor([1.0, 0.1, 0.0])).tolist()
    [0.0, -10.0, -80.0]
    """
    return 10 * power.clamp(min=10 ** (FLOOR / 10)).log10()


def to_image(decibels: Tensor) -> Tensor:
    """Bring (N, bands, T) decibels from -80 to 0 to gray images, the highest band on top: (N, 1, bands, T) uint8."""
    levels = (decibels / -FLOOR + 1).clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.flip(1)[:, None]


def mel(frequency: float) -> float:
    """Return the mel of a frequency in Hz (O'Shaughnessy 1987).

    >>> round(mel(1000))
    1000
    """
    return 2595 * math.log10(1 + frequency / 700)


@cache
def _filters(rate: int, size: int, bands: int) -> Tensor:
    """Return triangles over the bins of a transform, at least a bin wide to either side: (bands, size // 2 + 1)."""
    edges = torch.linspace(mel(40.0), mel(rate / 2), bands + 2, dtype=torch.float64)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = torch.arange(size // 2 + 1, dtype=torch.float64) * rate / size
    centre, width = edges[1:-1, None], rate / size
    below, above = (centre - edges[:-2, None]).clamp(min=width), (edges[2:, None] - centre).clamp(min=width)
    return torch.minimum((bins - centre) / below + 1, 1 - (bins - centre) / above).clamp(min=0).float()
