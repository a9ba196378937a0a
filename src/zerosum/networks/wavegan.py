"""WaveGAN's networks (Donahue et al. 2019, appendix D): DCGAN's, flattened to one dimension.

Kernels have 25 samples and strides of 4. From the shortest maps outwards channels go 16d, 8d, 4d, 2d, d to those of the
wave, for five layers; each layer more begins with twice as many.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.runtime import rng

KERNEL, STRIDE = 25, 4
SHORTEST = 16
"""Samples that the shortest maps have at least."""


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
        return x.gather(2, place[:, None].expand_as(x))

    def extra_repr(self) -> str:
        """Spell n."""
        return f"steps={self.steps}"


class WaveGenerator(nn.Module):
    """Transposed convolutions from latents to waves.

    Args:
        latent_dim: values of a latent.
        shape: (C, L) of a wave.
        width: d, channels of the longest hidden maps.
    """

    def __init__(self, latent_dim: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels, self.length = shape
        self.start, depth = start_of(self.length), layers_for(self.length)
        widths = [width * 2**level for level in reversed(range(depth))]
        self.dense = nn.Linear(latent_dim, self.start * widths[0])
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(fan_in, fan_out, KERNEL, STRIDE, padding=11, output_padding=1)
            for fan_in, fan_out in zip(widths, [*widths[1:], channels], strict=True)
        )
        initialise(self)

    def forward(self, latent: Tensor) -> Tensor:
        """Map latents (N, Z) to waves (N, C, L) in [-1, 1]."""
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
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, phase_shuffle: int = 2) -> None:
        super().__init__()
        channels, length = shape
        depth = layers_for(length)
        self.missing = padded(length) - length
        widths = [channels, *(width * 2**level for level in range(depth))]
        self.layers = nn.ModuleList(
            nn.Conv1d(fan_in, fan_out, KERNEL, STRIDE, padding=11) for fan_in, fan_out in pairwise(widths)
        )
        self.shuffle = PhaseShuffle(phase_shuffle)
        self.dense = nn.Linear(start_of(length) * widths[-1], 1)
        initialise(self)

    def forward(self, wave: Tensor) -> Tensor:
        """Map waves (N, C, L) to values (N,)."""
        x = functional.pad(wave, (0, self.missing))
        for number, layer in enumerate(self.layers, start=1):
            x = functional.leaky_relu(layer(x), 0.2)
            if number < len(self.layers):
                x = self.shuffle(x)
        return self.dense(x.flatten(1)).squeeze(1)


def initialise(network: nn.Module) -> None:
    """Draw weights uniformly by Glorot & Bengio 2010, without biases: the defaults of the authors' code."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.ConvTranspose1d):
            nn.init.xavier_uniform_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
