"""A convolutional gated recurrent unit: a memory of maps that is updated frame by frame.

Source: Ballas et al. 2016, section 3 (https://arxiv.org/abs/1511.06432); with rectified candidates Clark et al. 2019,
section 3 (https://arxiv.org/abs/1907.06571).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.spectral_norm import normalised_once


class ConvGRU(nn.Module):
    """Maps of every frame to the memory after it: h_t = u h_{t-1} + (1 - u) c, from h_0 = 0.

    Update and reset gates are sigmoids of a 3x3 convolution of [h; x], the candidate c a ReLU of one of [r h; x].

    Args:
        channels: of the maps and of the memory.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, T, C, H, W) to the same shape; frame t depends on frames up to t alone."""
        channels, layers = maps.shape[2], (self.gates, self.candidate)
        with normalised_once(*layers):
            of_memory, of_frames = zip(*(layer.weight.split(channels, 1) for layer in layers), strict=True)
        # What depends on the frames alone is one convolution for all of them.
        biases = torch.cat([layer.bias for layer in layers if layer.bias is not None])
        given = functional.conv2d(maps.flatten(0, 1), torch.cat(of_frames), biases, padding=1)
        memory, states = torch.zeros_like(maps[:, 0]), []
        for frame in given.unflatten(0, maps.shape[:2]).unbind(1):
            gates, candidate = frame.split([2 * channels, channels], 1)
            update, reset = (gates + functional.conv2d(memory, of_memory[0], padding=1)).sigmoid().chunk(2, 1)
            candidate = (candidate + functional.conv2d(reset * memory, of_memory[1], padding=1)).relu()
            memory = update * memory + (1 - update) * candidate
            states.append(memory)
        return torch.stack(states, 1)
