"""ADA's transformations against their definitions."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.layers import adaptive_augmentation as ada
from zerosum.layers.adaptive_augmentation import augmented, colours, geometry, recoloured, resampled
from zerosum.runtime import rng

CPU = torch.device("cpu")


def test_a_probability_of_zero_changes_nothing() -> None:
    image = torch.rand(3, 3, 6, 6)
    assert augmented(image, 0.0) is image
    eye = torch.eye(3).expand(5, 3, 3)
    torch.testing.assert_close(geometry(5, (6, 8), 0.0, CPU), eye)
    torch.testing.assert_close(colours(5, 0.0, CPU), torch.eye(4).expand(5, 4, 4))
    torch.testing.assert_close(resampled(image, eye[:3]), image)


def test_resampling_shifts_and_reflects_at_the_edges() -> None:
    image = torch.rand(1, 2, 6, 6)
    shift = ada._shift(torch.tensor([[2.0, -1.0]]))
    expected = image[:, :, [0, 0, 1, 2, 3, 4]][..., [2, 3, 4, 5, 5, 4]]
    torch.testing.assert_close(resampled(image, shift), expected)


def test_resampling_turns_and_mirrors() -> None:
    image = torch.rand(1, 2, 6, 6)
    turned = resampled(image, ada._rotation(torch.tensor([math.pi / 2])))
    torch.testing.assert_close(turned, torch.rot90(image, 1, (2, 3)), atol=1e-5, rtol=0)
    flipped = resampled(image, ada._scaling(torch.tensor([-1.0]), torch.tensor([1.0])))
    torch.testing.assert_close(flipped, image.flip(3))


def test_half_a_pixel_is_the_mean_of_two() -> None:
    image = torch.rand(1, 1, 4, 4)
    between = resampled(image, ada._shift(torch.tensor([[0.5, 0.0]])))
    torch.testing.assert_close(between[..., :3], (image[..., :3] + image[..., 1:]) / 2)
    torch.testing.assert_close(between[..., 3], image[..., 3])


def test_turns_have_the_probability_asked_for() -> None:
    maps = geometry(4000, (8, 8), 0.3, CPU)
    assert (maps - torch.eye(3)).abs().flatten(1).amax(1).gt(1e-6).float().mean().item() == pytest.approx(
        1 - (1 - 0.3 / 2) * (1 - 0.3 * 3 / 4) * 0.7**5, abs=0.03
    )


def test_colours_keep_the_luma_of_hue_and_saturation() -> None:
    image = torch.rand(200, 3, 2, 2)
    only = {"BRIGHTNESS": 0.0, "CONTRAST": 0.0}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in only.items():
            patch.setattr(ada, name, value)
        mean = recoloured(image, colours(200, 1.0, CPU)).mean(1)
    before = image.mean(1)
    kept = torch.minimum((mean - before).abs(), (mean + before).abs())
    assert kept.max() < 1e-5, "the luma stays or is mirrored"


def test_gray_images_take_the_mean_of_the_colours() -> None:
    maps = colours(6, 0.8, CPU)
    gray = torch.rand(6, 1, 3, 3)
    torch.testing.assert_close(recoloured(gray, maps), recoloured(gray.expand(-1, 3, -1, -1), maps).mean(1, True))


def test_brightness_and_contrast_have_their_deviations() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ada, "SATURATION", 0.0)
        maps = colours(20_000, 1.0, CPU)
    row = maps[:, :3].mean(1)
    gain = row[:, :3].sum(1).abs().log2()
    assert gain.std().item() == pytest.approx(0.5, rel=0.05)
    assert (row[:, 3].abs() / 2**gain).square().mean().sqrt().item() == pytest.approx(0.2, rel=0.05)


def test_it_is_differentiable_twice() -> None:
    def vary(x: torch.Tensor) -> torch.Tensor:
        maps = torch.Generator().manual_seed(1)
        return resampled(x, torch.eye(3).double() + 0.3 * torch.randn(2, 3, 3, generator=maps).double()).pow(3)

    x = torch.rand(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(vary, x)
    assert torch.autograd.gradgradcheck(vary, x)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_float64_are_varied_and_differentiated_in_it(channels: int) -> None:
    def vary(image: torch.Tensor) -> torch.Tensor:
        with rng.fork(CPU, seed=0):
            return augmented(image, 1.0)

    image = torch.rand(2, channels, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(vary, (image,))


def test_pieces_of_a_batch_are_varied_as_the_batch_is() -> None:
    x = torch.rand(8, 3, 8, 8)
    torch.manual_seed(3)
    whole = augmented(x, 0.7)
    torch.manual_seed(3)
    with rng.share(2, 4, 4):
        piece = augmented(x[[2, 3, 6, 7]], 0.7)
    torch.testing.assert_close(piece, whole[[2, 3, 6, 7]])
