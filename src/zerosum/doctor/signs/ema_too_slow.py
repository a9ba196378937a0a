"""A running average of the generator that reaches back to its untrained weights."""

from __future__ import annotations

import math

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies

SHARE = 0.5
"""Of the run's rounds."""
WANTED = 0.05


def find(evidence: Evidence) -> Finding | None:
    """Return that the running average reaches back over half of the run, as its decay was set."""
    rounds, reach = evidence.facts.rounds, reach_of(evidence)
    if not rounds or not reach or reach < SHARE * rounds or not len(evidence.history):
        return None
    return SIGN.finding(
        severity="note",
        confidence="certain",
        since=int(evidence.history[0]["round"]),
        measure="rounds that the running average reaches back",
        value=reach,
        threshold=SHARE * rounds,
        meaning="The running average, which samples, is slow for so short a run. Its decay is ramped up, so that it "
        "lags by about a ninth of the run, and the samples are worse than the weights could make them.",
        remedies=_remedies(evidence, rounds),
    )


def reach_of(evidence: Evidence) -> float | None:
    """Return the time constant in rounds, 1 / (1 - decay) or half-life / batch / ln 2; None where there is none."""
    config = evidence.facts.config
    decay, half_life, batch = config.get("ema_decay"), config.get("ema_half_life"), config.get("batch")
    if isinstance(decay, int | float):
        return 1 / (1 - decay) if 0 < decay < 1 else math.inf if decay == 1 else None
    if config.get("ema_ramp") or not isinstance(batch, int):
        return None
    last = half_life[-1] if isinstance(half_life, tuple | list) and half_life else half_life
    return last / batch / math.log(2) if isinstance(last, int | float) and last > 0 else None


def _remedies(evidence: Evidence, rounds: int) -> tuple[Remedy, ...]:
    why = "reaches back over a twentieth of the run"
    batch = evidence.facts.config.get("batch", 64)
    decay = max(0.5, float(f"{1 - 1 / max(2.0, WANTED * rounds):.3g}"))
    half_life = float(f"{WANTED * rounds * batch * math.log(2):.3g}")
    pair = isinstance(evidence.facts.config.get("ema_half_life"), tuple | list)
    return remedies.those(
        (
            remedies.change(evidence, "ema_decay", decay, why),
            remedies.change(evidence, "ema_half_life", (0.0, half_life) if pair else half_life, why)
            if evidence.facts.flags
            else None,
            remedies.scale(evidence, "rounds", 4, "makes the run long enough for it"),
        )
    )


SIGN = Sign(
    name="ema-too-slow",
    title="The running average is slow for the length of the run",
    find=find,
    source="Karras et al. 2024, section 3 (https://arxiv.org/abs/2312.02696): length as a share of the run; "
    "threshold by our own choice",
)
