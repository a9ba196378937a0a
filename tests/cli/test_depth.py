"""Data of 16 bits a channel from training to files: exact resumption, samples, and images made from images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.conftest import assert_same_checkpoint
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.packing.wide_png import png
from zerosum.inference.generate import generate
from zerosum.inference.image_files import inputs_at
from zerosum.inference.translate import translate_files
from zerosum.runtime.progress import Silent

SIDE, TOP = 16, 4095


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gray images of 12 bits in 16."""
    root = tmp_path_factory.mktemp("deep") / "photos"
    root.mkdir()
    for index in range(6):
        pixels = np.random.default_rng(index).integers(0, TOP + 1, (SIDE, SIDE)).astype(np.uint16)
        Image.fromarray(pixels).save(root / f"{index}.png")
    return root


def trained(photos: Path, run: Path, recipe: str, **settings: Any) -> Path:
    small = {"batch": 2, "rounds": 2, **SMALL[recipe], **settings}
    return api.train(photos, recipe=recipe, run=run, progress=Silent(), **small).path


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(photos, tmp_path_factory.mktemp("runs") / "dcgan", "dcgan", rounds=4)


def newest(run: Path) -> Path:
    return sorted((run / "checkpoints").iterdir())[-1]


def test_a_run_keeps_its_depth_and_resumes_to_the_last_bit(photos: Path, run: Path, tmp_path: Path) -> None:
    half = trained(photos, tmp_path / "half", "dcgan")
    kept = json.loads((half / "run.json").read_text())
    assert (kept["spec"]["bits"], kept["data_options"]["depth"]) == (16, 16)
    api.resume(half, rounds=4, progress=Silent())
    assert_same_checkpoint(newest(half), newest(run))


def test_a_run_from_before_there_was_a_choice_stays_at_8_bits(photos: Path, tmp_path: Path) -> None:
    old = trained(photos, tmp_path / "old", "dcgan", depth=8)
    kept = json.loads((old / "run.json").read_text())
    del kept["spec"]["bits"], kept["data_options"]["depth"]
    (old / "run.json").write_text(json.dumps(kept))
    api.resume(old, rounds=3, progress=Silent())
    assert api.load(old).spec.bits == 8


def test_samples_are_16_bit_files_in_the_range_of_the_data(run: Path, zerosum: Any, tmp_path: Path) -> None:
    assert zerosum("sample", run, "-n", 2, "--out", tmp_path / "made").code == 0
    assert zerosum("sample", run, "-n", 2, "--out", tmp_path / "all.npy").code == 0
    assert zerosum("sample", run, "-n", 2, "--out", tmp_path / "all.tif").code == 0
    said = zerosum("sample", run, "-n", 2, "--out", tmp_path / "all.png")
    assert "The picture has 8 bits a channel" in said.err
    assert Image.open(tmp_path / "all.png").mode == "L"
    array, pages = np.load(tmp_path / "all.npy"), Image.open(tmp_path / "all.tif")
    expected = (generate(api.load(run), 2, 0)[:, 0].numpy() + 1) * TOP / 2
    assert np.abs(array - expected).max() <= 0.51
    for index in range(2):
        image = Image.open(tmp_path / "made" / f"sample-{index:04d}.png")
        assert image.info["seed"] == "0"
        pages.seek(index)
        assert np.array_equal(np.asarray(image), array[index])
        assert np.array_equal(np.asarray(pages), array[index])
    assert array.max() <= TOP


def test_a_kind_of_file_that_does_not_hold_samples_is_refused(run: Path, zerosum: Any, tmp_path: Path) -> None:
    said = zerosum("sample", run, "--out", tmp_path / "a.jpg")
    assert said.code == 2
    assert "can be written as .png or .npy or .tif" in said.err


def test_channels_beyond_four_are_sampled_as_arrays(zerosum: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "bands.npy", np.random.default_rng(0).integers(0, 900, (6, 16, 16, 6)).astype(np.uint16))
    bands = trained(tmp_path / "bands.npy", tmp_path / "run", "dcgan")
    assert zerosum("sample", bands, "-n", 3, "--out", tmp_path / "made.npy").code == 0
    made = np.load(tmp_path / "made.npy")
    assert (made.shape, made.dtype) == ((3, 16, 16, 6), np.uint16)
    assert made.max() <= 1023
    said = zerosum("sample", bands, "-n", 3, "--out", tmp_path / "made.tif")
    assert (said.code, "end the name in .npy" in said.err) == (2, True)


