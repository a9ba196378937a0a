"""Differentiable augmentation against its definition, and its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zerosum.layers import augmentation
from zerosum.layers.augmentation import colour, cutout, mirrored, shifted, translation
from zerosum.runtime import rng


def images(n: int = 6, channels: int = 3) -> Tensor:
    return torch.rand(n, channels, 12, 8, dtype=torch.float64) + 1


@pytest.mark.parametrize("vary", [colour, translation, cutout])
def test_a_strength_of_zero_changes_nothing(vary) -> None:
    x = images().float()
    torch.testing.assert_close(vary(x, 0.0), x, rtol=0, atol=1e-6)


def test_colour_is_brightness_then_saturation_then_contrast(monkeypatch) -> None:
    draws = torch.tensor([[0.5, -0.25, 1.0]])
    monkeypatch.setattr(rng, "uniform", lambda *a, **k: draws)
    x = images(1).float()
    expected = x + 0.25
    mean = expected.mean(1, keepdim=True)
    expected = (expected - mean) * 0.75 + mean
    mean = expected.mean()
    torch.testing.assert_close(colour(x), (expected - mean) * 1.5 + mean)


def test_draws_of_colour_have_their_ranges() -> None:
    x = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2).expand(4000, 1, 1, 2)
    varied = colour(x)
    brightness, contrast = varied.mean((1, 2, 3)), (varied[..., 1] - varied[..., 0]).flatten() / 2
    assert (brightness.min().item(), brightness.max().item()) == pytest.approx((-0.5, 0.5), abs=0.01)
    assert (contrast.min().item(), contrast.max().item()) == pytest.approx((0.5, 1.5), abs=0.01)


def test_shifts_fill_up_with_zeros() -> None:
    x = images(3)
    moved = shifted(x, torch.tensor([[0, 0], [2, -3], [-12, 0]]))
    assert torch.equal(moved[0], x[0])
    assert torch.equal(moved[1, :, 2:, :-3], x[1, :, :-2, 3:])
    assert not moved[1, :, :2].any()
    assert not moved[1, :, :, -3:].any()
    assert not moved[2].any()


def test_translation_goes_an_eighth_of_the_sides_either_way() -> None:
    ramp = torch.arange(1, 17.0).view(1, 1, 16, 1).expand(500, 1, 16, 16)
    moved = translation(ramp)[:, 0, 8]
    shifts = 9 - moved.amax(1)
    assert set(shifts.tolist()) == {-2, -1, 0, 1, 2}


def test_cutout_takes_half_the_sides_and_may_cross_the_border() -> None:
    holes = cutout(torch.ones(2000, 1, 8, 8)) == 0
    rows, columns = holes.any(3).sum(2).flatten(), holes.any(2).sum(2).flatten()
    assert rows.max() == columns.max() == 4
    assert rows.min() == columns.min() == 2, "its centre is in the image"
    assert torch.equal(holes.sum((1, 2, 3)), rows * columns)


def test_mirrors_a_share() -> None:
    x = images(2000)
    changed = (mirrored(x, 0.25) != x).any(3).any(2).any(1)
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.04)
    assert torch.equal(mirrored(x, 1.0), x.flip(3))


def test_pieces_of_a_batch_are_varied_as_the_batch_is() -> None:
    x = images(8).float()

    def vary(piece: Tensor) -> Tensor:
        torch.manual_seed(3)
        return cutout(translation(colour(piece)))

    whole = vary(x)
    with rng.share(2, 4, 4):
        piece = vary(x[[2, 3, 6, 7]])
    assert torch.equal(piece, whole[[2, 3, 6, 7]])


def test_it_is_differentiable_twice(monkeypatch) -> None:
    def vary(x: Tensor) -> Tensor:
        torch.manual_seed(0)
        return cutout(translation(x)).pow(3)

    x = torch.rand(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(vary, x)
    assert torch.autograd.gradgradcheck(vary, x)


def test_half_precision_stays() -> None:
    x = images().bfloat16()
    assert cutout(translation(colour(x))).dtype == torch.bfloat16


def test_ranges_are_the_papers() -> None:
    found = (augmentation.BRIGHTNESS, augmentation.SATURATION, augmentation.CONTRAST)
    assert found == (0.5, 1.0, 0.5)
    assert [augmentation.round_half_up(side * augmentation.SHIFT) for side in (4, 32)] == [1, 4]
