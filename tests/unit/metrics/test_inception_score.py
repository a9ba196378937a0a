"""Scores of a classifier's opinion in closed form and against plain sums."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.inception_score import inception_score, mode_score


def by_definition(logits: torch.Tensor) -> float:
    given = logits.double().softmax(1)
    marginal = given.mean(0)
    return math.exp(float((given * (given.log() - marginal.log())).sum(1).mean()))


def sure(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return 1e4 * torch.nn.functional.one_hot(labels, classes).float()


def test_sure_and_varied_predictions_score_the_number_of_classes():
    assert inception_score(sure(torch.arange(70) % 7, 7), splits=1).value == pytest.approx(7.0, rel=1e-12)


def test_constant_predictions_score_one():
    for logits in (torch.zeros(20, 5), sure(torch.zeros(20, dtype=torch.int64), 5), torch.randn(1, 5).expand(20, 5)):
        assert inception_score(logits, splits=2).value == pytest.approx(1.0, rel=1e-12)


def test_splits_are_consecutive_and_their_deviation_is_that_of_the_population():
    logits = torch.randn(53, 6) * 3
    found = inception_score(logits, splits=4)
    expected = [by_definition(part) for part in (logits[:13], logits[13:26], logits[26:39], logits[39:])]
    assert found.splits == pytest.approx(expected, rel=1e-10)
    assert found.value == pytest.approx(sum(expected) / 4, rel=1e-10)
    assert found.deviation == pytest.approx(float(torch.tensor(expected).std(correction=0)), rel=1e-5)


def test_the_order_within_a_split_does_not_matter():
    logits = torch.randn(40, 6)
    value = inception_score(logits, splits=1).value
    assert inception_score(logits[torch.randperm(40)], splits=1).value == pytest.approx(value, rel=1e-12)


def test_a_dropped_class_lowers_the_score():
    labels = torch.arange(60) % 6
    assert inception_score(sure(labels[labels != 2], 6), splits=1).value == pytest.approx(5.0)


def test_the_mode_score_is_the_inception_score_where_the_marginals_agree():
    logits = torch.randn(80, 5) * 4
    training = logits.double().softmax(1).mean(0)
    assert mode_score(logits, training=training, splits=1).value == pytest.approx(
        inception_score(logits, splits=1).value, rel=1e-9
    )


def test_the_mode_score_pays_for_classes_in_the_wrong_shares():
    labels = torch.arange(60) % 6
    training = torch.tensor([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    astray = sum(math.log(1 / 6 / share) / 6 for share in training.tolist())
    assert mode_score(sure(labels, 6), training=training, splits=1).value == pytest.approx(
        6 * math.exp(-astray), rel=1e-6
    )


def test_what_is_no_opinion_is_refused():
    with pytest.raises(InputError, match="1 to 3"):
        inception_score(torch.zeros(3, 2), splits=10)
    with pytest.raises(InputError, match="one a class"):
        mode_score(torch.zeros(3, 2), training=torch.tensor([0.5, 0.1]), splits=1)
    with pytest.raises(InputError, match="not finite"):
        inception_score(torch.full((3, 2), float("nan")), splits=1)
