"""Repeats that share nothing, and intervals that hold the truth."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.evaluation.probes.labelled_images import LabelledImages, balanced, made
from zerosum.metrics.repeats import repeated, shares


def test_the_interval_of_repeats_is_students():
    found = repeated([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.value == 3.0
    assert found.interval.high - found.value == pytest.approx(2.7764451 * 2.5**0.5 / 5**0.5, rel=1e-6)
    assert repeated([0.1] * 5).said() == "+10.0 points (95% interval +10.0 to +10.0)"


def test_repeats_share_no_test_sample_and_use_them_all():
    parts = shares(103, 5, seed=0)
    assert sorted(torch.cat(parts).tolist()) == list(range(103))
    assert {len(part) for part in parts} == {20, 21}


def test_few_labels_are_equally_many_of_each_class():
    labels = torch.tensor([0] * 50 + [1] * 5 + [2] * 20)
    rows = balanced(labels, 12, classes=3, seed=0)
    assert torch.bincount(labels[rows]).tolist() == [4, 4, 4]
    assert len(set(rows.tolist())) == 12
    assert rows.tolist() != balanced(labels, 12, classes=3, seed=1).tolist()
    for count in (18, 13, 0):
        with pytest.raises(InputError, match="rarest class has 5"):
            balanced(labels, count, classes=3, seed=0)


def test_a_source_is_asked_for_equally_many_of_each_class():
    found = made(lambda kind, n: torch.full((n, 1, 2, 2), kind, dtype=torch.uint8), classes=3, per_class=2)
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.images[:, 0, 0, 0].tolist() == found.labels.tolist()


def test_what_cannot_be_repeated_or_labelled_is_refused():
    with pytest.raises(InputError, match="5 or more"):
        repeated([1.0, 2.0])
    with pytest.raises(InputError, match="give more"):
        shares(3, 5, seed=0)
    with pytest.raises(InputError, match="uint8"):
        LabelledImages(images=torch.zeros(2, 1, 4, 4), labels=torch.zeros(2))
