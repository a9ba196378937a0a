"""Path lengths of generators whose paths are known."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.latent import lerp
from zerosum.metrics.path_length import path_length


def squared(a, b):
    return (a - b).square().flatten(1).sum(1)


def test_a_great_circle_is_walked_at_its_known_speed():
    # Perpendicular unit latents: a quarter turn, so every step covers pi / 2 of e; the chord is 2 sin(pi e / 4).
    turns = iter(range(1000))

    def prior(n):
        return torch.eye(2, dtype=torch.float64)[next(turns) % 2].expand(n, 2)

    found = path_length(lambda z: 3 * z, prior, squared, distance_name="squared", pairs=200)
    assert found.value == pytest.approx(9 * (math.pi / 2) ** 2, rel=1e-6)
    assert found.interval.high - found.interval.low < 1e-5
    assert found.pairs == 200


@pytest.mark.parametrize("part", ["full", "start"])
def test_a_linear_generator_on_straight_paths_has_its_closed_form_but_for_the_tails(part):
    A = torch.tensor([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
    pairs = 5000
    found = path_length(
        lambda z: z @ A.T, lambda n: torch.randn(n, 2), squared,
        distance_name="squared", between=lerp, part=part, pairs=pairs,
    )  # fmt: skip
    # |A d|^2 with d = z2 - z1 from N(0, 2): a mixture of squared normals, whose inner 98 % is found by many draws.
    draws = (torch.randn(400_000, 2) * 2**0.5 @ A.T).square().sum(1)
    low, high = draws.quantile(0.01), draws.quantile(0.99)
    expected = float(draws[(draws >= low) & (draws <= high)].mean())
    assert expected < 2 * float(A.square().sum())
    assert found.value == pytest.approx(expected, abs=4 * found.interval.standard_error)
    assert found.interval.low < found.value < found.interval.high
    assert found.kept == pytest.approx(0.98 * pairs, abs=5)
    assert found.name == f"path length (squared; lerp, {part})"


def test_a_step_is_not_lost_to_float32():
    torch.manual_seed(1)
    A = torch.randn(64, 16) / 4
    values = {}
    for dtype in (torch.float32, torch.float64):

        def prior(n, dtype=dtype):
            return torch.randn(n, 16, generator=torch.Generator().manual_seed(n), dtype=torch.float32).to(dtype) + 1

        matrix = A.to(dtype)
        generate = lambda z, matrix=matrix: torch.tanh(z @ matrix.T)  # noqa: E731
        values[dtype] = path_length(
            generate, lambda n, prior=prior: prior(n) * torch.randn(n, 1).to(prior(n)), squared,
            distance_name="squared", pairs=200,
        ).value  # fmt: skip
    assert values[torch.float32] == pytest.approx(values[torch.float64], rel=1e-3)


def test_half_precision_is_refused_and_autocast_is_left():
    def prior(n):
        return torch.randn(n, 4)

    with pytest.raises(InputError, match="float32"):
        path_length(lambda z: z.bfloat16(), prior, squared, distance_name="squared", pairs=100)
    layer = torch.nn.Linear(4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = path_length(layer, prior, squared, distance_name="squared", pairs=100)
    assert found == path_length(layer, prior, squared, distance_name="squared", pairs=100)


def test_it_repeats_with_its_seed_and_leaves_the_random_state_alone():
    def measure(seed):
        return path_length(torch.sin, lambda n: torch.randn(n, 4), squared, distance_name="s", pairs=100, seed=seed)

    before = torch.get_rng_state()
    assert measure(1) == measure(1)
    assert measure(1).value != measure(2).value
    assert torch.equal(torch.get_rng_state(), before)


def test_too_few_pairs_and_infinite_distances_are_refused():
    with pytest.raises(InputError, match="100 pairs"):
        path_length(torch.sin, lambda n: torch.randn(n, 4), squared, distance_name="s", pairs=10)
    with pytest.raises(InputError, match="not finite"):
        path_length(lambda z: z / 0, lambda n: torch.randn(n, 4), squared, distance_name="s", pairs=100)


def test_steps_are_not_rounded_away_by_autocast_or_tf32():
    seen = set()

    def generate(z):
        seen.add((torch.is_autocast_enabled("cpu"), torch.backends.cudnn.allow_tf32, (z.float() @ z.float().T).dtype))
        return z

    with torch.autocast("cpu", dtype=torch.bfloat16):
        path_length(generate, lambda n: torch.randn(n, 2), squared, distance_name="squared", pairs=100)
    assert seen == {(False, False, torch.float32)}
    assert torch.backends.cudnn.allow_tf32
