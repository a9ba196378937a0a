"""`zerosum train` on images of a size that no network of the recipe can take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum import api
from zerosum.runtime.progress import Silent

SMALL = ("--width", 4, "--batch", 2, "--rounds", 1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    root.mkdir()
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 256, (50, 38, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{index}.png")
    return root


def test_the_nearest_size_is_taken_and_told_and_kept(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    said = zerosum("train", photos, "--recipe", "dcgan", "--run", tmp_path / "run", *SMALL)
    assert said.code == 0
    assert "Images of 50x38 are scaled to 48x40, the nearest size that dcgan can make" in said.err
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (kept["spec"]["shape"], kept["data_options"]["size"]) == ([3, 48, 40], "48x40")
    assert zerosum("train", "--resume", tmp_path / "run", "--rounds", 2).code == 0
    assert zerosum("sample", tmp_path / "run", "-n", 1, "--out", tmp_path / "one.png").code == 0
    assert Image.open(tmp_path / "one.png").size == (40, 48)


def test_a_size_that_is_asked_for_and_does_not_fit_is_refused(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    said = zerosum("train", photos, "--recipe", "dcgan", "--size", "50x38", "--run", tmp_path / "run", *SMALL)
    assert said.code == 2
    assert "--size 48x40 would fit" in said.err, "what is chosen where no size is asked for"


def test_explain_says_the_size_and_trains_nothing(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    said = zerosum("train", photos, "--explain", "--run", tmp_path / "run")
    assert "Images of 50x38 are scaled to 48x40" in said.out + said.err
    assert not (tmp_path / "run").exists()


def test_pairs_are_scaled_to_what_a_downscaling_and_the_networks_take(
    photos: Path, tmp_path: Path, zerosum: Any
) -> None:
    how = ("--degrade", "downscale:4", "--recipe", "srgan")
    said = zerosum("train", photos, *how, "--run", tmp_path / "run", *SMALL, "--rounds", 6)
    assert said.code == 0, said.err
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["spec"]
    assert (kept["shape"], kept["source_shape"]) == ([3, 48, 36], [3, 12, 9])


def test_padded_images_are_padded_in_the_evaluation_too(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    assert zerosum("train", photos, "--fit", "pad", "--size", 16, "--run", tmp_path / "run", *SMALL).code == 0
    found = api.evaluate(tmp_path / "run", metrics="fid", features="pixels", count=2, progress=Silent())
    assert found.protocol.resizer.startswith("padded to the shape with their reflection, Lanczos")
