"""Images as networks for RGB see them: gray is repeated, and what is transparent lies on white."""

from __future__ import annotations

from torch import Tensor

from zerosum.errors import InputError

SENTENCE = "gray is repeated to RGB, transparency laid on white"


def as_rgb(images: Tensor) -> Tensor:
    """Bring images to three channels.

    Args:
        images: (N, C, H, W) uint8: C is 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA).

    Returns:
        (N, 3, H, W) uint8.

    Raises:
        InputError: C is none of these.

    >>> import torch
    >>> as_rgb(torch.tensor([100, 51], dtype=torch.uint8).view(1, 2, 1, 1)).flatten().tolist()
    [224, 224, 224]
    """
    C = images.shape[1]
    if C not in (1, 2, 3, 4):
        raise InputError(f"Images of {C} channels were given; features are of images of 1, 2, 3 or 4 channels.")
    if C in (2, 4):
        colour, alpha = images[:, :-1].int(), images[:, -1:].int()
        images = (colour * alpha + 255 * (255 - alpha)).add(127).div(255, rounding_mode="floor").to(images.dtype)
    return images.expand(-1, 3, -1, -1)
