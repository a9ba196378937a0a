"""Super-resolution learns: beside bicubic upscaling, on digits that were not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.inference.upscale import upscale
from zerosum.metrics.psnr_ssim import psnr
from zerosum.runtime.progress import Silent

pytestmark = pytest.mark.slow


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Scale (N, H, W) uint8 images by Pillow's bicubic filter."""
    sides = [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)) for image in images]
    return np.stack(sides)


def test_srresnet_beats_bicubic_by_a_decibel_on_held_out_digits(tmp_path: Path):
    digits = resized((load_digits().images * 15.9).astype(np.uint8), 32)
    np.save(tmp_path / "digits.npy", digits[:1500])
    large = digits[1500:]
    small = resized(large, 8)
    settings = {"degrade": "downscale:4", "blocks": 4, "width": 32, "pretrain": 600, "lr": 1e-3, "ema_decay": 0.99}
    rare = {"cache": str(tmp_path), "save_every": 10**6, "preview_every": 10**6}

    def decibels(rounds: int) -> float:
        run = tmp_path / f"run-{rounds}"
        api.train(
            tmp_path / "digits.npy", recipe="srgan", rounds=rounds, run=run, progress=Silent(), **settings, **rare
        )
        made = upscale(api.load(run), to_float(torch.from_numpy(small))[:, None])
        return psnr(to_uint8(made), torch.from_numpy(large)[:, None]).value

    bicubic = psnr(torch.from_numpy(resized(small, 32))[:, None], torch.from_numpy(large)[:, None]).value
    untrained, trained = decibels(1), decibels(600)
    print(f"{untrained:.2f} dB untrained, {trained:.2f} dB after 600 rounds, {bicubic:.2f} dB by bicubic upscaling")
    assert untrained < bicubic
    assert trained > bicubic + 1
