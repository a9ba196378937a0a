"""Residual generators and discriminators of spectrally normalised GANs.

Source: Gulrajani et al. 2017, appendix C; Miyato et al. 2018, table 4 (https://arxiv.org/abs/1802.05957); Miyato &
Koyama 2018, appendix A (https://arxiv.org/abs/1802.05637); Brock et al. 2019, appendix B and authors' code
(https://arxiv.org/abs/1809.11096).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conditional_norm import norm_of
from zerosum.layers.conv import Conv2d, UpsampleConv
from zerosum.layers.downsample_conv import DownsampleConv
from zerosum.layers.norms import Norm
from zerosum.layers.self_attention import SelfAttention
from zerosum.layers.virtual_batch_norm import add_reference
from zerosum.networks.residual_plan import attended, plan


class UpBlock(nn.Module):
    """Norm, ReLU, upsampling, 3x3, norm, ReLU, 3x3; beside it upsampling and 1x1.

    The shortcut's 1x1 comes before its upsampling, which repeats pixels and so gives the same.

    Args:
        fan_in: channels going in.
        fan_out: channels going out.
        norm: makes a norm of a number of channels.
    """

    def __init__(self, fan_in: int, fan_out: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(fan_in), UpsampleConv(fan_in, fan_out)
        self.norm2, self.conv2 = norm(fan_out), Conv2d(fan_out, fan_out, 3, padding=1)
        self.shortcut = Conv2d(fan_in, fan_out, 1)

    def forward(self, maps: Tensor, condition: tuple[Tensor, ...]) -> Tensor:
        """Map (N, C, H, W) to (N, K, 2H, 2W); `condition` is what the norms take beside the maps."""
        hidden = self.conv1(_rectified(self.norm1(maps, *condition), maps))
        hidden = self.conv2(self.norm2(hidden, *condition).relu_())
        return hidden + functional.interpolate(self.shortcut(maps), scale_factor=2.0, mode="nearest")


class DownBlock(nn.Module):
    """ReLU, 3x3, ReLU, 3x3, pooling; beside it a 1x1 and pooling.

    The shortcut pools before its 1x1, which gives the same.

    Args:
        fan_in: channels going in.
        fan_out: channels going out.
        halves: whether both pool over 2x2 pixels.
        first: whether what goes in is an image, which is not rectified.
    """

    def __init__(self, fan_in: int, fan_out: int, *, halves: bool, first: bool) -> None:
        super().__init__()
        self.halves, self.first = halves, first
        self.conv1 = Conv2d(fan_in, fan_out, 3, padding=1)
        self.conv2 = DownsampleConv(fan_out, fan_out) if halves else Conv2d(fan_out, fan_out, 3, padding=1)
        self.shortcut = Conv2d(fan_in, fan_out, 1) if halves or fan_in != fan_out else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, K, H, W), or half of H and W."""
        hidden = self.conv2(self.conv1(maps if self.first else maps.relu()).relu_())
        return hidden + self.shortcut(functional.avg_pool2d(maps, 2) if self.halves else maps)


