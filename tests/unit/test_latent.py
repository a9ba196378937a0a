import math
from itertools import pairwise

import pytest
import torch

from zerosum.errors import InputError
from zerosum.latent import lerp, loop, slerp, truncated_normal, walk


def test_both_ways_begin_at_the_start_and_finish_at_the_end():
    start, end = torch.randn(5, 16), torch.randn(5, 16)
    for between in (lerp, slerp):
        assert torch.allclose(between(start, end, 0.0), start, atol=1e-6)
        assert torch.allclose(between(start, end, 1.0), end, atol=1e-6)


def test_a_great_circle_stays_on_the_sphere_and_turns_evenly():
    start, end = torch.nn.functional.normalize(torch.randn(2, 4, 64), dim=-1)
    fractions = [torch.full((4, 1), share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    path = [slerp(start, end, fraction) for fraction in fractions]
    assert torch.allclose(torch.stack(path).norm(dim=-1), torch.ones(5, 4), atol=1e-5)
    steps = torch.stack([(after - before).norm(dim=-1) for before, after in pairwise(path)])
    assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-5)


def test_the_great_circle_equals_the_formula_of_the_paper():
    start, end = torch.randn(3, 8).double(), torch.randn(3, 8).double()
    angle = torch.acos(torch.nn.functional.cosine_similarity(start, end))[:, None]
    expected = (torch.sin(0.7 * angle) * start + torch.sin(0.3 * angle) * end) / torch.sin(angle)
    assert torch.allclose(slerp(start, end, 0.3), expected, atol=1e-12)


def test_each_row_may_have_its_own_fraction():
    start, end = torch.randn(2, 8), torch.randn(2, 8)
    mixed = slerp(start, end, torch.tensor([[0.2], [0.9]]))
    assert torch.allclose(mixed[0], slerp(start, end, 0.2)[0], atol=1e-6)
    assert torch.allclose(mixed[1], slerp(start, end, 0.9)[1], atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_parallel_latents_give_the_straight_line(factor):
    start = torch.randn(4, 32)
    assert torch.allclose(slerp(start, factor * start, 0.25), lerp(start, factor * start, 0.25), atol=1e-5)


@pytest.mark.parametrize("size", [2, 3, 64])
def test_opposite_latents_are_joined_without_passing_the_origin(size):
    start = torch.randn(6, size)
    for share in (0.1, 0.5, 0.9):
        assert torch.allclose(slerp(start, -start, share).norm(dim=-1), start.norm(dim=-1), rtol=1e-4)
    assert torch.allclose(slerp(start, -start, 1.0), -start, atol=1e-5)


def test_a_zero_latent_gives_finite_numbers():
    assert slerp(torch.zeros(1, 4), torch.ones(1, 4), 0.5).isfinite().all()
    assert slerp(torch.zeros(1, 4), torch.zeros(1, 4), 0.5).equal(torch.zeros(1, 4))


def test_a_walk_visits_every_corner_at_even_intervals():
    corners = torch.randn(4, 16)
    path = walk(corners, frames=31)
    assert path.shape == (31, 16)
    assert torch.allclose(path[::10], corners, atol=1e-5)


def test_a_loop_goes_on_from_its_last_frame_to_its_first():
    corners = torch.randn(3, 16)
    path = loop(corners, frames=30)
    assert torch.allclose(path[::10], corners, atol=1e-5)
    assert torch.allclose(path, walk(torch.cat([corners, corners[:1]]), frames=31)[:-1])
    assert torch.allclose(path[29], slerp(corners[2:], corners[:1], 0.9)[0], atol=1e-5)


@pytest.mark.parametrize("path", [walk, loop])
@pytest.mark.parametrize(("corners", "frames"), [(torch.zeros(1, 4), 9), (torch.zeros(4), 9), (torch.zeros(3, 4), 1)])
def test_paths_with_too_few_corners_or_frames_are_refused(path, corners, frames):
    with pytest.raises(InputError):
        path(corners, frames=frames)


@pytest.mark.parametrize("limit", [0.5, 1.0, 2.0])
def test_a_truncated_normal_has_the_variance_of_the_law(limit):
    torch.manual_seed(0)
    drawn = truncated_normal(2000, 100, limit=limit)
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * limit * density / math.erf(limit / math.sqrt(2))
    assert drawn.dtype == torch.float32
    assert drawn.abs().max() <= limit
    assert abs(drawn.mean().item()) < 0.01
    assert abs(drawn.var().item() / variance - 1) < 0.02


def test_a_very_wide_limit_gives_finite_normal_numbers():
    torch.manual_seed(0)
    drawn = truncated_normal(1000, 100, limit=50.0)
    assert drawn.isfinite().all()
    assert abs(drawn.std().item() - 1) < 0.02


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_not_a_positive_number_is_refused(limit):
    with pytest.raises(InputError, match="truncation limit"):
        truncated_normal(1, 1, limit=limit)


def test_two_frames_are_the_two_ends():
    corners = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    torch.testing.assert_close(walk(corners, frames=2), corners)
    torch.testing.assert_close(loop(corners, frames=2), corners)
