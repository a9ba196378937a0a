"""Pitch and loudness, on waves whose answer is known."""

from __future__ import annotations

import pytest
import torch

from zerosum.data.sources.tones import tones
from zerosum.metrics.sound import loudness, pitches, semitones


def test_the_pitch_of_every_tone_is_found():
    waves, labels = tones("test")
    found = pitches(torch.from_numpy(waves[:120])[:, None], 16_000)
    off = (semitones(found) - 15 - torch.from_numpy(labels[:120])) % 12  # C3 is 15 semitones above A1
    assert torch.minimum(off, 12 - off).max() < 0.5


def test_noise_and_silence_have_no_pitch():
    noise = torch.randn(4, 1, 4096, generator=torch.Generator().manual_seed(0))
    assert pitches(noise, 16_000).isnan().all()
    assert pitches(torch.zeros(2, 1, 4096), 16_000).isnan().all()
    assert pitches(torch.zeros(2, 1, 16), 16_000).isnan().all()


def test_loudness_is_in_decibels_of_full_scale():
    sine = torch.sin(torch.arange(16_000) / 3)[None, None]
    assert loudness(sine).item() == pytest.approx(-3.01, abs=0.01)
    assert loudness(torch.zeros(1, 1, 9)).item() == -80
