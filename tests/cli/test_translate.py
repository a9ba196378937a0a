"""`zerosum translate`: names, sizes, opacity, deep images, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

SIDE = 16


def picture(path: Path, *shape: int, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CycleGAN on two domains in colour."""
    root = tmp_path_factory.mktemp("domains")
    for index in range(4):
        for side in ("trainA", "trainB", "testA", "testB"):
            picture(root / side / f"{index}.png", SIDE, SIDE, 3, seed=index)
    settings = {"rounds": 2, "batch": 2, "progress": Silent(), **SMALL["cyclegan"]}
    return api.train(root, recipe="cyclegan", run=root / "run", **settings).path


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of pix2pix, from gray to colour."""
    root = tmp_path_factory.mktemp("pairs")
    for index in range(4):
        for split in ("train", "val"):
            picture(root / split / f"{index}.png", SIDE, SIDE, 3, seed=index)
    settings = {"rounds": 2, "batch": 2, "degrade": "gray", "progress": Silent(), **SMALL["pix2pix"]}
    return api.train(root, recipe="pix2pix", run=root / "run", log_every=1, **settings).path


def test_a_folder_keeps_its_names_and_sizes(paired: Path, zerosum: Any) -> None:
    sizes = {"a.jpg": (20, 31, 3), "inner/b.png": (SIDE, SIDE), "c.bmp": (70, 9, 3)}
    for name, shape in sizes.items():
        picture(Path("photos") / name, *shape)
    said = zerosum("translate", paired, "photos", "--out", "made", "--batch", 2)
    assert (said.code, said.out) == (0, "made\n")
    made = {str(path.relative_to("made")): Image.open(path) for path in Path("made").rglob("*.png")}
    assert {name: image.size for name, image in made.items()} == {
        "a.png": (31, 20),
        "inner/b.png": (SIDE, SIDE),
        "c.png": (9, 70),
    }
    assert {image.mode for image in made.values()} == {"RGB"}


@pytest.mark.parametrize(("direction", "network"), [("AtoB", "a_to_b"), ("BtoA", "b_to_a")])
def test_one_image_goes_to_a_file_through_the_very_function_of_the_previews(
    cycle: Path, zerosum: Any, direction: str, network: str
) -> None:
    image = picture(Path("one.png"), SIDE, SIDE, 3)
    assert zerosum("translate", cycle, image, "--out", "made.png", "--direction", direction).out == "made.png\n"
    pixels = torch.from_numpy(np.array(Image.open(image))).permute(2, 0, 1)[None]
    recipe = api.load(cycle)
    expected = to_uint8(getattr(recipe, network)(to_float(pixels)))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(Image.open("made.png")), expected)
    assert torch.equal(
        recipe.translate(to_float(pixels), direction=direction), getattr(recipe, network)(to_float(pixels))
    )


def test_a_batch_gives_what_one_image_at_a_time_does(cycle: Path, zerosum: Any) -> None:
    for index in range(5):
        picture(Path(f"photos/{index}.png"), SIDE, SIDE, 3, seed=index)
    for batch in (1, 4):
        assert zerosum("translate", cycle, "photos", "--out", f"by{batch}", "--batch", batch).code == 0
    for index in range(5):
        one, many = (np.asarray(Image.open(f"by{batch}/{index}.png")).astype(int) for batch in (1, 4))
        assert abs(one - many).max() <= 1


def test_the_seed_decides_the_noise(paired: Path, zerosum: Any) -> None:
    image = picture(Path("one.png"), SIDE, SIDE)
    for out, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        assert zerosum("translate", paired, image, "--out", out, "--seed", seed).code == 0
    a, b, c = (np.asarray(Image.open(f"{name}.png")) for name in "abc")
    assert (a == b).all()
    assert (a != c).any()


def test_opacity_is_put_back_on_the_result(cycle: Path, zerosum: Any) -> None:
    image = picture(Path("one.png"), SIDE, SIDE, 4)
    assert zerosum("translate", cycle, image, "--out", "made.png").code == 0
    made = np.asarray(Image.open("made.png"))
    assert made.shape == (SIDE, SIDE, 4)
    assert np.array_equal(made[..., 3], np.asarray(Image.open(image))[..., 3])
    said = zerosum("translate", cycle, image, "--out", "made.jpg")
    assert said.code == 2
    assert "transparency" in said.err
    assert not Path("made.jpg").exists()


def test_deep_images_are_reduced_and_it_is_said(paired: Path, zerosum: Any) -> None:
    deep = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE) * 250
    Image.fromarray(deep).save("deep.png")
    said = zerosum("translate", paired, "deep.png", "--out", "made.png", "--seed", 1)
    assert said.code == 0
    assert "16-bit numbers are reduced to 8 bits, each image on a range of its own: 1 image." in said.err
    Image.fromarray(np.rint(deep / 257).astype(np.uint8)).save("plain.png")
    assert zerosum("translate", paired, "plain.png", "--out", "other.png", "--seed", 1).code == 0
    assert np.array_equal(np.asarray(Image.open("made.png")), np.asarray(Image.open("other.png")))


def test_an_images_own_size_is_padded_and_cut_again(cycle: Path, zerosum: Any) -> None:
    image = picture(Path("one.png"), 30, 41, 3)
    assert zerosum("translate", cycle, image, "--out", "own.png", "--size", "own").code == 0
    assert zerosum("translate", cycle, image, "--out", "trained.png").code == 0
    own, trained = (np.asarray(Image.open(f"{name}.png")) for name in ("own", "trained"))
    assert own.shape == trained.shape == (30, 41, 3)
    assert (own != trained).any()
    dot = picture(Path("dot.png"), 1, 2, 3)
    assert zerosum("translate", cycle, dot, "--out", "made.png", "--size", "own").code == 0
    assert Image.open("made.png").size == (2, 1)


def test_what_cannot_be_read_is_named_and_the_rest_is_made(cycle: Path, zerosum: Any) -> None:
    picture(Path("photos/good.png"), SIDE, SIDE, 3)
    Path("photos/bad.png").write_bytes(b"no image")
    said = zerosum("translate", cycle, "photos", "--out", "made")
    assert said.code == 2
    assert "1 of 2 images was left out: bad.png is no image that can be read." in said.err
    assert Path("made/good.png").exists()


def test_by_default_results_lie_in_the_run(cycle: Path, zerosum: Any) -> None:
    assert zerosum("translate", cycle, picture(Path("mine.png"), SIDE, SIDE, 3)).code == 0
    assert (cycle / "translated" / "mine.png").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("photos", "--out", "photos"), "written over an image that is read"),
        (("photos", "--out", "made.png"), "there are several images: give a folder"),
        (("photos", "--out", "run.json"), "is a file of a kind that is not written"),
        (("photos/a.png", "--out", "made.gif"), "is a file of a kind that is not written"),
        (("nothing",), "no image, folder or .zip"),
        (("empty",), "has no images"),
        (("twins",), "would both be written to"),
    ],
)
def test_places_that_cannot_be_read_or_written_are_refused(
    cycle: Path, zerosum: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    picture(Path("photos/a.png"), SIDE, SIDE, 3)
    picture(Path("photos/b.png"), SIDE, SIDE, 3)
    picture(Path("twins/a.png"), SIDE, SIDE, 3)
    picture(Path("twins/a.bmp"), SIDE, SIDE, 3)
    Path("empty").mkdir()
    Path("run.json").write_text("{}")
    before = Path("photos/a.png").read_bytes()
    said = zerosum("translate", cycle, *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert Path("photos/a.png").read_bytes() == before


def test_a_run_that_translates_does_not_sample_and_the_other_way_round(cycle: Path, zerosum: Any) -> None:
    said = zerosum("sample", cycle)
    assert said.code == 2
    assert "zerosum translate" in said.err
    plain = api.train("ring8", recipe="gan", run="plain", rounds=1, batch=8, progress=Silent(), **SMALL["gan"]).path
    said = zerosum("translate", plain, "photos")
    assert said.code == 2
    assert f"zerosum sample {plain}" in said.err


def test_pix2pix_measures_held_out_pairs_and_names_the_channels(paired: Path) -> None:
    last = Run(paired).history()[-1]
    names = {name for name in last if name.startswith("held_out/")}
    assert names == {f"held_out/{name}" for name in ("l1", "psnr_rgb", "psnr_y", "ssim_rgb", "ssim_y")}
    assert 0 < last["held_out/psnr_rgb"] < 40
    assert -1 <= last["held_out/ssim_y"] <= 1


def test_a_preview_has_a_column_for_each_of_source_translation_and_target(paired: Path, cycle: Path) -> None:
    for run, columns in ((paired, 2 * 3), (cycle, 6)):  # eight pairs stand in two blocks
        sheet = Image.open(Run(run).sample(2))
        tile = 4 * SIDE + 2
        assert (sheet.width + 2) // tile == columns
    assert (Image.open(Run(cycle).sample(2)).height + 2) // tile == 8


def test_the_run_keeps_what_is_needed_to_go_on_from_elsewhere(zerosum: Any, monkeypatch: Any) -> None:
    for side in ("one", "two"):
        picture(Path(f"data/{side}/a.png"), SIDE, SIDE, 3)
    said = zerosum(
        *("train", "data/one", "--target", "data/two", "--recipe", "pix2pix", "--run", "run", "--rounds", 1),
        *("--width", 4, "--layers", 2),
    )
    assert said.code == 0, said.err
    here = Path.cwd()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert zerosum("train", "--resume", here / "run", "--rounds", 2).code == 0
    assert Run(here / "run").history()[-1]["round"] == 2
