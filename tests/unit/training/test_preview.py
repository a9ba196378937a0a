"""What previews measure, and how images of unlike shapes stand side by side."""

from __future__ import annotations

import math

import pytest
import torch

import zerosum
from zerosum.runtime.progress import Silent
from zerosum.training import trainer
from zerosum.training.preview import before_and_after, measure


def test_previews_are_drawn_from_another_seed_than_the_first_weights(tmp_path, monkeypatch):
    seeds, draw = [], trainer.draw_preview
    monkeypatch.setattr(trainer, "draw_preview", lambda *a, **k: seeds.append(torch.initial_seed()) or draw(*a, **k))
    for seed in (0, 1):
        zerosum.train("ring8", recipe="gan", run=tmp_path / str(seed), progress=Silent(), seed=seed, rounds=1, batch=4)
    first, second = set(seeds[:2]), set(seeds[2:])
    assert len(first) == len(second) == 1  # the same latents every time
    assert len({0, 1} | first | second) == 4


def test_measurements_are_named_by_their_channels():
    target = torch.zeros(2, 3, 16, 16)
    found = measure(target + 0.2, target)  # 0.1 of the full range
    assert set(found) == {"l1", "psnr_rgb", "ssim_rgb", "psnr_y", "ssim_y"}
    assert found["l1"] == pytest.approx(0.2)
    assert found["psnr_rgb"] == pytest.approx(-20 * math.log10(0.1), abs=0.2)
    gray = torch.zeros(2, 1, 16, 16)
    assert set(measure(gray + 0.2, gray)) == {"l1", "psnr_gray", "ssim_gray"}


def test_what_is_not_a_number_or_cannot_be_measured_is_left_out():
    equal = torch.zeros(1, 1, 16, 16)
    assert set(measure(equal, equal)) == {"l1", "ssim_gray"}
    small = torch.zeros(1, 1, 8, 8)
    assert set(measure(small + 0.2, small)) == {"l1", "psnr_gray"}


def test_a_small_gray_source_stands_beside_a_large_target_in_colour():
    sources, targets = torch.full((2, 1, 32, 32), -1.0), torch.ones(2, 3, 64, 64)
    sheet = before_and_after((sources, targets, targets))
    assert sheet.mode == "RGB"
    assert sheet.size == (3 * 66 - 2, 2 * 66 - 2)
    assert sheet.getpixel((10, 10)) == (0, 0, 0)
    assert sheet.getpixel((80, 10)) == (255, 255, 255)


def test_many_rows_of_three_stand_in_two_blocks():
    images = torch.zeros(8, 3, 64, 64)
    assert before_and_after((images,) * 3).size == (6 * 66 - 2, 4 * 66 - 2)
    assert before_and_after((images,) * 6).size == (6 * 66 - 2, 8 * 66 - 2)
