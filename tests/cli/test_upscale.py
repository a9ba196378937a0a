"""`zerosum upscale`: any size without seams in bounded memory, names, opacity, deep images, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.errors import InputError
from zerosum.inference.upscale import upscale, windows
from zerosum.recipes.srgan import SRGAN
from zerosum.runtime.progress import Silent

SIDE, FACTOR = 16, 4


def picture(path: Path, *shape: int, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in colour, four times as large, with statistics of batch norm that are not those of a fresh network."""
    root = tmp_path_factory.mktemp("photos")
    for index in range(4):
        picture(root / "photos" / f"{index}.png", 30, 40, 3, seed=index)
    settings = {"rounds": 8, "batch": 4, "degrade": f"downscale:{FACTOR}", "size": str(SIDE), "fit": "tiles"}
    settings |= {**SMALL["srgan"], "pretrain": 6, "lr": 1e-2}
    return api.train(root / "photos", recipe="srgan", run=root / "run", progress=Silent(), **settings).path


def test_a_folder_keeps_its_names_and_every_image_becomes_four_times_as_large(run: Path, zerosum: Any) -> None:
    for name, shape in {"a.jpg": (20, 31, 3), "inner/b.png": (SIDE, SIDE), "c.bmp": (70, 9, 3)}.items():
        picture(Path("photos") / name, *shape)
    said = zerosum("upscale", run, "photos", "--out", "made", "--tile", 16)
    assert (said.code, said.out) == (0, "made\n")
    made = {str(path.relative_to("made")): Image.open(path) for path in Path("made").rglob("*.png")}
    sizes = {"a.png": (124, 80), "inner/b.png": (64, 64), "c.png": (36, 280)}
    assert {name: image.size for name, image in made.items()} == sizes
    assert {image.mode for image in made.values()} == {"RGB"}


def test_a_zip_and_a_single_image_are_taken_too(run: Path, zerosum: Any) -> None:
    image = picture(Path("one.png"), 5, 7, 3)
    with ZipFile("photos.zip", "w") as archive:
        archive.write(image, "in/one.png")
    assert zerosum("upscale", run, "photos.zip", "--out", "made").code == 0
    assert zerosum("upscale", run, image, "--out", "made.png").out == "made.png\n"
    assert Path("made/in/one.png").read_bytes() == Path("made.png").read_bytes()
    assert zerosum("upscale", run, image).code == 0
    assert (run / "upscaled" / "one.png").exists()


def test_there_are_no_seams_and_the_network_sees_no_more_than_a_tile_and_its_surroundings(
    run: Path, zerosum: Any
) -> None:
    image = picture(Path("one.png"), 50, 61, 3)
    pixels = torch.from_numpy(np.array(Image.open(image))).permute(2, 0, 1)[None]
    recipe: Any = api.load(run)
    whole = recipe.translate(to_float(pixels))
    seen: list[tuple[int, ...]] = []
    recipe.generator.register_forward_pre_hook(lambda module, given: seen.append(tuple(given[0].shape)))
    for tile in (1000, 20, 7):
        seen.clear()
        made = upscale(recipe, to_float(pixels), tile=tile)
        torch.testing.assert_close(made, whole, rtol=0, atol=1e-4)
        assert max(max(shape[2:]) for shape in seen) <= tile + 2 * recipe.radius
        assert {shape[0] for shape in seen} == {1}
    assert zerosum("upscale", run, image, "--out", "made.png", "--tile", 20).code == 0
    written = np.asarray(Image.open("made.png")).astype(int)
    assert abs(written - to_uint8(whole)[0].permute(1, 2, 0).numpy()).max() <= 1


def test_a_margin_one_pixel_too_narrow_would_show(run: Path) -> None:
    recipe: Any = api.load(run)
    image = torch.rand(1, 3, 40, 40)
    whole, radius = recipe.translate(image), recipe.radius

    class Hasty(type(recipe)):
        radius = 2

    recipe.__class__ = Hasty
    assert radius > 2
    assert (upscale(recipe, image, tile=16) - whole).abs().max() > 1e-3


