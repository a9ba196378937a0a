"""Stacked MNIST: three random handwritten digits as the colours of one image, so that there are 1,000 modes to count.

The protocol is that of PacGAN's published code in the setting of VEEGAN (Lin et al. 2018, section 4.2,
https://arxiv.org/abs/1712.04086): 128,000 fixed training images. The test images are made in the same way of MNIST's
test digits, as many as samples are counted.
"""

from __future__ import annotations

import numpy as np

from zerosum.data.table import Table

COUNTS = {"train": 128_000, "test": 26_000}


def stack(digits: Table, split: str) -> Table:
    """Stack a split of MNIST, the same way every time.

    Args:
        digits: M images (M, H, W, 1) with labels of 10 classes.
        split: "train" or "test", which decides the number and the randomness.

    Returns:
        Images (N, H, W, 3), and labels in [0, 1000): the first colour's digit is the hundreds.
    """
    assert digits.labels is not None
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1000, *split.encode()])))
    rows = generator.integers(len(digits.samples), size=(COUNTS[split], 3))
    images = np.empty((COUNTS[split], *digits.samples.shape[1:3], 3), digits.samples.dtype)
    for colour in range(3):
        images[..., colour] = digits.samples[rows[:, colour], :, :, 0]
    labels = digits.labels[rows] @ np.array([100, 10, 1])
    note = f"{COUNTS[split]:,} images, each of three digits drawn from the {len(digits.samples):,} of MNIST's {split}."
    return Table(
        samples=images,
        labels=labels,
        classes=tuple(f"{label:03}" for label in range(1000)),
        notes=(*digits.notes, note),
    )
