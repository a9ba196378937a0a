"""The 95 % intervals of metrics hold the truth as often as they say."""

from __future__ import annotations

import pytest

from bench.coverage import METRICS, coverage, table

pytestmark = pytest.mark.slow


def test_intervals_hold_the_truth() -> None:
    found = coverage(repeats=60, more=200, seed=1)
    assert found.keys() == set(METRICS)
    # Of 60 intervals that hold it 9 times of 10, fewer than 48 do once in 200.
    assert all(share >= 0.8 for share in found.values()), table(found)
