"""Streaming moments against numpy's, whatever the chunks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics import moments as module
from zerosum.metrics.moments import Moments, merge, moments


def assert_same(a: Moments, b: Moments) -> None:
    assert a.count == b.count
    torch.testing.assert_close(a.mean, b.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(a.covariance, b.covariance, rtol=1e-10, atol=1e-12)


def test_moments_are_numpys_mean_and_covariance():
    x = torch.randn(300, 7)
    found = moments(x)
    np.testing.assert_allclose(found.mean, x.double().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x.double().numpy(), rowvar=False), rtol=1e-10)
    assert found.covariance.dtype == torch.float64


@pytest.mark.parametrize("sizes", [(300,), (1, 299), (100, 100, 100), (7,) * 42 + (6,)])
def test_moments_do_not_depend_on_the_chunks(sizes):
    x = torch.randn(300, 5)
    assert_same(moments(iter(x.split(list(sizes)))), moments(x))


def test_moments_do_not_depend_on_the_rows_taken_at_once(monkeypatch):
    x = torch.randn(300, 5)
    whole = moments(x)
    monkeypatch.setattr(module, "_ROWS", 13)
    assert_same(moments(x), whole)


def test_moments_do_not_depend_on_the_order_of_the_samples():
    x = torch.randn(200, 5)
    assert_same(moments(x), moments(x[torch.randperm(200)]))


def test_parts_of_several_processes_merge_to_the_whole():
    x = torch.randn(200, 5)
    parts = [moments(part) for part in x.split([120, 1, 79])]
    assert_same(merge(*parts), moments(x))
    assert_same(merge(*reversed(parts)), moments(x))


def test_merging_leaves_the_parts_as_they_were():
    a, b = moments(torch.randn(9, 3)), moments(torch.randn(9, 3))
    before = a.scatter.clone(), b.scatter.clone()
    merge(a, b)
    assert torch.equal(a.scatter, before[0])
    assert torch.equal(b.scatter, before[1])


def test_a_far_offset_does_not_cancel_the_covariance():
    x = torch.randn(500, 3, dtype=torch.float64)
    torch.testing.assert_close(moments((x + 1e6).split(50)).covariance, moments(x).covariance, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no samples"),
        (torch.zeros(3, 2, 2), r"\(N, F\)"),
        (torch.zeros(3, 2, dtype=torch.int64), "floating-point"),
        (torch.tensor([[1.0, float("nan")]]), "not finite"),
        ([torch.zeros(3, 2), torch.zeros(3, 4)], "one extractor"),
    ],
)
def test_what_is_no_table_of_features_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        moments(given)


def test_one_sample_has_no_covariance():
    with pytest.raises(InputError, match="at least 2"):
        _ = moments(torch.zeros(1, 2)).covariance
