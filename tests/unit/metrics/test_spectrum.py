"""Radial spectra: waves of known frequency, Parseval, and the distance in decibels."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.spectrum import radial_spectrum, spectrum_distance


@pytest.mark.parametrize("cycles", [1, 3, 7])
def test_a_wave_has_its_power_at_its_frequency(cycles):
    wave = torch.cos(2 * math.pi * cycles * torch.arange(16) / 16)
    power = radial_spectrum(wave.expand(2, 3, 16, 16))
    assert int(power.argmax()) == cycles
    assert float(power.sum() - power[cycles]) < 1e-9


def test_white_noise_is_flat():
    power = radial_spectrum(torch.randn(300, 1, 16, 16))
    torch.testing.assert_close(power, torch.ones(9).double(), rtol=0.1, atol=0.1)


def test_rings_are_those_of_a_loop_over_frequencies():
    x = torch.randn(1, 1, 6, 6)
    table = torch.fft.fft2(x[0, 0].double()).abs().square() / 36
    rings = {r: [] for r in range(4)}
    for i in range(6):
        for j in range(6):
            radius = round(math.hypot(min(i, 6 - i), min(j, 6 - j)))
            if radius in rings:
                rings[radius].append(float(table[i, j]))
    expected = [sum(ring) / len(ring) for ring in rings.values()]
    assert radial_spectrum(x).tolist() == pytest.approx(expected, rel=1e-9)


def test_chunks_and_order_do_not_change_the_spectrum():
    x = torch.randn(10, 2, 8, 8)
    torch.testing.assert_close(radial_spectrum(iter(x[torch.randperm(10)].split(3))), radial_spectrum(x))


def test_the_distance_is_in_decibels_and_leaves_the_mean_out():
    x = torch.randn(20, 1, 8, 8)
    a = radial_spectrum(x)
    assert spectrum_distance(a, a) == 0
    assert spectrum_distance(a, radial_spectrum(10**0.5 * x)) == pytest.approx(10.0, rel=1e-5)
    assert spectrum_distance(a, radial_spectrum(x + 4)) == pytest.approx(0.0, abs=1e-4)


def test_a_blur_is_seen():
    x, y = torch.randn(40, 1, 16, 16), torch.randn(40, 1, 16, 16)
    blurred = torch.nn.functional.avg_pool2d(y, 3, 1, 1)
    real = radial_spectrum(x)
    assert spectrum_distance(real, radial_spectrum(blurred)) > 10 * spectrum_distance(real, radial_spectrum(y))


def test_what_has_no_spectrum_is_refused():
    with pytest.raises(InputError, match="square"):
        radial_spectrum(torch.zeros(1, 1, 4, 6))
    with pytest.raises(InputError, match="mixed"):
        radial_spectrum([torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 6, 6)])
    flat = radial_spectrum(torch.ones(1, 1, 4, 4))
    with pytest.raises(InputError, match="without any power"):
        spectrum_distance(flat, flat)
