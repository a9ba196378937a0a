"""Schedules of a hyperparameter over a phase: functions of its progress from 0 to 1."""

from __future__ import annotations

import math


def constant_then_linear(progress: float, *, hold: float = 0.5) -> float:
    """Stay at 1 for the share `hold`, then fall in a straight line to 0 (CycleGAN: Zhu et al. 2017, appendix 7.1).

    >>> [constant_then_linear(p) for p in (0.0, 0.5, 0.75, 1.0)]
    [1.0, 1.0, 0.5, 0.0]
    """
    return min(1.0, max(0.0, (1 - progress) / (1 - hold))) if hold < 1 else 1.0


def linear(progress: float, *, start: float, stop: float) -> float:
    """Go from `start` to `stop` in a straight line.

    >>> linear(0.25, start=0.0, stop=2.0)
    0.5
    """
    return start + (stop - start) * min(1.0, max(0.0, progress))


def cosine(progress: float, *, start: float, stop: float) -> float:
    """Go from `start` to `stop` along half a cosine, flat at both ends (R3GAN: Huang et al. 2024, appendix D).

    >>> round(cosine(0.5, start=1.0, stop=0.0), 12)
    0.5
    """
    return stop + (start - stop) * (1 + math.cos(math.pi * min(1.0, max(0.0, progress)))) / 2
