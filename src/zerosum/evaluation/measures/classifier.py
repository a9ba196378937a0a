"""Metrics of a classifier's opinion: Inception Score, Mode Score, class balance, class accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from zerosum.evaluation.measures.base import (
    SHARE,
    SPLITS,
    MetricGroup,
    Values,
    by_bootstrap,
    inception_title,
    needs_opinion,
    with_floor_and_interval,
)
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.inference.generate import draw_labels
from zerosum.metrics.bootstrap import share_interval, split_interval
from zerosum.metrics.divergence import class_balance
from zerosum.metrics.inception_score import Score, inception_score, mode_score
from zerosum.text import listed

INCEPTION: dict[str, Better] = {"is": "higher"}
MODE: dict[str, Better] = {"mode-score": "higher"}
BALANCE: dict[str, Better] = {"class-balance": "lower"}
ACCURACY: dict[str, Better] = {"class-accuracy": "higher"}

FEWEST = 10
"""Samples in a split: a score cannot exceed their number, and of a single sample it is 1 whatever that shows."""


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=INCEPTION,
            unavailable=_missing_for_splits,
            compute=_compute_inception,
            quick=_inception_alone,
            blind="IS, Mode Score and class imbalance do not react to one and the same sample for each class, nor to "
            "what a class looks like",
        ),
        MetricGroup(names=MODE, unavailable=_missing_for_splits, compute=_compute_mode, quick=_mode_alone),
        MetricGroup(names=BALANCE, unavailable=needs_opinion, compute=_compute_balance, quick=_balance_alone),
        MetricGroup(
            names=ACCURACY,
            unavailable=_missing_classes,
            compute=_compute_accuracy,
            blind="class accuracy does not react to variety within a class",
        ),
    )


def _missing_for_splits(comparison: Comparison) -> str | None:
    count = min(len(comparison.fake), len(comparison.reference.other))
    least = SPLITS * FEWEST
    few = None if count >= least else f"{SPLITS} splits of {count} samples hold too few; give --count {least} or more"
    return needs_opinion(comparison) or few


def _missing_classes(comparison: Comparison) -> str | None:
    recipe, training = comparison.recipe, comparison.reference.training
    if recipe is None or not recipe.takes_labels or recipe.spec.attributes:
        return "the samples are of no classes; it is for runs that generate for classes"
    if recipe.spec.classes != training.spec.classes:
        return f"the classes of {comparison.protocol.data} are not those that the run was trained on"
    if comparison.reference.expected is None:
        return f"the features {comparison.protocol.extractor} do not tell these classes; use --features classifier"
    return None


def _compute_inception(comparison: Comparison) -> list[MetricResult]:
    return _compute_score(comparison, "is", "IS", lambda side: inception_score(side.logits, splits=SPLITS))


def _compute_mode(comparison: Comparison) -> list[MetricResult]:
    return _compute_score(comparison, "mode-score", "Mode Score", partial(_mode, _probabilities(comparison)))


def _probabilities(comparison: Comparison) -> Tensor:
    """Return (K,) probabilities of classes to expect: of the training labels, or else the mean of the real samples'.

    Shares of the likeliest classes will not do: a class that no real sample is called makes every Mode Score 0.
    """
    if comparison.reference.expected is not None:
        return comparison.reference.expected
    logits = comparison.real.logits
    return torch.stack([part.double().softmax(1).sum(0) for part in logits.split(4096)]).sum(0) / len(logits)


def _mode(expected: Tensor, side: SampleSet) -> Score:
    return mode_score(side.logits, training=expected.to(side.logits.device), splits=SPLITS)


def _compute_score(
    comparison: Comparison, name: str, title: str, score: Callable[[SampleSet], Score]
) -> list[MetricResult]:
    """Judge by a score over splits; the interval is that of their mean, which the score is."""
    taken = score(comparison.fake).splits
    spread = split_interval(lambda rows: taken[int(rows[0])], SPLITS, seed=0, splits=SPLITS)
    return with_floor_and_interval(
        comparison,
        {name: "higher"},
        lambda real, fake: {name: score(fake).value},
        titles={name: inception_title(title, comparison.protocol.extractor, comparison.frechet)},
        settings=f"mean of {SPLITS} splits of {len(comparison.fake) // SPLITS:,}",
        interval=lambda metric: spread,
        limits={name: (0.0 if name == "mode-score" else 1.0, float(comparison.fake.logits.shape[1]))},
    )


def _inception_alone(comparison: Comparison) -> Values:
    return {"is": inception_score(comparison.fake.logits, splits=SPLITS).value}


def _mode_alone(comparison: Comparison) -> Values:
    return {"mode-score": _mode(_probabilities(comparison), comparison.fake).value}


def _balance(expected: Tensor, side: SampleSet) -> Values:
    return {"class-balance": class_balance(side.logits.argmax(1), expected=expected).variation}


def _compute_balance(comparison: Comparison) -> list[MetricResult]:
    expected = comparison.marginal
    missing = class_balance(comparison.fake.logits.argmax(1), expected=expected).missing
    labelled = (
        "of the training labels"
        if comparison.reference.expected is not None
        else "that the extractor sees in real samples"
    )
    return with_floor_and_interval(
        comparison,
        BALANCE,
        lambda real, fake: _balance(expected, fake),
        titles={"class-balance": "class imbalance"},
        settings=f"total variation distance to the shares {labelled}",
        interval=by_bootstrap(comparison, work=comparison.fake.logits.numel()),
        limits={"class-balance": SHARE},
        notes=_absent(missing, comparison),
    )


def _absent(missing: Sequence[int], comparison: Comparison) -> tuple[str, ...]:
    """Say which classes no sample was taken for, by their names where the extractor tells those of the data."""
    if not missing:
        return ()
    reference = comparison.reference
    names = reference.training.spec.classes if reference.expected is not None else range(max(missing) + 1)
    absent = listed([str(names[number]) for number in missing], most=10)
    return (f"no sample was taken for one of {len(missing)} of the expected classes ({absent}).",)


def _balance_alone(comparison: Comparison) -> Values:
    return _balance(comparison.marginal, comparison.fake)


def _compute_accuracy(comparison: Comparison) -> list[MetricResult]:
    assert comparison.recipe is not None
    reference, fake = comparison.reference, comparison.fake
    labels = reference.splits.real.images.labels
    assert labels is not None
    share = _accuracy(fake, draw_labels(comparison.recipe.spec, len(fake), comparison.protocol.seed))
    return [
        MetricResult(
            metric="class-accuracy",
            title=f"class accuracy-{comparison.protocol.extractor}",
            value=finite(share),
            better="higher",
            settings="samples that the classifier assigns to the class that they were generated for",
            floor=finite(_accuracy(reference.real, torch.from_numpy(labels[reference.rows]))),
            interval=share_interval(share, len(fake)),
        )
    ]


def _accuracy(side: SampleSet, labels: Tensor) -> float:
    return float((side.logits.argmax(1) == labels).double().mean())
