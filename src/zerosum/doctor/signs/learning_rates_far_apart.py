"""Two players of whom one learns many times faster than the other."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import UPDATE
from zerosum.doctor.signs import Sign, remedies, windows

APART = {"discriminator": 10.0, "generator": 20.0}
"""Ratio of the rates by who learns faster. Papers with two time scales have 2 to 5; unrolled GANs have generators of
10."""
STEPS_APART = 30.0
"""Ratio of the steps, each as a share of its player's weights: networks differ, too."""


def find(evidence: Evidence) -> Finding | None:
    """Return that learning rates are far apart, as they were set or as the steps show."""
    return _set(evidence) or _measured(evidence)


def _set(evidence: Evidence) -> Finding | None:
    config = evidence.facts.config
    rates = [config.get(f"{role}_lr") for role in ("discriminator", "generator")]
    if not all(isinstance(rate, int | float) and rate > 0 for rate in rates) or not len(evidence.history):
        return None
    one, other = (float(rate) for rate in rates if rate is not None)
    ratio = max(one, other) / min(one, other)
    bound = APART["discriminator" if one > other else "generator"]
    if ratio < bound * (1 - 1e-9):
        return None
    return _finding(evidence, one > other, int(evidence.history[0]["round"]), ratio, bound, "learning rates", ())


def _measured(evidence: Evidence) -> Finding | None:
    for one in evidence.discriminators:
        for other in evidence.generators:
            keys = tuple(UPDATE.format(player=player) for player in (one, other))
            (rounds, left), (others, right) = (evidence.series(key) for key in keys)
            common, first, second = np.intersect1d(rounds, others, return_indices=True)
            moved = (left[first] > 0) & (right[second] > 0)  # a hinge loss that is met has no gradient
            ratio = left[first][moved] / np.maximum(right[second][moved], 1e-12)
            for faster, values in ((True, ratio), (False, 1 / np.maximum(ratio, 1e-12))):
                found = windows.crossing(evidence, common[moved], values, above=STEPS_APART, checks=windows.CHECKS)
                if found:
                    measure = "steps, each as a share of its player's weights"
                    return _finding(evidence, faster, found.since, found.value, STEPS_APART, measure, keys)
    return None


def _finding(
    evidence: Evidence, faster: bool, since: int, ratio: float, bound: float, measure: str, keys: tuple[str, ...]
) -> Finding:
    fast, slow = ("discriminator", "generator") if faster else ("generator", "discriminator")
    return SIGN.finding(
        severity="warning",
        confidence="possible",
        since=since,
        measure=f"ratio of the players' {measure}",
        value=ratio,
        threshold=bound,
        keys=keys,
        meaning=f"The {fast} learns {ratio:.0f} times faster than the {slow}, which hardly gets to answer. Ratios up "
        "to 5 are in use.",
        remedies=_remedies(evidence, fast),
    )


def _remedies(evidence: Evidence, fast: str) -> tuple[Remedy, ...]:
    config, slow = evidence.facts.config, {"discriminator": "generator", "generator": "discriminator"}[fast]
    other = config.get(f"{slow}_lr")
    closer = "brings the players' pace together"
    present = config.get(f"{fast}_lr")
    if isinstance(other, int | float) and isinstance(present, int | float) and 2 * other < present:
        return remedies.those((remedies.change(evidence, f"{fast}_lr", 2 * other, closer),))
    return remedies.those(
        (
            remedies.rate(evidence, fast, closer, factor=0.25, shared=False),
            remedies.moves(evidence, -1 if fast == "discriminator" else 1, f"gives the {slow} more of the moves"),
            remedies.both_rates(evidence, "keeps the faster player from running away")
            if "lr" in evidence.facts.flags
            else None,
        )
    )


SIGN = Sign(
    name="learning-rates-far-apart",
    title="The learning rates are far apart",
    find=find,
    source="Heusel et al. 2017, table 1 (https://arxiv.org/abs/1706.08500); threshold by our own choice",
)
