"""With more or fewer generated samples than real ones, figures and intervals are of the samples there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from zerosum.evaluation.measures import features, volumes
from zerosum.evaluation.samples import SampleSet
from zerosum.features.extractor import Features
from zerosum.metrics.kernel import polynomial_discrepancy


def comparison(real: SampleSet, fake: SampleSet, other: SampleSet) -> Any:
    protocol = SimpleNamespace(seed=0, extractor="test")
    reference = SimpleNamespace(other=other)
    return SimpleNamespace(
        real=real, fake=fake, reference=reference, protocol=protocol, frechet="FID", kind="volumes"
    )  # fmt: skip


@pytest.mark.parametrize(("real", "fake"), [(60, 1500), (1500, 60)])
def test_the_kernel_distance_of_unlike_counts_has_an_interval_that_holds_the_truth(real: int, fake: int) -> None:
    """A real sample that stood for several, in splits that shared it, made intervals a fifth as wide as they are."""
    generator = torch.Generator().manual_seed(0)

    def drawn(count: int, by: float) -> Tensor:
        return torch.randn(count, 4, generator=generator) + by

    truth = polynomial_discrepancy(drawn(6000, 0), drawn(6000, 0.4))
    held, widths, values = 0, [], []
    for _ in range(20):
        sides = (SampleSet(outputs=Features(features=drawn(n, by))) for n, by in ((real, 0), (fake, 0.4), (real, 0)))
        (figure,) = features._compute_kernel(comparison(*sides))
        assert figure.interval is not None
        assert figure.value is not None
        held += figure.interval.low <= truth <= figure.interval.high
        widths.append(figure.interval.high - figure.interval.low)
        values.append(figure.value)
    assert held >= 18
    spread = float(torch.tensor(values).std())
    assert 0.7 * 4 * spread < sum(widths) / len(widths) < 3 * 4 * spread


def test_the_covariance_of_many_real_samples_is_factored_once_for_all_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    sides = (torch.randn(n, 40, generator=generator) + by for n, by in ((300, 0), (9, 0.4), (300, 0)))
    factored, eigh = [], torch.linalg.eigh
    monkeypatch.setattr(torch.linalg, "eigh", lambda table: factored.append(len(table)) or eigh(table))
    (figure,) = features._compute_frechet(comparison(*(SampleSet(outputs=Features(features=side)) for side in sides)))
    assert figure.interval is not None
    assert "bootstrap of 200 draws" in figure.interval.method
    assert factored == [40]


@pytest.mark.parametrize(("real", "fake", "other"), [(12, 30, 12), (12, 30, 5), (30, 12, 12)])
def test_shapes_are_compared_where_counts_are_unlike(real: int, fake: int, other: int) -> None:
    generator = torch.Generator().manual_seed(0)

    def side(count: int) -> SampleSet:
        grids = (torch.rand(count, 1, 6, 6, 6, generator=generator) < 0.3).to(torch.uint8)
        return SampleSet(outputs=Features(features=torch.zeros(count, 1)), samples=grids)

    found = volumes._compute_sets(comparison(side(real), side(fake), side(other)))
    assert [figure.metric for figure in found] == ["coverage-cd", "mmd-cd", "1nna-cd"]
    for figure in found:
        assert figure.interval is not None
        assert figure.value is not None
        assert figure.interval.low <= figure.value <= figure.interval.high
        assert "12 shapes a side" in figure.settings
