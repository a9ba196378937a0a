"""Pitch and loudness of waves, and the distance of their distributions."""

from __future__ import annotations

import torch
from torch import Tensor

LOWEST, HIGHEST = 60.0, 1_000.0
"""Pitches in Hz that are looked for."""
PERIODIC = 0.5
"""Autocorrelation at its period from which on a frame counts as voiced."""
QUIET = 0.05
"""Share of the loudest frame's energy below which a frame does not count."""
FLOOR_DB = -80.0
CHUNK = 128


def pitches(waves: Tensor, rate: int) -> Tensor:
    """Estimate the pitch of waves (N, C, L) in [-1, 1]: (N,) Hz, NaN of waves without one.

    It is the median over frames of 64 ms of the frequency, from 60 to 1,000 Hz, at whose period the normalised
    autocorrelation is largest; quiet frames, and those where it is below 0.5, do not count. Of peaks nearly as high the
    one of the shortest period is taken, because multiples of a period are periods too. Waves shorter than two periods
    of 60 Hz have higher lowest pitches.

    >>> pitches(torch.sin(2 * torch.pi * 220 * torch.arange(4096) / 16_000)[None, None], 16_000).round()
    tensor([219.])
    """
    return torch.cat([_pitches(part.float().mean(1), rate) for part in waves.split(CHUNK)])


def loudness(waves: Tensor) -> Tensor:
    """Compute the root mean square of waves (N, C, L) in decibels of full scale, from -80: (N,).

    >>> loudness(torch.full((1, 1, 8), 0.1)).round().tolist()
    [-20.0]
    """
    power = waves.double().square().mean((1, 2))
    return 10 * power.clamp(min=10 ** (FLOOR_DB / 10)).log10()


def semitones(pitch: Tensor) -> Tensor:
    """Bring Hz to semitones above A1 (55 Hz).

    >>> semitones(torch.tensor([55.0, 110.0])).tolist()
    [0.0, 12.0]
    """
    return 12 * (pitch / 55).log2()


def _pitches(waves: Tensor, rate: int) -> Tensor:
    size = min(max(int(0.064 * rate), 32), waves.shape[1])
    frames = waves.unfold(1, size, max(size // 2, 1))
    frames = frames - frames.mean(2, keepdim=True)
    energy = frames.square().sum(2)
    longest, shortest = min(int(rate / LOWEST), size // 2), max(int(rate / HIGHEST), 2)
    if longest <= shortest:
        return torch.full((len(waves),), torch.nan)
    spectrum = torch.fft.rfft(frames, 2 * size)
    products = torch.fft.irfft(spectrum.abs().square())[..., : longest + 1]
    squares = frames.square().cumsum(2)
    head = squares.flip(2)[..., : longest + 1]  # energy of the first size - lag samples
    tail = energy[..., None] - torch.cat([torch.zeros_like(energy)[..., None], squares[..., :longest]], 2)
    ratio = products / (head * tail).clamp(min=1e-12).sqrt()
    inner = ratio[..., shortest : longest + 1]
    rising = torch.cat([ratio[..., shortest - 1 : -1], inner[..., -1:] * 0], 2)[..., : inner.shape[2]]
    falling = torch.cat([ratio[..., shortest + 1 :], inner[..., -1:]], 2)
    peaks = torch.where((inner >= rising) & (inner >= falling), inner, torch.zeros_like(inner))
    best = peaks.amax(2, keepdim=True)
    place = (peaks >= 0.95 * best.clamp(min=1e-6)).float().argmax(2)
    voiced = (best[..., 0] > PERIODIC) & (energy > QUIET * energy.amax(1, keepdim=True)) & (energy > 1e-6)
    found = torch.where(voiced, rate / (place + shortest).float(), torch.nan)
    return found.nanmedian(1).values
