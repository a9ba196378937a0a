"""`zerosum inpaint`: known pixels, sizes, opacity, masks of all kinds, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.test_translate import picture
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

SIDE = 16


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on colour images, with a split that is held out."""
    root = tmp_path_factory.mktemp("images")
    for index in range(8):
        for split in ("train", "test"):
            picture(root / split / f"{index}.png", SIDE, SIDE, 3, seed=index)
    settings = {"rounds": 2, "batch": 4, "progress": Silent(), **SMALL["inpaint"]}
    return api.train(root, recipe="inpaint", run=root / "run", log_every=1, **settings).path


def mask(path: Path, height: int, width: int, box: tuple[int, int, int, int] = (2, 3, 9, 12)) -> np.ndarray:
    """Write a mask that is white in a box (top, left, bottom, right); return where."""
    hole = np.zeros((height, width), bool)
    hole[box[0] : box[2], box[1] : box[3]] = True
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.where(hole, 255, 0).astype(np.uint8)).save(path)
    return hole


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_hole_is_filled_by_the_very_function_of_the_previews(run: Path, zerosum: Any) -> None:
    image = pixels(picture(Path("one.png"), SIDE, SIDE, 3))
    hole = mask(Path("mask.png"), SIDE, SIDE)
    said = zerosum("inpaint", run, "one.png", "--mask", "mask.png", "--out", "made.png")
    assert (said.code, said.out) == (0, "made.png\n"), said.err
    given = to_float(torch.from_numpy(image.copy()).permute(2, 0, 1)[None])
    filled = api.load(run).complete(given, torch.from_numpy(hole).float()[None, None])
    assert np.array_equal(pixels("made.png"), to_uint8(filled)[0].permute(1, 2, 0).numpy())
    assert np.array_equal(pixels("made.png")[~hole], image[~hole])


@pytest.mark.parametrize("shape", [(40, 23, 3), (9, 50), (SIDE, SIDE), (33, 20, 4), (12, 12, 2)])
def test_known_pixels_and_opacity_stay_whatever_the_size_and_channels(
    run: Path, zerosum: Any, shape: tuple[int, ...]
) -> None:
    image = pixels(picture(Path("one.png"), *shape))
    hole = mask(Path("mask.png"), *shape[:2], box=(2, 3, 7, 9))
    assert zerosum("inpaint", run, "one.png", "--mask", "mask.png", "--out", "made.png").code == 0
    made = pixels("made.png")
    assert made.shape == shape
    assert np.array_equal(made[~hole], image[~hole])
    colours = shape[2] - (shape[2] in (2, 4)) if len(shape) == 3 else None
    assert (made[hole][..., :colours] != image[hole][..., :colours]).any()
    if shape[2:] in ((2,), (4,)):
        assert np.array_equal(made[..., -1], image[..., -1])


def test_what_a_scaled_hole_holds_makes_no_difference(run: Path, zerosum: Any) -> None:
    image, hole = pixels(picture(Path("a/one.png"), 50, 37, 3)).copy(), mask(Path("mask.png"), 50, 37, (11, 8, 30, 29))
    image[hole] = 255
    Path("b").mkdir()
    Image.fromarray(image).save("b/one.png")
    for folder in "ab":
        assert zerosum("inpaint", run, folder, "--mask", "mask.png", "--out", f"made-{folder}").code == 0
    one, other = (pixels(f"made-{folder}/one.png").astype(int) for folder in "ab")
    assert abs(one - other).max() <= 1


def test_masks_go_by_name_in_a_folder_and_names_are_kept(run: Path, zerosum: Any) -> None:
    holes = {}
    for number, name in enumerate(("a.jpg", "inner/b.png", "c.bmp")):
        picture(Path("photos") / name, 20, 30, 3, seed=number)
        holes[name] = mask((Path("masks") / name).with_suffix(".png"), 20, 30, (number, 2, 9, 12))
    said = zerosum("inpaint", run, "photos", "--mask", "masks", "--out", "made", "--batch", 2)
    assert (said.code, said.out) == (0, "made\n"), said.err
    assert "3 images filled" in said.err
    for name, hole in holes.items():
        made, image = pixels((Path("made") / name).with_suffix(".png")), pixels(Path("photos") / name)
        assert np.array_equal(made[~hole], image[~hole])
        assert (made[hole] != image[hole]).any()


