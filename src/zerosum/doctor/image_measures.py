"""Measures of a set of images alone, of those that are watched during training."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.measures import CHECKERBOARD, CONSTANT_CHANNELS, DIVERSITY, DUPLICATES, SATURATED

PAIRED = 512
"""Images of which all pairs are compared."""

NEARLY_THE_SAME = 1 / 255
"""Mean absolute difference of two images, of the range from black to white, under which they look the same."""

NYQUIST = 0.4
"""Cycles a pixel in either direction from which on power counts as near the Nyquist frequency, 0.5."""


def measure(samples: np.ndarray, real: np.ndarray | None = None) -> dict[str, float]:
    """Return what can be measured of samples, by the names of the history.

    Args:
        samples: (N, C, H, W) uint8.
        real: (M, C, H, W) uint8, or None. Without them a measure that is a ratio is returned only where no real
            samples would change what it says: a diversity of samples that are all nearly the same.
    """
    varied = diversity(samples)
    found = {DUPLICATES: duplicates(samples), CONSTANT_CHANNELS: float(constant_channels(samples))}
    if real is None:
        return found | ({DIVERSITY: varied} if varied < NEARLY_THE_SAME else {})
    if (usual := diversity(real)) > 0:
        found[DIVERSITY] = varied / usual
    high, usual = near_nyquist(samples), near_nyquist(real)
    if high is not None and usual:
        found[CHECKERBOARD] = high / usual
    found[SATURATED] = saturated(samples) - saturated(real)
    found[DUPLICATES] -= duplicates(real)
    found[CONSTANT_CHANNELS] -= constant_channels(real)
    return found


def diversity(images: np.ndarray) -> float:
    """Return the mean L1 distance of two of the first images, as a share of the range; (N, C, H, W) uint8, N >= 2.

    Computed from the sorted values at each place, without comparing pairs.

    >>> diversity(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
    1.0
    """
    rows = np.sort(images[:PAIRED].reshape(len(images[:PAIRED]), -1), axis=0).astype(np.float64)
    n = len(rows)
    weights = 2 * np.arange(n) - n + 1.0  # of the k-th smallest in the sum of all differences
    return float((weights @ rows).mean() / (n * (n - 1) / 2) / 255)


def duplicates(images: np.ndarray) -> float:
    """Return the share of images (N, ...) that equal an earlier one.

    >>> duplicates(np.array([[1], [2], [1], [1]], np.uint8))
    0.5
    """
    return 1 - len({image.tobytes() for image in images}) / len(images)


def constant_channels(images: np.ndarray) -> int:
    """Return how many channels of (N, C, H, W) have one value in all images."""
    values = np.moveaxis(images, 1, 0).reshape(images.shape[1], -1)
    return int((values.min(1) == values.max(1)).sum())


def saturated(images: np.ndarray) -> float:
    """Return the share of values within 0.01 of -1 or 1, in the range of training: 0, 1, 254 and 255 of uint8."""
    return float(((images <= 1) | (images >= 254)).mean())


def near_nyquist(images: np.ndarray) -> float | None:
    """Return the share of the power of images (N, C, H, W) near the Nyquist frequencies; None without any power.

    Transposed convolutions of stride 2 repeat their weights every second pixel, whose frequency is that one (Odena et
    al. 2016, https://distill.pub/2016/deconv-checkerboard/).
    """
    total = near = 0.0
    frequencies = [np.abs(np.fft.fftfreq(side)) for side in images.shape[2:]]
    high = np.maximum(frequencies[0][:, None], frequencies[1]) >= NYQUIST
    for start in range(0, len(images), 64):
        part = images[start : start + 64].astype(np.float64)
        power = np.abs(np.fft.fft2(part - part.mean((2, 3), keepdims=True))) ** 2
        total, near = total + float(power.sum()), near + float(power[..., high].sum())
    return near / total if total > 0 else None
