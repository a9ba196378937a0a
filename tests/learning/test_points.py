"""Games on points learn: against the untrained game, against a stated bar, and against each other."""

from __future__ import annotations

import pytest

from bench.learning import EQUAL, GRID, count_modes, play
from zerosum.data.open import open as open_data

pytestmark = pytest.mark.slow


def test_an_unrolled_game_keeps_more_modes_of_the_ring_than_the_plain_one():
    ring = open_data("ring8")
    for seed in (0, 1):
        gan = count_modes("ring8", play(ring, "gan", 3000, seed=seed, **EQUAL, dropout=0.0)[0])
        plain = count_modes("ring8", play(ring, "unrolled", 3000, seed=seed, **EQUAL, steps=0)[0])
        unrolled = count_modes("ring8", play(ring, "unrolled", 3000, seed=seed, **EQUAL, steps=5)[0])
        assert unrolled.found >= 6
        assert unrolled.found > max(gan.found, plain.found)


def test_wgan_gp_learns_the_digits_and_its_estimate_falls():
    digits = open_data("digits")
    _, logged = play(digits, "wgan_gp", 200, width=8, batch=32)
    assert logged[-1]["critic/distance"] < 0.7 * max(values["critic/distance"] for values in logged)
    assert all(abs(values["critic/loss"]) < 1e3 for values in logged)


def test_wgan_gp_finds_the_grid_and_its_estimate_falls():
    grid = open_data("grid25")
    untrained, _ = play(grid, "wgan_gp", 1, **GRID)
    game, logged = play(grid, "wgan_gp", 2000, **GRID)
    assert count_modes("grid25", game).found >= 20
    assert count_modes("grid25", game).high_quality > 5 * count_modes("grid25", untrained).high_quality
    assert logged[-1]["critic/distance"] < 0.5 * max(values["critic/distance"] for values in logged)