def test_a_mask_of_any_kind_of_image_is_white_from_half_on_and_black_where_it_is_transparent(
    run: Path, zerosum: Any
) -> None:
    picture(Path("one.png"), SIDE, SIDE, 3)
    hole = mask(Path("gray.png"), SIDE, SIDE)
    level = np.where(hole, 128, 127).astype(np.uint8)
    Image.fromarray(level).save("half.png")
    Image.fromarray(hole).save("bits.png")
    Image.fromarray(np.where(hole, 65535, 0).astype(np.uint16)).save("deep.png")
    see_through = np.full((SIDE, SIDE, 4), 255, np.uint8)
    see_through[..., 3] = np.where(hole, 255, 0)
    Image.fromarray(see_through).save("alpha.png")
    results = []
    for name in ("gray", "half", "bits", "deep", "alpha"):
        said = zerosum("inpaint", run, "one.png", "--mask", f"{name}.png", "--out", f"made-{name}.png")
        assert said.code == 0, said.err
        results.append(pixels(f"made-{name}.png"))
    assert all(np.array_equal(results[0], result) for result in results[1:])


def test_deep_images_are_reduced_and_it_is_said(run: Path, zerosum: Any) -> None:
    deep = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE) * 250
    Image.fromarray(deep).save("deep.png")
    hole = mask(Path("mask.png"), SIDE, SIDE)
    said = zerosum("inpaint", run, "deep.png", "--mask", "mask.png", "--out", "made.png")
    assert "16-bit numbers are reduced to 8 bits, each image on a range of its own: 1 image." in said.err
    assert np.array_equal(pixels("made.png")[~hole], np.rint(deep / 257).astype(np.uint8)[~hole])


@pytest.mark.parametrize(
    ("masked", "out", "sentence"),
    [
        ("small.png", "made", "small.png is 8x9, a.png 16x16; b.png"),
        ("black.png", "made", "a.png has a mask that is black throughout: white (128 of 255 or lighter) marks"),
        ("white.png", "made", "white throughout"),
        ("broken.png", "made", "The mask broken.png is no image that can be read."),
        ("some", "made", "has no mask for 1 image: b.png; name each mask as its image"),
        ("twins", "made", "two masks of one name, a.bmp and a.png"),
        ("all", "all", "would be written over a mask that is read"),
        ("bmp", "bmp", "a.png would be written among the masks, and pass for one"),
        ("nothing.png", "made", "nothing.png"),
    ],
)
def test_masks_that_do_not_fit_are_refused_in_a_sentence(
    run: Path, zerosum: Any, masked: str, out: str, sentence: str
) -> None:
    for name in "ab":
        picture(Path(f"photos/{name}.png"), SIDE, SIDE, 3)
        mask(Path(f"all/{name}.png"), SIDE, SIDE)
        mask(Path(f"bmp/{name}.bmp"), SIDE, SIDE)
    for path in ("some/a.png", "twins/a.png", "twins/a.bmp", "twins/b.png"):
        mask(Path(path), SIDE, SIDE)
    mask(Path("small.png"), 8, 9)
    mask(Path("black.png"), SIDE, SIDE, (0, 0, 0, 0))
    mask(Path("white.png"), SIDE, SIDE, (0, 0, SIDE, SIDE))
    Path("broken.png").write_bytes(b"no image")
    before = Path("all/a.png").read_bytes()
    said = zerosum("inpaint", run, "photos", "--mask", masked, "--out", out)
    assert said.code == 2
    assert sentence.replace("; b.png", "; small.png is 8x9, b.png") in said.err
    assert not Path("made/a.png").exists()
    assert Path("all/a.png").read_bytes() == before


def test_other_commands_say_what_to_type_instead(run: Path, zerosum: Any) -> None:
    picture(Path("one.png"), SIDE, SIDE, 3)
    for command in (("sample", run), ("translate", run, "one.png")):
        said = zerosum(*command)
        assert said.code == 2
        assert "zerosum inpaint" in said.err
        assert "INPUT --mask MASK" in said.err
    plain = api.train("ring8", recipe="gan", run="plain", rounds=1, batch=8, progress=Silent(), **SMALL["gan"]).path
    said = zerosum("inpaint", plain, "one.png", "--mask", "one.png")
    assert said.code == 2
    assert "what fills holes in images is needed here" in said.err


def test_previews_are_measured_on_images_that_are_held_out_and_the_report_says_how_to_use_it(run: Path) -> None:
    names = {name for name in Run(run).history()[-1] if name.startswith("held_out/")}
    assert names == {f"held_out/{name}" for name in ("l1", "psnr_rgb", "psnr_y", "ssim_rgb", "ssim_y")}
    assert f"zerosum inpaint {run} INPUT --mask MASK" in (run / "report.html").read_text()
