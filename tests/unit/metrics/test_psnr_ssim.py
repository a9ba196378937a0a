"""PSNR and SSIM: closed forms, the window's double sum, and refusals."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.psnr_ssim import luma, psnr, ssim


def ssim_by_definition(a: torch.Tensor, b: torch.Tensor) -> float:
    """One channel (H, W), float64 in [0, 1], window by window."""
    steps = torch.arange(11).double() - 5
    line = torch.exp(-steps.square() / 4.5)
    window = torch.outer(line, line)
    window /= window.sum()
    values = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            m_x, m_y = (window * x).sum(), (window * y).sum()
            v_x, v_y = (window * (x - m_x).square()).sum(), (window * (y - m_y).square()).sum()
            v_xy = (window * (x - m_x) * (y - m_y)).sum()
            top = (2 * m_x * m_y + 1e-4) * (2 * v_xy + 9e-4)
            values.append(top / ((m_x**2 + m_y**2 + 1e-4) * (v_x + v_y + 9e-4)))
    return float(torch.stack(values).mean())


def test_psnr_in_closed_form():
    black = torch.zeros(2, 3, 4, 4)
    assert psnr(black + 0.1, black).values.tolist() == pytest.approx([20.0, 20.0], rel=1e-6)
    grey = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)
    assert psnr(grey + 10, grey).value == pytest.approx(28.131, abs=5e-4)
    assert psnr(grey, grey).value == math.inf


def test_each_image_has_its_own_figure():
    a, b = torch.rand(3, 1, 12, 12), torch.rand(3, 1, 12, 12)
    for figure in (psnr, ssim):
        assert figure(a, b).values.tolist() == pytest.approx(
            [figure(x[None], y[None]).value for x, y in zip(a, b, strict=True)]
        )


def test_ssim_of_an_image_with_itself_is_one():
    x = torch.rand(2, 3, 16, 13)
    assert ssim(x, x).values.tolist() == pytest.approx([1.0, 1.0], rel=1e-12)


def test_ssim_is_the_mean_over_windows_and_channels():
    a, b = torch.rand(1, 2, 13, 14), torch.rand(1, 2, 13, 14)
    expected = sum(ssim_by_definition(a[0, c].double(), b[0, c].double()) for c in (0, 1)) / 2
    assert ssim(a, b).value == pytest.approx(expected, rel=1e-9)


def test_ssim_does_not_depend_on_how_many_images_are_given():
    a, b = torch.rand(20, 1, 12, 12), torch.rand(20, 1, 12, 12)
    assert ssim(a, b).values.tolist() == pytest.approx([ssim(a[i : i + 1], b[i : i + 1]).value for i in range(20)])


def test_luma_runs_from_sixteen_to_two_hundred_and_thirty_five():
    assert luma(torch.zeros(1, 3, 1, 1)).mul(255).item() == pytest.approx(16)
    assert luma(torch.ones(1, 3, 1, 1)).mul(255).item() == pytest.approx(235)
    green = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    assert luma(green).mul(255).item() == pytest.approx(144.553)


def test_on_y_a_grey_error_is_smaller_by_the_headroom():
    a = torch.full((1, 3, 12, 12), 0.5)
    assert psnr(a + 0.1, a, channels="y").value == pytest.approx(20 - 20 * math.log10(219 / 255), rel=1e-5)


def test_the_border_is_left_out():
    a = torch.rand(1, 3, 20, 20)
    b = a.clone()
    b[:, :, :4] = 0
    b[:, :, :, -4:] = 1
    assert psnr(a, b, border=4).value == math.inf
    assert ssim(a, b, border=4, channels="y").value == pytest.approx(1.0)
    assert psnr(a, b, border=3).value < 40


def test_noise_and_shift_lower_both():
    x = torch.rand(1, 1, 24, 24)
    smooth = torch.nn.functional.avg_pool2d(x, 5, 1, 2)
    for figure in (psnr, ssim):
        slight = figure((smooth + 0.01 * torch.randn_like(smooth)).clamp(0, 1), smooth).value
        strong = figure((smooth + 0.1 * torch.randn_like(smooth)).clamp(0, 1), smooth).value
        assert strong < slight
        assert figure(smooth.roll(3, 2), smooth).value < slight


def test_the_name_says_channels_and_border():
    x = torch.rand(1, 3, 20, 20)
    assert psnr(x, x).name == "PSNR on all channels"
    assert ssim(x, x, channels="y", border=4).name == "SSIM on Y, 4 pixels of border left out"


@pytest.mark.parametrize(
    ("a", "options", "words"),
    [
        (torch.full((1, 3, 12, 12), -1.0), {}, r"\[0, 1\]"),
        (torch.rand(1, 1, 12, 12), {"channels": "y"}, "RGB"),
        (torch.rand(3, 12, 12), {}, r"\(N, C, H, W\)"),
        (torch.rand(1, 3, 12, 12), {"border": 6}, "leaves nothing"),
    ],
)
def test_images_that_do_not_fit_are_refused(a, options, words):
    with pytest.raises(InputError, match=words):
        psnr(a, a, **options)


def test_an_image_smaller_than_the_window_is_refused():
    with pytest.raises(InputError, match="11 pixels"):
        ssim(torch.rand(1, 1, 10, 30), torch.rand(1, 1, 10, 30))
