"""Window arithmetic of the signs: running averages, and since which round a condition holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zerosum.doctor.evidence import FAKE, REAL, Evidence

WINDOW = 300
"""Rounds over which noisy series are averaged: an epoch of the log in which the thresholds were set has 313."""

CHECKS = 3
"""Consecutive measurements of what is measured seldom."""

REMEMBERED = 8
"""Spans after which a running average has forgotten a value: all but a ten-millionth."""

MOST_EPOCHS = 500
"""Rows up to which a log of unknown origin with a row a round is taken for one of epochs."""


@dataclass(frozen=True)
class Crossing:
    """A condition that holds at the end of a series."""

    since: int
    """First round of the unbroken stretch."""
    value: float
    """The averaged measurement at the end."""


def spacing(rounds: np.ndarray) -> float:
    """Return the median number of rounds between the rows of a series, at least 1."""
    return max(1.0, float(np.median(np.diff(rounds)))) if len(rounds) > 1 else 1.0


def of_epochs(evidence: Evidence) -> bool:
    """Whether each row is the mean of an epoch: as is known, or as a short log of unknown origin suggests."""
    facts = evidence.facts
    if facts.epochs is not None:
        return facts.epochs
    few = len(evidence.history) <= MOST_EPOCHS
    return facts.recipe is None and few and spacing(evidence.series("round")[0]) == 1


def rows(evidence: Evidence, rounds: np.ndarray, span: float) -> int:
    """Return how many rows of a series cover `span` rounds, at least one; a row of an epoch covers any span."""
    return 1 if of_epochs(evidence) else max(1, math.ceil(span / spacing(rounds)))


def warm_up(evidence: Evidence) -> float:
    """Return the round up to which a healthy game is still one-sided, because the generator outputs noise.

    A tenth of the planned rounds, from 200 to 1,000; 500 where they are unknown; 3 epochs of a log of epochs.
    """
    if of_epochs(evidence):
        return 3.0
    planned = evidence.facts.rounds
    return 500.0 if planned is None else min(1000.0, max(200.0, planned / 10))


def smooth(values: np.ndarray, span: int) -> np.ndarray:
    """Return the exponential running average of (T,) values over `span` rows, without bias to its start.

    >>> smooth(np.array([1.0, 1.0, 4.0]), 1).tolist()
    [1.0, 1.0, 4.0]
    """
    if span <= 1 or not len(values):
        return values
    kernel = (1 - 2 / (span + 1)) ** np.arange(min(len(values), REMEMBERED * span))
    weights = np.cumsum(np.pad(kernel, (0, len(values) - len(kernel))))
    return np.convolve(values, kernel)[: len(values)] / weights


def since(rounds: np.ndarray, holds: np.ndarray, *, of: int = 1, share: float = 1.0) -> int | None:
    """Return the round since which a condition holds to the end; None where it does not hold at the end.

    Args:
        rounds: (T,).
        holds: (T,) bool.
        of: rows that the condition is to hold for.
        share: of any `of` neighbouring rows on which it must hold.

    >>> since(np.array([1, 2, 3, 4]), np.array([True, False, True, True]), of=2)
    3
    """
    if len(holds) < of:
        return None
    counts = np.convolve(holds.astype(float), np.ones(of), mode="valid")
    failing = np.flatnonzero(counts < share * of - 1e-9)
    start = int(failing[-1]) + 1 if len(failing) else 0
    if start >= len(counts):
        return None
    return int(rounds[start + int(np.argmax(holds[start:]))])


def crossing(
    evidence: Evidence,
    rounds: np.ndarray,
    values: np.ndarray,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    span: float = WINDOW,
    lasting: float = 0,
    checks: int = 1,
    after: float | None = None,
) -> Crossing | None:
    """Return since when the running average of a series lies within bounds to its end.

    Args:
        evidence: of the run.
        rounds: (T,).
        values: (T,).
        above: the average is at least this.
        below: the average is less than this.
        span: rounds of the running average.
        lasting: rounds for which it must have been so.
        checks: rows for which it must have been so.
        after: the round up to which rows are left out; by default that of `warm_up`.
    """
    length = rows(evidence, rounds, span)
    needed = max(rows(evidence, rounds, lasting), checks)
    warm = rounds > (warm_up(evidence) if after is None else after)
    if warm.sum() < max(needed, length):
        return None
    average = smooth(values[warm], length)
    begun = since(rounds[warm], (average >= above) & (average < below), of=needed)
    return None if begun is None else Crossing(begun, float(average[-1]))


def accuracies(evidence: Evidence, player: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rounds (T,) and a discriminator's accuracies (T,) on real and on generated samples."""
    rounds, real = evidence.series(f"{player}/{REAL}")
    others, fake = evidence.series(f"{player}/{FAKE}")
    common, left, right = np.intersect1d(rounds, others, return_indices=True)
    return common, real[left], fake[right]


def accuracy(evidence: Evidence, player: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rounds (T,) and the mean (T,) of both accuracies, or the accuracy of all where only it is known."""
    rounds, real, fake = accuracies(evidence, player)
    return (rounds, (real + fake) / 2) if len(rounds) else evidence.series(f"{player}/accuracy")


def hesitates(evidence: Evidence, player: str, side: str) -> bool:
    """Whether labels are smoothed, and the mean logit of "real" or "fake" samples ends within 1 of 0.

    With smoothed labels the best answer to a perfect generator is not one half: with labels of 0.9 it is a logit of
    -0.2, by which every sample is called generated and none with certainty.
    """
    facts = evidence.facts
    labels = [facts.config.get(f"{kind}_label") for kind in ("real", "fake")]
    within = any(0 < end < 1 for ends in labels if isinstance(ends, tuple | list) for end in ends)
    smoothed = within or "smoothing" in str(facts.training.get("stabilise") or "")
    if facts.objective != "logistic" or not smoothed:
        return False
    rounds, logits = evidence.series(f"{player}/{side}")
    return len(logits) > 0 and abs(float(smooth(logits, rows(evidence, rounds, WINDOW))[-1])) < 1


def first(players: list[str], otherwise: str) -> str:
    """Return the first of some players, or a usual name where none was logged."""
    return players[0] if players else otherwise


def rising(values: np.ndarray, *, by: float = 1.1) -> bool:
    """Whether a series of (T,) positive values still grows: its last fifth is `by` times what it was halfway there."""
    if len(values) < 4:
        return False
    last, middle = values[-max(1, len(values) // 5) :], values[len(values) // 3 : len(values) // 2 + 1]
    return bool(np.mean(last) > by * np.mean(middle))
