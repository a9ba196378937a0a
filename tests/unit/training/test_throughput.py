"""Rates of a sitting, and how much of its time goes by in waiting for data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recipes.conftest import game
from zerosum.training.session import Throughput


class Clock:
    """Stands still but when it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr("time.perf_counter", lambda: self.seconds)


def test_the_share_of_waiting_is_that_of_the_last_lap(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    pace = Throughput(since=0.0)
    clock.seconds = 4.0
    assert pace.lap(40, 8, 1.0) == (10, 2)
    assert pace.waiting == 0.25
    with pace.paused():
        clock.seconds = 10.0
    clock.seconds = 12.0
    assert pace.lap(60, 10, 2.0) == (10, 1)
    assert (pace.waiting, pace.seconds) == (0.5, 6.0), "of two seconds, without the pause"


def test_a_game_counts_what_its_source_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, played = Clock(monkeypatch), game("gan", (2,))
    draw = played.source.draw

    def slow(batch: int) -> Any:
        clock.seconds += 1.5
        return draw(batch)

    played.source.draw = slow  # type: ignore[method-assign]
    for _ in range(2):
        played.recipe.round(played)
    assert played.waited == 3.0
