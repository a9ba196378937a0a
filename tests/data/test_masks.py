"""Masks: how much they cover, where, and that they are functions of their numbers row by row."""

from __future__ import annotations

import pytest
import torch

from zerosum.data.masks import NUMBERS, masks

SIZES = [(8, 8), (16, 16), (28, 28), (32, 48)]


def drawn(kind: str, size: tuple[int, int], n: int = 256) -> torch.Tensor:
    torch.manual_seed(0)
    return masks(kind, torch.rand(n, NUMBERS), size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["block", "center", "free", "mixed"])
def test_every_mask_has_a_hole_and_known_pixels(kind, size):
    found = drawn(kind, size)
    assert found.shape == (256, 1, *size)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    covered = found.mean((1, 2, 3))
    assert 0 < covered.min() <= covered.max() < 1


@pytest.mark.parametrize("size", SIZES)
def test_the_centre_is_the_middle_half_of_both_sides(size):
    (height, width), (mask,) = size, drawn("center", size, 1)
    rows, columns = mask[0].any(1).nonzero().flatten(), mask[0].any(0).nonzero().flatten()
    assert rows.tolist() == list(range(height // 4, height // 4 + height // 2))
    assert columns.tolist() == list(range(width // 4, width // 4 + width // 2))
    assert mask.mean() == 1 / 4


@pytest.mark.parametrize("size", SIZES)
def test_blocks_cover_at_most_a_quarter_and_reach_every_pixel(size):
    found = drawn("block", size, 2048)
    assert found.mean((1, 2, 3)).max() <= 1 / 4
    assert found.amax(0).min() == 1


def test_a_single_block_is_the_rectangle_that_its_numbers_say():
    numbers = torch.zeros(1, NUMBERS)
    numbers[0, 2:6] = torch.tensor([1.0, 0.5, 0.5, 0.999])  # a quarter of the area, square, halfway down, at the right
    mask = masks("block", numbers, (16, 16))
    expected = torch.zeros(1, 1, 16, 16)
    expected[..., 4:12, 8:16] = 1
    assert torch.equal(mask, expected)


def test_a_stroke_is_what_lies_within_a_brush_of_its_line():
    numbers = torch.zeros(1, NUMBERS)
    numbers[0, 2:6] = torch.tensor([0.5, 0.25, 0.0, 0.5])  # from (16, 8) to the right, with a radius of 0.05 * 32
    numbers[0, 6:14:2] = 0.5  # without a bend
    mask = masks("free", numbers, (32, 32))[0, 0]
    rows, columns = torch.meshgrid(torch.arange(32) + 0.5, torch.arange(32) + 0.5, indexing="ij")
    nearest = columns.clamp(8, 8 + 4 * 3.2)
    assert torch.equal(mask > 0, (rows - 16) ** 2 + (columns - nearest) ** 2 <= 1.6**2)


def test_mixed_masks_are_of_each_kind_for_a_third():
    torch.manual_seed(0)
    numbers = torch.rand(3000, NUMBERS)
    found = masks("mixed", numbers, (16, 16))
    for kind in ("block", "center", "free"):
        same = (found == masks(kind, numbers, (16, 16))).flatten(1).all(1).float().mean()
        assert abs(same - 1 / 3) < 0.035  # four standard deviations


@pytest.mark.parametrize("kind", ["block", "free", "mixed"])
def test_a_mask_depends_on_its_own_numbers_alone(kind):
    torch.manual_seed(0)
    numbers = torch.rand(8, NUMBERS)
    assert torch.equal(masks(kind, numbers, (16, 24))[3:5], masks(kind, numbers[3:5], (16, 24)))
