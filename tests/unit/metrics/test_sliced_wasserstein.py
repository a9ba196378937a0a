"""Sliced Wasserstein distance: the pyramid, closed forms, and what moves which level."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.sliced_wasserstein import laplacian_pyramid, sliced_wasserstein

LITTLE = {"seed": 0, "patches": 16, "directions": 32}


def photos(n: int, side: int = 32) -> torch.Tensor:
    noise = torch.randn(n, 1, side, side)
    return noise + 3 * torch.nn.functional.interpolate(torch.randn(n, 1, side // 4, side // 4), scale_factor=4.0)


def test_the_pyramid_of_a_constant_image_is_its_rest():
    fine, middle, rest = laplacian_pyramid(torch.full((1, 2, 64, 64), 3.0))
    assert float(fine.abs().max()) < 1e-5
    assert float(middle.abs().max()) < 1e-5
    torch.testing.assert_close(rest, torch.full((1, 2, 16, 16), 3.0))


def test_the_pyramid_gives_the_image_back():
    image = torch.randn(2, 1, 32, 32)
    fine, rest = laplacian_pyramid(image)
    raised = torch.zeros_like(image)
    raised[:, :, ::2, ::2] = rest
    line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 8
    padded = torch.nn.functional.pad(raised, (2, 2, 2, 2), mode="reflect")
    blurred = torch.nn.functional.conv2d(padded, torch.outer(line, line)[None, None])
    torch.testing.assert_close(fine + blurred, image, rtol=1e-5, atol=1e-5)


def test_identical_sets_are_at_distance_zero_at_every_level():
    x = photos(12)
    found = sliced_wasserstein(x, x.clone(), **LITTLE)
    assert found.levels == {32: 0.0, 16: 0.0}
    assert found.value == 0


def test_brightness_and_contrast_are_normalised_away():
    x = photos(12)
    assert sliced_wasserstein(x, 2 * x + 5, **LITTLE).value < 1e-2


def test_one_patch_set_against_another_is_the_mean_of_sorted_differences():
    x, y = torch.randn(3, 1, 16, 16), torch.rand(3, 1, 16, 16)
    found = sliced_wasserstein(x, y, seed=4, patches=5, directions=7)
    places = torch.Generator().manual_seed(4)
    rows, columns = (torch.randint(10, (3, 5), generator=places) for _ in "yx")

    def patches(images: torch.Tensor) -> torch.Tensor:
        cut = torch.stack(
            [images[n, :, rows[n, p] :, columns[n, p] :][:, :7, :7] for n in range(3) for p in range(5)]
        ).double()
        return ((cut - cut.mean()) / cut.std(correction=0)).flatten(1)

    axes = torch.randn(49, 7, generator=torch.Generator().manual_seed(4)).double()
    a, b = (patches(side) @ (axes / axes.norm(dim=0)) for side in (x, y))
    expected = 1e3 * float((a.sort(0).values - b.sort(0).values).abs().mean())
    assert found.levels == {16: pytest.approx(expected, rel=1e-4)}


def test_lost_detail_shows_at_the_finest_level():
    x, y = photos(40), photos(40)
    floor = sliced_wasserstein(x, y, **LITTLE)
    blurred = torch.nn.functional.avg_pool2d(y, 3, 1, 1)
    found = sliced_wasserstein(x, blurred, **LITTLE)
    assert found.levels[32] > 1.5 * floor.levels[32]
    assert found.levels[32] / floor.levels[32] > found.levels[16] / floor.levels[16]


def test_chunks_do_not_change_the_distance():
    x, y = photos(80), photos(80)
    whole = sliced_wasserstein(x, y, **LITTLE)
    parts = sliced_wasserstein(iter(x.split(64)), [y[:64], y[64:]], **LITTLE)
    assert parts.levels == pytest.approx(whole.levels, rel=1e-6)


def test_sizes_that_make_no_pyramid_are_refused():
    with pytest.raises(InputError, match="no pyramid"):
        sliced_wasserstein(torch.zeros(2, 1, 24, 24), torch.zeros(2, 1, 24, 24), **LITTLE)
    with pytest.raises(InputError, match="as many images"):
        sliced_wasserstein(photos(3), photos(2), **LITTLE)
    with pytest.raises(InputError, match="no images"):
        sliced_wasserstein([], [], **LITTLE)
