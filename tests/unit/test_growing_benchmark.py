"""How long a run took, from its history."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.growing import minutes


def test_time_is_that_of_each_phase_at_the_rate_it_reaches_undisturbed() -> None:
    rates = {"4x4": [600.0] * 20, "8x8": [60.0] * 15 + [1.0] * 5}  # a quarter of the rows while the process was stopped
    seen, rows = 0, []
    for phase, measured in rates.items():
        for rate in measured:
            seen += 180
            rows.append({"phase": phase, "seen": seen, "images_per_second": rate})
    run: Any = SimpleNamespace(history=lambda: rows)
    assert minutes(run) == pytest.approx(20 * 180 / 600 / 60 + 20 * 180 / 60 / 60)
