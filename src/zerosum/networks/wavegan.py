"""WaveGAN's networks (Donahue et al. 2019, appendix D): DCGAN's, flattened to one dimension; a critic of spectrograms.

Kernels have 25 samples and strides of 4. From the shortest maps outwards channels go 16d, 8d, 4d, 2d, d to those of the
wave, for five layers; each layer more begins with twice as many. Where there are classes, the generator takes them as
ones and zeros beside the latent, and critics add the projection of Miyato & Koyama 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.mel import power_spectrogram
from zerosum.layers.take import take
from zerosum.networks.dvdgan import Projected
from zerosum.runtime import rng

KERNEL, STRIDE = 25, 4
SHORTEST = 16
"""Samples that the shortest maps have at least."""

QUIET = 1e-7
"""Power that is added before the logarithm: -70 dB of full scale."""


def layers_for(length: int) -> int:
    """Return how many layers a wave takes whose shortest maps have 16 samples or more, but fewer than 64.

    >>> [layers_for(length) for length in (64, 4_096, 16_000, 16_384, 65_536, 100_000)]
    [1, 4, 5, 5, 6, 6]
    """
    layers = 1
    while -(-length // STRIDE ** (layers + 1)) >= SHORTEST:
        layers += 1
    return layers


def start_of(length: int) -> int:
    """Return how many samples the shortest maps of a wave have.

    >>> [start_of(length) for length in (16_000, 16_384, 20_000, 65_536)]
    [16, 16, 20, 16]
    """
    return -(-length // STRIDE ** layers_for(length))


def padded(length: int) -> int:
    """Return the length that the networks compute with: the next that their strides divide.

    >>> [padded(length) for length in (16_000, 16_384, 20_000)]
    [16384, 16384, 20480]
    """
    return start_of(length) * STRIDE ** layers_for(length)


class PhaseShuffle(nn.Module):
    """Shift of each sample's maps by -n to n steps, drawn at random; what becomes empty is filled by reflection.

    Args:
        steps: n; 0 shifts nothing.

    Source: Donahue et al. 2019, section 3.3 and figure 3.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Shift maps (N, C, L), all channels of a sample alike."""
        if not self.steps:
            return x
        count, length = len(x), x.shape[2]
        shift = rng.integers(count, high=2 * self.steps + 1, device=x.device) - self.steps
        place = (torch.arange(length, device=x.device) - shift[:, None]).abs()
        place = torch.where(place < length, place, 2 * (length - 1) - place)
        return take(x, 2, place[:, None].expand_as(x))

    def extra_repr(self) -> str:
        """Spell n."""
        return f"steps={self.steps}"


class WaveGenerator(nn.Module):
    """Transposed convolutions from latents to waves.

    Args:
        latent_dim: values of a latent.
        shape: (C, L) of a wave.
        width: d, channels of the longest hidden maps.
        classes: K; 0 for none.
    """

    def __init__(self, latent_dim: int, shape: tuple[int, ...], width: int, *, classes: int = 0) -> None:
        super().__init__()
        self.classes = classes
        channels, self.length = shape
        self.start, depth = start_of(self.length), layers_for(self.length)
        widths = [width * 2**level for level in reversed(range(depth))]
        self.dense = nn.Linear(latent_dim + classes, self.start * widths[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(fan_in, fan_out, KERNEL, STRIDE, padding=11, output_padding=1)
            for fan_in, fan_out in zip(widths, [*widths[1:], channels], strict=True)
        )
        initialise(self)

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where there are classes, to waves (N, C, L) in [-1, 1]."""
        if labels is not None:
            latent = torch.cat([latent, functional.one_hot(labels, self.classes).to(latent)], 1)
        x = self.dense(latent).unflatten(1, (-1, self.start))
        for layer in self.layers:
            x = layer(functional.relu(x))
        return torch.tanh(x[..., : self.length])


