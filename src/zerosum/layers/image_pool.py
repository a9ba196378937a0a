"""History buffer of generated images, so that a discriminator also trains on earlier ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.runtime import rng


class ImagePool(nn.Module):
    """The last images that a generator made, or rather a random choice of them.

    Until the pool is full every image is kept and handed on. Then, with probability one half, an image takes the place
    of a random one of the pool, which is handed on instead. Its contents are part of the state_dict: a resumed run
    draws the same images.

    Args:
        size: images to keep; 0 hands everything on.
        shape: (C, H, W) of an image.

    Source: Shrivastava et al. 2017, section 2.3 (https://arxiv.org/abs/1612.07828); Zhu et al. 2017, section 4.
    """

    images: Tensor
    count: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Keep images (N, C, H, W), and hand on as many: these, or earlier ones. No gradient passes."""
        size = len(self.images)
        if size == 0:
            return images.detach()
        places = rng.integers(len(images), high=size, device=torch.device("cpu")).tolist()
        swaps = rng.uniform(len(images), device=torch.device("cpu")).lt(0.5).tolist()
        handed, count = [], int(self.count)
        for image, place, swap in zip(images, places, swaps, strict=True):
            if count < size:
                self.images[count] = image
                count += 1
                handed.append(image)
            elif swap:
                handed.append(self.images[place].to(image.dtype, copy=True))
                self.images[place] = image
            else:
                handed.append(image)
        self.count.fill_(count)
        return torch.stack(handed)
