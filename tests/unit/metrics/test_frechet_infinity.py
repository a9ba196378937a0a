"""The Frechet distance continued to infinitely many samples on both sides."""

from __future__ import annotations

from statistics import fmean

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.frechet_infinity import frechet_infinity


def test_the_bias_of_both_sides_is_taken_away() -> None:
    found = [frechet_infinity(torch.randn(400, 12), torch.randn(300, 12), jackknife=False) for _ in range(12)]
    whole = fmean(one.distances[0] for one in found)
    assert whole > 0.2
    assert abs(fmean(one.value for one in found)) < 0.15 * whole


def test_the_line_is_that_of_the_definition() -> None:
    x, y = torch.randn(40, 3), torch.randn(48, 3) + 1
    cut = ((x[:20], y[:24]), (x[20:], y[24:]))
    found = frechet_infinity(x, y)
    assert found.distances[0] == frechet_distance_of_features(x, y).value
    assert found.distances[1] == pytest.approx(fmean(frechet_distance_of_features(*sides).value for sides in cut))
    points = torch.tensor([[1.0, 1], [1, 2], [1, 4]]).double()
    line = torch.linalg.lstsq(points, torch.tensor(found.distances, dtype=torch.float64)[:, None]).solution[0]
    assert found.value == pytest.approx(float(line), rel=1e-9)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_too_few_samples_are_refused() -> None:
    assert frechet_infinity(torch.randn(10, 2), torch.randn(10, 2)).interval is not None
    assert frechet_infinity(torch.randn(8, 2), torch.randn(8, 2), jackknife=False).interval is None
    with pytest.raises(InputError, match="at least 10"):
        frechet_infinity(torch.randn(9, 2), torch.randn(12, 2))
