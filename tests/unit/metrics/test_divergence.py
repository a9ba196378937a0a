"""Divergences and class balance in closed form."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.divergence import class_balance, js_distance, js_divergence, kl_divergence, shares


def p(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_divergences_in_closed_form():
    assert js_divergence(p(1, 0), p(0, 1)) == pytest.approx(math.log(2), rel=1e-12)
    assert js_divergence(p(0.5, 0.5), p(0.9, 0.1)) == pytest.approx(0.101749, abs=5e-7)
    assert js_distance(p(1, 0), p(0, 1)) == pytest.approx(math.sqrt(math.log(2)), rel=1e-12)
    assert kl_divergence(p(0.5, 0.5), p(0.9, 0.1)) == pytest.approx(0.5 * math.log(0.25 / 0.09), rel=1e-12)


def test_a_class_that_q_lacks_makes_kl_infinite_and_js_finite():
    assert kl_divergence(p(0.5, 0.5), p(1, 0)) == math.inf
    assert kl_divergence(p(1, 0), p(0.5, 0.5)) == pytest.approx(math.log(2))
    assert js_divergence(p(0.5, 0.5), p(1, 0)) < math.log(2)


def test_equal_distributions_do_not_diverge():
    q = torch.rand(50).double()
    q /= q.sum()
    assert kl_divergence(q, q) == 0
    assert js_distance(q, q) == 0


def test_the_js_distance_obeys_the_triangle_inequality_and_is_symmetric():
    a, b, c = (torch.rand(20, 8).softmax(1).double() for _ in range(3))
    for x, y, z in zip(a, b, c, strict=True):
        x, y, z = x / x.sum(), y / y.sum(), z / z.sum()
        assert js_distance(x, z) <= js_distance(x, y) + js_distance(y, z) + 1e-12
        assert js_distance(x, y) == pytest.approx(js_distance(y, x), rel=1e-12)


def test_counts_are_no_probabilities():
    with pytest.raises(InputError, match="sum 1"):
        kl_divergence(p(3, 4), p(0.5, 0.5))
    with pytest.raises(InputError, match="shapes"):
        js_divergence(p(1.0), p(0.5, 0.5))


def test_balance_says_what_is_missing_and_by_how_much():
    found = class_balance(torch.tensor([0, 0, 0, 1]), expected=torch.full((4,), 0.25))
    assert found.shares.tolist() == [0.75, 0.25, 0, 0]
    assert found.missing == (2, 3)
    assert found.variation == pytest.approx(0.5)
    assert found.divergence == pytest.approx(0.75 * math.log(3))
    assert found.entropy == pytest.approx((math.log(4) - 0.75 * math.log(3)) / math.log(4))


def test_a_class_that_is_not_expected_is_not_missing():
    found = class_balance(torch.tensor([0, 1]), expected=p(0.5, 0.5, 0))
    assert found.missing == ()
    assert found.divergence == 0


def test_balanced_classes_have_full_entropy_whatever_their_order():
    labels = torch.arange(100) % 5
    found = class_balance(labels[torch.randperm(100)], expected=torch.full((5,), 0.2))
    assert (found.entropy, found.variation, found.missing) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-7), ())


def test_labels_outside_the_classes_are_refused():
    with pytest.raises(InputError, match="0 to 2"):
        shares(torch.tensor([0, 3]), classes=3)
    with pytest.raises(InputError, match="whole numbers"):
        shares(torch.tensor([0.5]), classes=3)
