"""The recipe that is trained on images where none is named."""

from __future__ import annotations

from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec

SMALL_SIDE = 32
"""Longer side up to which DCGAN's networks learn more in minutes on a CPU than residual ones do."""


def recipe_for(spec: Spec, options: DataConfig) -> str:
    """Choose the recipe that had the best Fréchet distances for its time in docs/benchmarks.md (`bench.default`).

    Small images without labels are divided into clusters that stand for classes, unless labels were declined.
    """
    if spec.attributes:
        return "cgan"
    if max(spec.shape[1:]) > SMALL_SIDE:
        return "projection"
    return "lsgan" if options.labels == "none" and not spec.classes else "cgan"
