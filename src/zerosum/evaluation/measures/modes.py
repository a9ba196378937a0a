"""Metrics of points against the mixture they were drawn from: modes found, and how well."""

from __future__ import annotations

import math

import torch

from zerosum.data.sources import toys
from zerosum.evaluation.measures.base import SHARE, MetricGroup, Values, by_bootstrap, with_floor_and_interval
from zerosum.evaluation.result import Better, MetricResult
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.metrics.modes import mixture_modes

MODES: dict[str, Better] = {"modes": "higher", "high-quality": "higher", "mode-kl": "lower"}


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (MetricGroup(names=MODES, unavailable=_missing, compute=_compute, quick=_alone),)


def _missing(comparison: Comparison) -> str | None:
    return None if comparison.reference.mixture else "modes are counted of points; compare them with ring8 or grid25"


def _modes(name: str, side: SampleSet) -> Values:
    centres, sigma = toys.modes(name)
    found = mixture_modes(side.features, torch.from_numpy(centres), sigma=sigma)
    return {"modes": float(found.found), "high-quality": found.high_quality, "mode-kl": found.divergence}


def _compute(comparison: Comparison) -> list[MetricResult]:
    name = str(comparison.reference.mixture)
    centres, sigma = toys.modes(name)
    return with_floor_and_interval(
        comparison,
        MODES,
        lambda real, fake: _modes(name, fake),
        titles={"modes": f"modes of {len(centres)}", "high-quality": "high-quality share", "mode-kl": "KL of modes"},
        settings=f"within 3 sigma of {sigma:g} of the nearest mode",
        interval=by_bootstrap(comparison, work=10.0 * len(comparison.fake) * len(centres)),
        proportions=("high-quality",),
        limits={"modes": (0.0, len(centres)), "high-quality": SHARE, "mode-kl": (0.0, math.log(len(centres)))},
    )


def _alone(comparison: Comparison) -> Values:
    return _modes(str(comparison.reference.mixture), comparison.fake)