def test_windows_cover_every_pixel_once() -> None:
    count = np.zeros((37, 53), dtype=int)
    for window in windows((37, 53), tile=10, radius=4):
        count[window.made] += 1
        assert all(part.stop - part.start <= 18 for part in window.seen)
    assert (count == 1).all()


def test_opacity_is_enlarged_and_put_back(run: Path, zerosum: Any) -> None:
    image = picture(Path("one.png"), 12, 10, 4)
    assert zerosum("upscale", run, image, "--out", "made.png").code == 0
    made = Image.open("made.png")
    alpha = Image.open(image).getchannel("A").resize((40, 48), Image.Resampling.LANCZOS)
    assert made.size == (40, 48)
    assert np.array_equal(np.asarray(made)[..., 3], np.asarray(alpha))


def test_deep_images_are_reduced_and_it_is_said(run: Path, zerosum: Any) -> None:
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000).save("deep.png")
    said = zerosum("upscale", run, "deep.png", "--out", "made.png")
    assert said.code == 0
    assert "16-bit numbers are reduced to 8 bits, each image on a range of its own: 1 image." in said.err
    assert Image.open("made.png").size == (32, 32)


def test_translating_with_such_a_run_takes_images_at_their_own_size_a_window_at_a_time(
    run: Path, zerosum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, widths, translate = picture(Path("one.png"), 11, 300, 3), [], SRGAN.translate
    monkeypatch.setattr(SRGAN, "translate", lambda self, x: widths.append(x.shape[3]) or translate(self, x))
    assert zerosum("translate", run, image, "--out", "a.png").code == 0
    assert zerosum("upscale", run, image, "--out", "b.png").code == 0
    one, other = (np.asarray(Image.open(name)).astype(int) for name in ("a.png", "b.png"))
    assert one.shape == other.shape == (44, 1200, 3)
    assert (one == other).all()
    assert max(widths) < 200


def test_a_single_pixel_is_enlarged_too(run: Path, zerosum: Any) -> None:
    assert zerosum("upscale", run, picture(Path("dot.png"), 1, 1, 3), "--out", "made.png").code == 0
    assert Image.open("made.png").size == (FACTOR, FACTOR)


def test_what_cannot_be_read_is_named_and_the_rest_is_made(run: Path, zerosum: Any) -> None:
    picture(Path("photos/good.png"), 5, 5, 3)
    Path("photos/bad.png").write_bytes(b"no image")
    said = zerosum("upscale", run, "photos", "--out", "made")
    assert said.code == 2
    assert "1 of 2 images was left out: bad.png is no image that can be read." in said.err
    assert Path("made/good.png").exists()


def test_a_run_that_does_not_enlarge_is_refused_in_a_sentence(zerosum: Any) -> None:
    plain = api.train("ring8", recipe="gan", run="plain", rounds=1, batch=8, progress=Silent(), **SMALL["gan"]).path
    said = zerosum("upscale", plain, picture(Path("one.png"), 5, 5, 3))
    assert said.code == 2
    assert "and what makes images larger is needed here. Type: zerosum sample" in said.err


def test_tensors_that_do_not_fit_are_refused(run: Path) -> None:
    recipe = api.load(run)
    with pytest.raises(InputError, match=r"give \(N, 3, H, W\)"):
        upscale(recipe, torch.zeros(1, 1, 8, 8))
    with pytest.raises(InputError, match="Tiles of 0 pixels"):
        upscale(recipe, torch.zeros(1, 3, 8, 8), tile=0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("photos", "--degrade", "downscale:4", "--size", "18"), "--size 16x16 would fit"),
        (("photos", "--degrade", "downscale:4", "--size", "23"), "--size 20x20 would fit"),
        (("photos", "--degrade", "downscale:3", "--size", "18"), "2, 4, 8 or 16 times as large"),
        (("photos", "--degrade", "gray"), "give --degrade downscale:4"),
        (("photos", "--degrade", "downscale:4", "--size", "64", "--fit", "tiles"), "--size 20 would fit"),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused_with_what_would_fit(
    zerosum: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    picture(Path("photos/a.png"), 20, 30, 3)
    said = zerosum("train", *arguments, "--recipe", "srgan", "--run", "run", "--rounds", 1)
    assert said.code == 2
    assert sentence in said.err
    assert not Path("run").exists()
