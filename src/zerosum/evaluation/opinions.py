"""Metrics of a classifier's opinion: Inception Score, Mode Score, class balance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from zerosum.evaluation.evidence import Evidence, Side
from zerosum.evaluation.family import (
    SPLITS,
    Family,
    Values,
    by_bootstrap,
    by_splits,
    compared,
    inception_title,
    needs_opinion,
)
from zerosum.evaluation.figure import Better, Figure
from zerosum.metrics.divergence import class_balance
from zerosum.metrics.inception_score import inception_score, mode_score

INCEPTION: dict[str, Better] = {"is": "higher"}
MODE: dict[str, Better] = {"mode-score": "higher"}
BALANCE: dict[str, Better] = {"class-balance": "lower"}


def families() -> tuple[Family, ...]:
    """Return the families of this file."""
    return (
        Family(names=INCEPTION, missing=_missing_for_splits, judge=_judge_inception, values=_inception_alone),
        Family(names=MODE, missing=_missing_for_splits, judge=_judge_mode, values=_mode_alone),
        Family(names=BALANCE, missing=needs_opinion, judge=_judge_balance, values=_balance_alone),
    )


def _missing_for_splits(evidence: Evidence) -> str | None:
    count = len(evidence.fake)
    few = None if count >= SPLITS else f"{count} samples make no {SPLITS} splits; give a larger --count"
    return needs_opinion(evidence) or few


def _judge_inception(evidence: Evidence) -> list[Figure]:
    return _judge_score(evidence, "is", "IS", lambda side, splits: inception_score(side.logits, splits=splits).value)


def _judge_mode(evidence: Evidence) -> list[Figure]:
    return _judge_score(evidence, "mode-score", "Mode Score", partial(_mode, evidence.marginal))


def _mode(expected: Tensor, side: Side, splits: int) -> float:
    return mode_score(side.logits, training=expected.to(side.logits.device), splits=splits).value


def _judge_score(evidence: Evidence, name: str, title: str, score: Callable[[Side, int], float]) -> list[Figure]:
    """Judge by a score over splits; the intervals are of single splits, which are as large."""
    return compared(
        evidence,
        {name: "higher"},
        lambda real, fake: {name: score(fake, SPLITS)},
        titles={name: inception_title(title, evidence)},
        settings=f"mean of {SPLITS} splits",
        interval=lambda metric: by_splits(evidence)(lambda rows: score(evidence.fake.take(rows), 1)),
    )


def _inception_alone(evidence: Evidence) -> Values:
    return {"is": inception_score(evidence.fake.logits, splits=SPLITS).value}


def _mode_alone(evidence: Evidence) -> Values:
    return {"mode-score": _mode(evidence.marginal, evidence.fake, SPLITS)}


def _balance(expected: Tensor, side: Side) -> Values:
    return {"class-balance": class_balance(side.logits.argmax(1), expected=expected).variation}


def _judge_balance(evidence: Evidence) -> list[Figure]:
    expected = evidence.marginal
    missing = class_balance(evidence.fake.logits.argmax(1), expected=expected).missing
    labelled = "of the labels" if evidence.reference.expected is not None else "that the extractor sees in real samples"
    return compared(
        evidence,
        BALANCE,
        lambda real, fake: _balance(expected, fake),
        titles={"class-balance": "class imbalance"},
        settings=f"total variation distance to the shares {labelled}",
        interval=by_bootstrap(evidence, work=evidence.fake.logits.numel()),
        notes=_absent(missing),
    )


def _absent(classes: tuple[int, ...]) -> tuple[str, ...]:
    shown = ", ".join(map(str, classes[:10])) + (", ..." if len(classes) > 10 else "")
    return (f"no sample was taken for one of {len(classes)} of the expected classes ({shown}).",) if classes else ()


def _balance_alone(evidence: Evidence) -> Values:
    return _balance(evidence.marginal, evidence.fake)