class ResidualGenerator(nn.Module):
    """Latents, and classes, to images: a dense layer, blocks that double the map, a norm, ReLU, 3x3 and tanh.

    Args:
        latent: Z, values in a latent.
        shape: (C, H, W) of an image.
        width: channels of a unit of the plan.
        classes: K; 0 takes no labels.
        shared: values of an embedding of classes that all norms take through dense layers of their own; 0 gives each
            norm an embedding of its own.
        hierarchical: whether the latent is cut into pieces, the first for the dense layer and one for the norms of each
            block.
        attention: whether a map has self-attention, as `attended` says.
        norm: in the blocks and before the image; "virtual-batch" without a condition alone.
    """

    def __init__(
        self,
        latent: int,
        shape: tuple[int, ...],
        width: int,
        *,
        classes: int = 0,
        shared: int = 0,
        hierarchical: bool = False,
        attention: bool = False,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        its = plan(shape)
        widths = [units * width for units in its.generator]
        self.start = (widths[0], *its.start)
        self.shared = nn.Embedding(classes, shared) if classes and shared else None
        cut = [len(piece) for piece in torch.arange(latent, device="cpu").tensor_split(len(widths))]
        self.pieces = cut if hierarchical else [latent]
        self.dense = nn.Linear(self.pieces[0], math.prod(self.start))
        vector = shared if self.shared else 0
        self.blocks = nn.ModuleList(
            UpBlock(*pair, norm_of(classes, vector + (self.pieces[index + 1] if hierarchical else 0), norm))
            for index, pair in enumerate(pairwise(widths))
        )
        places = [its.start[0] * its.start[1] * 4 ** (index + 1) for index in range(len(self.blocks))]
        self.attended = attended(shape, places) if attention else None
        self.attention = None if self.attended is None else SelfAttention(widths[self.attended + 1])
        self.norm, self.to_image = norm_of(0, 0, norm)(widths[-1]), Conv2d(widths[-1], shape[0], 3, padding=1)
        if norm == "virtual-batch":
            add_reference(self, (latent,))

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, Z), and labels (N,) where there are classes, to (N, C, H, W) in [-1, 1]."""
        return self.from_embedding(latent, self.embed(labels))

    def embed(self, labels: Tensor | None) -> Tensor | None:
        """Return what the norms take of labels (N,): their shared embedding (N, E), or the labels."""
        return labels if labels is None or self.shared is None else self.shared(labels)

    def from_embedding(self, latent: Tensor, embedding: Tensor | None) -> Tensor:
        """Map (N, Z), and what `embed` returned or a mixture of several such embeddings, to (N, C, H, W)."""
        first, *rest = latent.split(self.pieces, dim=1)
        maps = self.dense(first).view(-1, *self.start).contiguous(memory_format=torch.channels_last)
        given = () if embedding is None else (embedding,)
        for index, block in enumerate(self.blocks):
            maps = block(maps, (torch.cat([*given, rest[index]], dim=1),) if rest else given)
            if self.attention is not None and index == self.attended:
                maps = self.attention(maps)
        return self.to_image(_rectified(self.norm(maps), maps)).tanh()


class ResidualDiscriminator(nn.Module):
    """Images, and classes, to one logit each: blocks, ReLU, the sum over the map, a dense layer and the projection.

    The projection adds the inner product of the features and an embedding of the class (Miyato & Koyama 2018, eq. 3).

    Args:
        shape: (C, H, W) of an image.
        width: channels of a unit of the plan.
        classes: K; 0 has no projection.
        attention: whether a map has self-attention, as `attended` says.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, classes: int = 0, attention: bool = False) -> None:
        super().__init__()
        its = plan(shape)
        widths = [shape[0], *(units * width for units in its.discriminator)]
        self.blocks = nn.ModuleList(
            DownBlock(*pair, halves=index < its.halvings, first=index == 0)
            for index, pair in enumerate(pairwise(widths))
        )
        places = [shape[1] * shape[2] // 4 ** min(index + 1, its.halvings) for index in range(len(self.blocks))]
        self.attended = attended(shape, places) if attention else None
        self.attention = None if self.attended is None else SelfAttention(widths[self.attended + 1])
        self.dense = nn.Linear(widths[-1], 1)
        self.embedding = nn.Embedding(classes, widths[-1]) if classes else None

    def features(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to the sum of the last hidden layer over the map, (N, F)."""
        maps = image
        for index, block in enumerate(self.blocks):
            maps = block(maps)
            if self.attention is not None and index == self.attended:
                maps = self.attention(maps)
        return maps.relu().sum((2, 3))

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, C, H, W), and labels (N,) where there are classes, to logits (N,)."""
        features = self.features(image)
        logit = self.dense(features).flatten()
        if self.embedding is None or labels is None:
            return logit
        return logit + (self.embedding(labels) * features).sum(1)


def _rectified(normed: Tensor, maps: Tensor) -> Tensor:
    """Rectify in place, but maps that were not normalised and are used again."""
    return maps.relu() if normed is maps else normed.relu_()


def initialise_glorot(network: nn.Module) -> None:
    """Draw weights uniformly by Glorot & Bengio 2010, with the gain sqrt(2) for 3x3 in blocks; biases are 0.

    Source: authors' code of Miyato et al. 2018 and Miyato & Koyama 2018.
    """
    within = {
        layer for block in network.modules() if isinstance(block, UpBlock | DownBlock) for layer in block.children()
    }
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            wide = layer in within and layer.weight.shape[-1] == 3
            nn.init.xavier_uniform_(layer.weight, math.sqrt(2) if wide else 1.0)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
