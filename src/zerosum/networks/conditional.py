"""Networks that take labels by concatenation, around any network.

Source: Mirza & Osindero 2014, section 3.2 (https://arxiv.org/abs/1411.1784).
"""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.layers.labels import append_labels


class LabelledInput(nn.Module):
    """A network whose input has the labels appended to its channels.

    Args:
        body: of inputs with C + K channels or values.
        classes: K.
    """

    def __init__(self, body: nn.Module, classes: int) -> None:
        super().__init__()
        self.body = body
        self.classes = classes

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Map inputs (N, C, ...) and labels, (N,) int64 or (N, K) floats, to what the body maps both to."""
        return self.body(append_labels(x, labels, self.classes))
