"""Draws do not depend on how a batch is split."""

from __future__ import annotations

import pytest
import torch

from zerosum.runtime import rng

CPU = torch.device("cpu")
DRAWS = [
    lambda n: rng.normal(n, 3, device=CPU),
    lambda n: rng.uniform(n, 1, 1, device=CPU, low=-1.0),
    lambda n: rng.integers(n, high=1000, device=CPU),
    lambda n: rng.random_bytes(n, 11, CPU),
]


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("times", [1, 2])
def test_two_shares_make_the_whole_draw(draw, times):
    state = torch.get_rng_state()
    whole = draw(8 * times).unflatten(0, (times, 8))
    after = torch.get_rng_state()
    for start, stop in ((0, 3), (3, 8)):
        torch.set_rng_state(state)
        with rng.share(start, stop, 8):
            part = draw((stop - start) * times).unflatten(0, (times, stop - start))
        assert torch.equal(part, whole[:, start:stop])
        assert torch.equal(torch.get_rng_state(), after)


def test_a_draw_that_does_not_fit_its_share_is_refused():
    with rng.share(0, 4, 8), pytest.raises(ValueError, match="5 rows"):
        rng.normal(5, device=CPU)


def test_uniform_draws_fill_their_range():
    values = rng.uniform(10_000, device=CPU, low=2.0, high=4.0)
    assert 2.0 <= values.min() < 2.01 < 3.99 < values.max() <= 4.0


def test_octets_are_uniform():
    counts = rng.random_bytes(1000, 256, CPU).flatten().bincount(minlength=256)
    assert 800 < counts.min() <= counts.max() < 1200
