"""A small 3-D network that classifies clips."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.batch import to_float
from zerosum.features.extractor import Features

WIDTH = 64
LARGEST_SIDE = 32


class ClipClassifier(nn.Module):
    """Classifies clips of C channels and any length into K classes: three 3-D convolutions with batch norm.

    Args:
        channels: C.
        classes: K.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.channels, self.classes = channels, classes
        widths = (channels, 16, 32, WIDTH)
        self.stages = nn.Sequential(*(_stage(widths[i], widths[i + 1], 1 if i == 0 else 2) for i in range(3)))
        self.hidden = nn.Sequential(
            nn.AdaptiveAvgPool3d((1, 2, 2)), nn.Flatten(), nn.Linear(4 * WIDTH, WIDTH), nn.ReLU()
        )
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, clips: Tensor) -> Features:
        """Map (N, T, C, H, W) uint8 to (N, 64) features of the last hidden layer, and (N, K) logits."""
        x = to_float(clips.to(self.head.weight.device))
        height, width = x.shape[-2:]
        if max(height, width) > LARGEST_SIDE:
            size = (min(height, LARGEST_SIDE), min(width, LARGEST_SIDE))
            x = functional.adaptive_avg_pool2d(x.flatten(0, 1), size).unflatten(0, x.shape[:2])
        features = self.hidden(self.stages(x.transpose(1, 2)))
        return Features(features=features, logits=self.head(features))


def _stage(given: int, made: int, stride: int) -> nn.Sequential:
    conv = nn.Conv3d(given, made, 3, stride=(stride, 2, 2), padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(made), nn.ReLU(inplace=True))
