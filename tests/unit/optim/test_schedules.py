"""Schedules at their ends, in between, and outside."""

from __future__ import annotations

import pytest

from zerosum.optim.schedules import constant_then_linear, cosine, linear


@pytest.mark.parametrize(
    ("progress", "hold", "value"),
    [(0.0, 0.2, 1.0), (0.2, 0.2, 1.0), (0.6, 0.2, 0.5), (1.0, 0.2, 0.0), (1.2, 0.2, 0.0), (0.9, 1.0, 1.0)],
)
def test_a_constant_falls_in_a_line_after_its_hold(progress, hold, value):
    assert constant_then_linear(progress, hold=hold) == pytest.approx(value)


def test_half_of_a_phase_is_held_by_default():
    assert [constant_then_linear(p) for p in (0.4, 0.5, 0.9)] == pytest.approx([1.0, 1.0, 0.2])


def test_a_line_goes_from_start_to_stop_and_no_further():
    values = [linear(p, start=3.0, stop=1.0) for p in (-1.0, 0.0, 0.25, 0.5, 1.0, 2.0)]
    assert values == pytest.approx([3.0, 3.0, 2.5, 2.0, 1.0, 1.0])


def test_a_cosine_goes_from_start_to_stop_and_no_further():
    values = [cosine(p, start=3.0, stop=1.0) for p in (-1.0, 0.0, 1 / 3, 0.5, 2 / 3, 1.0, 2.0)]
    assert values == pytest.approx([3.0, 3.0, 2.5, 2.0, 1.5, 1.0, 1.0])