def test_translations_have_the_bits_of_the_data_and_keep_opacity(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    run = trained(photos, tmp_path / "run", "pix2pix", degrade="blur:1")
    said = zerosum("translate", run, photos, "--out", tmp_path / "made")
    assert "Results have 16 bits a channel and hold 0..4095." in said.err
    made = np.asarray(Image.open(tmp_path / "made" / "0.png"))
    assert (made.dtype, made.max() <= TOP, (made % 16 != 0).any()) == (np.uint16, True, True)
    assert zerosum("translate", run, photos / "0.png", "--out", tmp_path / "one.tif").code == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "one.tif")), made)
    said = zerosum("translate", run, photos / "0.png", "--out", tmp_path / "one.jpg")
    assert (said.code, "end the name in .png" in said.err) == (2, True)
    clear = np.full((20, 24, 2), 90, np.uint8)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert zerosum("translate", run, tmp_path / "clear.png", "--out", tmp_path / "shown.png").code == 0
    shown = np.asarray(Image.open(tmp_path / "shown.png"))  # Pillow reads the high bytes
    assert shown.shape[:2] == (20, 24)
    assert (shown[..., 3] == 90).all()


@pytest.mark.parametrize(("direction", "given", "wanted"), [("AtoB", TOP, 65535), ("BtoA", 65535, TOP)])
def test_each_way_between_two_domains_has_the_range_of_its_own_images(
    photos: Path, tmp_path: Path, direction: str, given: int, wanted: int
) -> None:
    for side, top in (("A", TOP), ("B", 65535)):
        for index in range(2):
            path = tmp_path / "domains" / f"train{side}" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(index).integers(0, top + 1, (SIDE, SIDE))
            Image.fromarray(pixels.astype(np.uint16)).save(path)
    recipe = api.load(trained(tmp_path / "domains", tmp_path / "run", "cyclegan"))
    recipe.a_to_b = recipe.b_to_a = torch.nn.Identity()
    files = inputs_at(tmp_path / "domains" / f"train{direction[0]}" / "0.png")
    out = tmp_path / "made.png"
    done = translate_files(recipe, files, {"0.png": out}, chosen={"direction": direction})
    assert f"Results have 16 bits a channel and hold 0..{wanted}." in done.notes
    levels, made = (np.asarray(Image.open(path)).astype(float) for path in (files.root / "0.png", out))
    assert np.abs(made / wanted - levels / given).max() <= 0.51 / wanted + 1e-5


def test_inpainting_keeps_every_known_level(photos: Path, tmp_path: Path, zerosum: Any) -> None:
    run = trained(photos, tmp_path / "run", "inpaint", size="32")
    hole = np.zeros((SIDE, SIDE), np.uint8)
    hole[4:9, 5:11] = 255
    Image.fromarray(hole).save(tmp_path / "hole.png")
    assert zerosum("inpaint", run, photos, "--mask", tmp_path / "hole.png", "--out", tmp_path / "filled").code == 0
    for path in photos.glob("*.png"):
        given, made = (np.asarray(Image.open(place)) for place in (path, tmp_path / "filled" / path.name))
        assert made.dtype == np.uint16
        assert np.array_equal(made[hole == 0], given[hole == 0])
        assert not np.array_equal(made[hole > 0], given[hole > 0])


def test_upscaling_gives_16_bits_of_colour(tmp_path: Path, zerosum: Any) -> None:
    (tmp_path / "photos").mkdir()
    for index in range(2):
        pixels = np.random.default_rng(index).integers(0, 65536, (32, 32, 3)).astype(np.uint16)
        (tmp_path / "photos" / f"{index}.png").write_bytes(png(pixels, {}))
    settings = {"degrade": "downscale:4", "size": "16", "fit": "tiles"}
    run = trained(tmp_path / "photos", tmp_path / "run", "srgan", **settings)
    said = zerosum("upscale", run, tmp_path / "photos" / "0.png", "--out", tmp_path / "large.png")
    assert said.code == 0
    assert "hold 0..65535" in said.err
    assert (tmp_path / "large.png").read_bytes()[24] == 16
    assert Image.open(tmp_path / "large.png").size == (128, 128)
    said = zerosum("upscale", run, tmp_path / "photos" / "0.png", "--out", tmp_path / "large.tif")
    refusal = "The result has 16 bits a channel, which large.tif cannot hold: end the name in .png."
    assert (said.code, refusal in said.err) == (2, True)


def test_evaluation_says_that_16_bits_were_brought_to_8(run: Path) -> None:
    found = api.evaluate(run, metrics="fid", features="pixels", count=4, progress=Silent())
    assert found.protocol.resizer.endswith("16 bits a channel rounded to 8 on both sides")


def test_points_have_no_depth_and_are_sampled_as_numbers(tmp_path: Path, zerosum: Any) -> None:
    assert zerosum("train", "ring8", "--depth", 16, "--run", tmp_path / "no").code == 2
    run = api.train("ring8", recipe="gan", run=tmp_path / "run", rounds=2, progress=Silent()).path
    assert zerosum("sample", run, "-n", 5, "--out", tmp_path / "made.npy").code == 0
    assert np.load(tmp_path / "made.npy").shape == (5, 2)
    assert zerosum("sample", run, "-n", 5, "--out", tmp_path / "made.tif").code == 2
