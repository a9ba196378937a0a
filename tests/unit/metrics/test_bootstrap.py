"""Intervals that hold the truth as often as they say, and floors of disjoint samples."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.bootstrap import bootstrap, floor, split_interval


def test_the_bootstrap_error_of_a_mean_is_the_known_one():
    x = torch.randn(400)
    found = bootstrap(lambda i: float(x[i].mean()), 400, seed=0, draws=1000)
    error = float(x.std()) / 20
    assert found.standard_error == pytest.approx(error, rel=0.1)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.12)
    assert found.low < float(x.mean()) < found.high


@pytest.mark.parametrize("kind", [bootstrap, split_interval])
def test_intervals_hold_the_truth_about_as_often_as_they_say(kind):
    hits = 0
    for trial in range(100):
        x = torch.randn(100, generator=torch.Generator().manual_seed(trial))
        found = kind(lambda i, x=x: float(x[i].mean()), 100, seed=trial, level=0.9)
        hits += found.low <= 0 <= found.high
    assert 78 <= hits <= 99


def test_a_metric_that_duplicates_shift_keeps_its_value_inside():
    x = torch.randn(200)
    # The number of different samples: every draw has fewer than all.
    found = bootstrap(lambda i: len(x[i].unique()) / 200, 200, seed=0)
    assert found.low < 1.0 < found.high


def test_splits_are_disjoint_and_complete():
    seen = []
    split_interval(lambda i: float(len(seen.extend(i.tolist()) or i)), 103, seed=0, splits=7)
    assert sorted(seen) == list(range(103))


def test_the_split_interval_is_students():
    found = split_interval(lambda i: float(i[0] * 0 + len(i)), 23, seed=0, splits=5)
    values = torch.tensor([5.0, 5, 5, 4, 4])
    error = float(values.std()) / math.sqrt(5)
    assert found.standard_error == pytest.approx(error, rel=1e-6)
    assert (found.high - found.low) / 2 == pytest.approx(2.7764451 * error, rel=1e-6)
    assert (found.high + found.low) / 2 == pytest.approx(4.6)


def test_intervals_and_floors_repeat_with_their_seed():
    x = torch.randn(100)

    def mean(i: torch.Tensor) -> float:
        return float(x[i].mean())

    assert bootstrap(mean, 100, seed=1) == bootstrap(mean, 100, seed=1)
    assert bootstrap(mean, 100, seed=1) != bootstrap(mean, 100, seed=2)
    assert split_interval(mean, 100, seed=1) == split_interval(mean, 100, seed=1)


def test_the_floor_takes_disjoint_sets_of_the_counts_asked_for():
    seen = []

    def note(a: torch.Tensor, b: torch.Tensor) -> float:
        seen.append((a, b))
        return float(len(seen))

    found = floor(note, 50, real=30, fake=20, seed=0, repeats=3)
    assert found.repeats == (1.0, 2.0, 3.0)
    assert (found.value, found.deviation) == (2.0, 1.0)
    for a, b in seen:
        assert (len(a), len(b)) == (30, 20)
        assert len(set(a.tolist()) | set(b.tolist())) == 50
    assert not torch.equal(seen[0][0], seen[1][0])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match="must not overlap"):
        floor(lambda a, b: 0.0, 50, real=30, fake=21, seed=0)
    with pytest.raises(InputError, match="5 to 9"):
        split_interval(lambda i: 0.0, 9, seed=0, splits=10)
    with pytest.raises(InputError, match="20 or more"):
        bootstrap(lambda i: 0.0, 9, seed=0, draws=3)
    with pytest.raises(InputError, match="level"):
        bootstrap(lambda i: 0.0, 9, seed=0, level=95)
