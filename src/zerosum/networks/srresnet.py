"""SRResNet: images to images two, four or more times as large, of any size.

Source: Ledig et al. 2017, figure 4 (https://arxiv.org/abs/1609.04802); without batch norm Lim et al. 2017, section 3.1
(https://arxiv.org/abs/1707.02921); what is added to an interpolated image Kim et al. 2016, section 3.2
(https://arxiv.org/abs/1511.04587).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import Conv2d
from zerosum.layers.prelu import PReLU


class SRResNet(nn.Module):
    """Residual blocks at the size of what is given, then doublings by sub-pixel convolutions, then tanh.

    With a global residual the result is what they make plus the image itself, enlarged by bilinear interpolation. In
    evaluation the sum is cut off at -1 and 1; in training it is not, because values beyond would have no gradient.

    Args:
        given: channels of the images that come in.
        made: channels of the images that go out.
        width: channels of the maps.
        blocks: residual blocks.
        doublings: of the size.
        batch_norm: whether convolutions of the blocks, and the one after them, have it.
        global_residual: whether the image itself is added; as many channels go out as come in then, or 1 comes in.
    """

    def __init__(
        self,
        given: int,
        made: int,
        *,
        width: int,
        blocks: int,
        doublings: int,
        batch_norm: bool = True,
        global_residual: bool = False,
    ) -> None:
        super().__init__()
        self.global_residual = global_residual
        self.head = nn.Sequential(Conv2d(given, width, 9, padding=4), PReLU())
        self.body = nn.Sequential(
            *(ResidualBlock(width, batch_norm=batch_norm) for _ in range(blocks)),
            *_convolution(width, batch_norm=batch_norm),
        )
        self.blocks = blocks
        self.up = nn.Sequential(*(Doubling(width) for _ in range(doublings)))
        self.tail = nn.Sequential(Conv2d(width, made, 9, padding=4), nn.Tanh())

    @property
    def radius(self) -> int:
        """Radius of a result pixel's receptive field, in pixels of the source around the one that it lies in."""
        seen = 4
        for _ in self.up:
            seen = -(-seen // 2) + 1
        return seen + 1 + 2 * self.blocks + 4

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C', H, W) to (N, C, fH, fW) in [-1, 1], f = 2^doublings."""
        maps = self.head(image)
        made = self.tail(self.up(maps + self.body(maps)))
        if not self.global_residual:
            return made
        made = made + functional.interpolate(image, scale_factor=2.0 ** len(self.up), mode="bilinear")
        return made if self.training else made.clamp(-1, 1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, added to what came in.

    Args:
        width: channels of the maps.
        batch_norm: whether convolutions have it.
    """

    def __init__(self, width: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(width, batch_norm=batch_norm), PReLU(), *_convolution(width, batch_norm=batch_norm)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return maps + self.layers(maps)


def _convolution(width: int, *, batch_norm: bool) -> list[nn.Module]:
    convolution = Conv2d(width, width, 3, padding=1)
    return [convolution, nn.BatchNorm2d(width)] if batch_norm else [convolution]


class Doubling(nn.Sequential):
    """Sub-pixel convolution (Shi et al. 2016): (N, C, H, W) to (N, C, 2H, 2W).

    Args:
        width: channels of the maps.
    """

    def __init__(self, width: int) -> None:
        super().__init__(Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), PReLU())