class WaveCritic(nn.Module):
    """Strided convolutions from waves to a value, with phase shuffle between them.

    Args:
        shape: (C, L) of a wave.
        width: d, channels of the longest hidden maps.
        phase_shuffle: steps of the shuffle after each hidden layer but the last; 0 for none.
        classes: K; 0 has no projection.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, phase_shuffle: int = 2, classes: int = 0) -> None:
        super().__init__()
        channels, length = shape
        depth = layers_for(length)
        self.missing = padded(length) - length
        widths = [channels, *(width * 2**level for level in range(depth))]
        self.layers = nn.ModuleList(
            nn.Conv1d(fan_in, fan_out, KERNEL, STRIDE, padding=11) for fan_in, fan_out in pairwise(widths)
        )
        self.shuffle = PhaseShuffle(phase_shuffle)
        self.value = Projected(start_of(length) * widths[-1], classes)
        initialise(self)

    def forward(self, wave: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map waves (N, C, L), and labels (N,) where there are classes, to values (N,)."""
        x = functional.pad(wave, (0, self.missing))
        for number, layer in enumerate(self.layers, start=1):
            x = functional.leaky_relu(layer(x), 0.2)
            if number < len(self.layers):
                x = self.shuffle(x)
        return self.value(x.flatten(1), labels)


def window_of(length: int) -> int:
    """Return the samples of a window: the power of two nearest to twice the square root of a wave's.

    >>> [window_of(length) for length in (64, 4_096, 16_384, 65_536)]
    [16, 128, 256, 512]
    """
    return 2 ** round(math.log2(2 * math.sqrt(length)))


@dataclass(frozen=True)
class Resolution:
    """How waves become a spectrogram."""

    window: int
    """Samples in a window."""

    step: int
    """Samples from one window to the next."""

    bands: int
    """Frequencies that are kept, the lowest."""

    def shape(self, wave: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the shape (C, bands, steps) of the spectrogram of a wave (C, L)."""
        channels, length = wave
        return channels, self.bands, length // self.step

    def __call__(self, wave: Tensor) -> Tensor:
        """Compute decibels over time of waves (N, C, L), brought from [-70, 0] to [-1, 1]: (N, C, bands, steps)."""
        _, bands, steps = self.shape(tuple(wave.shape[1:]))
        power = power_spectrogram(wave.flatten(0, 1), self.window, self.step)[:, :bands, :steps]
        return (power + QUIET).log().div(-math.log(QUIET) / 2).add(1).unflatten(0, wave.shape[:2])


def coarse(length: int) -> Resolution:
    """Return the resolution for words: all frequencies, about as many as steps, in windows that overlap by half.

    >>> coarse(16_384), coarse(16_384).shape((1, 16_384))
    (Resolution(window=256, step=128, bands=128), (1, 128, 128))
    """
    window = window_of(length)
    return Resolution(window, window // 2, window // 2)


def fine(length: int) -> Resolution:
    """Return the resolution for pitch: windows four times as long, of which the lowest quarter of the frequencies.

    >>> fine(16_384), fine(16_384).shape((1, 16_384))
    (Resolution(window=1024, step=256, bands=128), (1, 128, 64))
    """
    window = window_of(length)
    return Resolution(4 * window, window, window // 2)


class SpectrogramCritic(nn.Module):
    """DCGAN's discriminator without norms, of spectrograms of any size.

    Args:
        shape: (C, bands, steps) of a spectrogram.
        width: channels after the first layer; the last have at most 16 times as many.
        classes: K; 0 has no projection.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, classes: int = 0) -> None:
        super().__init__()
        channels, bands, steps = shape
        self.layers = nn.ModuleList()
        while min(bands, steps) > 4:
            fan_out = min(width * 2 ** len(self.layers), 16 * width)
            self.layers.append(nn.Conv2d(channels, fan_out, 4, 2, padding=1))
            channels, bands, steps = fan_out, bands // 2, steps // 2
        self.value = Projected(channels * bands * steps, classes)
        initialise(self)

    def forward(self, spectrogram: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map spectrograms (N, C, bands, steps), and labels (N,) where there are classes, to values (N,)."""
        x = spectrogram
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
        return self.value(x.flatten(1), labels)


def initialise(network: nn.Module) -> None:
    """Draw weights uniformly by Glorot & Bengio 2010, without biases: the defaults of the authors' code.

    Embeddings of classes, which the paper does not have, are drawn from N(0, 1 / F).
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d):
            nn.init.xavier_uniform_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
