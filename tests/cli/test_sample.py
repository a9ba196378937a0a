"""What comes out of a trained run: points, images, films, and the recipe's own controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.inference.directions import along, directions
from zerosum.inference.generate import generate
from zerosum.inference.sample import interpolate
from zerosum.runtime.progress import Silent


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "ring8", "infogan")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "digits", "infogan", size="16")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "ring8", "gan")


def made(factory: pytest.TempPathFactory, data: str, recipe: str, **settings: Any) -> Path:
    run = factory.mktemp(recipe) / "run"
    return api.train(
        data, recipe=recipe, run=run, rounds=20, batch=8, progress=Silent(), **SMALL[recipe], **settings
    ).path


def test_images_go_into_a_folder_of_files_or_into_one_picture(images: Path, zerosum: Any) -> None:
    said = zerosum("sample", "-n", 5, images, "--out", "many")
    assert (said.code, said.out) == (0, "many\n")
    assert said.err == "5 samples in 5 files; --out NAME.png puts all into one picture\n"
    files = sorted(Path("many").iterdir())
    assert len(files) == 5
    assert {Image.open(file).size for file in files} == {(16, 16)}
    assert Image.open(files[0]).text["seed"] == "0"  # type: ignore[attr-defined]

    said = zerosum("sample", images, "-n", 5, "--out", "all.png")
    assert (said.out, said.err) == ("all.png\n", "5 samples in 1 file\n")
    assert Image.open("all.png").width > 3 * 16


def test_the_seed_decides_and_more_samples_begin_with_the_fewer(images: Path, zerosum: Any) -> None:
    for out, *more in (("a",), ("b", "-n", 20), ("c", "--seed", 1)):
        assert zerosum("sample", images, "--out", out, *more).code == 0
    a, b, c = (np.stack([np.asarray(Image.open(f)) for f in sorted(Path(o).iterdir())][:16]) for o in "abc")
    assert (a == b).all()
    assert (a != c).any()


def test_points_are_drawn(points: Path, zerosum: Any) -> None:
    said = zerosum("sample", points, "-n", 500)
    assert (said.code, said.out) == (0, f"{points}/samples/seed-0\n")
    assert np.load(points / "samples" / "seed-0" / "samples.npy").shape == (500, 2)
    assert Image.open(points / "samples" / "seed-0" / "samples.png").size == (512, 512)


def test_a_recipes_controls_are_flags_and_matter(points: Path, zerosum: Any) -> None:
    assert zerosum("sample", points, "--category", 2, "--codes", 1.0, -0.5, "--out", "chosen.png").code == 0
    assert zerosum("sample", points, "--out", "free.png").code == 0
    assert Path("chosen.png").read_bytes() != Path("free.png").read_bytes()
    assert Image.open("chosen.png").text["codes"] == "(1.0, -0.5)"  # type: ignore[attr-defined]


def test_controls_of_another_recipe_are_no_flags(plain: Path, zerosum: Any) -> None:
    assert zerosum("sample", plain, "--truncation", 0.7, "--out", "a.png").code == 0
    said = zerosum("sample", plain, "--category", 2)
    assert (said.code, said.err) == (2, f"--category is of runs of infogan, and {plain} is of gan: leave it out.\n")
    assert zerosum("sample", plain, "--truncation", -1).err == (
        "The truncation limit is -1.0; give a number above 0, for example 0.7.\n"
    )


def test_truncation_bounds_the_latents_of_walks_and_directions(tmp_path: Path, zerosum: Any) -> None:
    settings: dict[str, Any] = SMALL["cgan"] | {"rounds": 1, "batch": 8, "size": "16", "latent_dim": 40}
    run = api.train("digits", recipe="cgan", run=tmp_path / "run", progress=Silent(), **settings).path
    recipe, sizes = api.load(run), []
    recipe.generator.register_forward_pre_hook(lambda _, given: sizes.append(float(given[0].abs().max())))
    interpolate(recipe, corners=4, frames=8, seed=0, chosen={"truncation": 0.1})
    assert max(sizes) < 0.15
    found = directions(recipe, label=1, seed=0, folder=tmp_path)
    made = along(recipe, found, 1, rows=2, strength=2.0, seed=3, chosen={"truncation": 0.1, "label": 1})
    torch.testing.assert_close(made[3::7], generate(recipe, 2, 3, controls={"truncation": 0.1, "label": 1}))
    latents = tmp_path / "z.npy"
    np.save(latents, np.ones((1, 40), np.float32))
    for flag, value in (("--latent", "3-7"), ("--latent-file", latents)):
        said = zerosum("sample", run, flag, value, "--truncation", 0.5)
        assert (said.code, said.err) == (
            2,
            f"--truncation bounds latents as they are drawn, and {flag} gives them: leave out one of the two.\n",
        )


@pytest.mark.parametrize("out", ["labels.csv", "labels.csv/a.png", "labels.csv/a"])
def test_a_file_that_is_no_folder_is_never_written_into(plain: Path, out: str, zerosum: Any) -> None:
    Path("labels.csv").write_text("mine")
    said = zerosum("sample", plain, "-n", 2, "--out", out)
    assert said.code == 2
    assert "labels.csv" in said.err
    assert "folder" in said.err
    assert Path("labels.csv").read_text() == "mine"


@pytest.mark.parametrize("ending", ["gif", "mp4", "png"])
def test_a_walk_is_a_film_or_a_strip(images: Path, ending: str, zerosum: Any) -> None:
    out = f"walk.{ending}"
    said = zerosum("sample", images, "--interpolate", "-n", 3, "--frames", 6, "--seconds", 0.6, "--out", out)
    assert (said.code, said.out) == (0, f"{out}\n")
    assert Path(out).stat().st_size > 100
    if ending == "gif":
        assert Image.open(out).n_frames == 6  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--strength", 3), "--strength 3 is of use to --direction alone: give both or neither.\n"),
        (("--strength=2", "--interpolate"), "--strength 2 is of use to --direction alone: give both or neither.\n"),
        (("--frames", 5), "--frames 5 is of use to --interpolate alone: give both or neither.\n"),
        (
            ("--seconds", 6, "--grid", "classes"),
            "--seconds 6 is of use to --interpolate alone: give both or neither.\n",
        ),
        (("--strength", "nan"), "--strength is nan, but should be a finite number.\n"),
        (
            ("-n", 1, "--interpolate", "--frames", 6),
            "A walk of 6 frames among 1 sample leads nowhere: give 2 or more of each.\n",
        ),
        *(
            (
                ("--interpolate", "--frames", 4, "--seconds", seconds, "--out", f"walk.{ending}"),
                f"A film of {seconds / 4:.3g} seconds a frame cannot be written: give --seconds, or --frames, by which "
                "each stays from 0.001 to 655.35 seconds.\n",
            )
            for seconds in (1e-9, 1e4)
            for ending in ("gif", "mp4")
        ),
    ],
)
def test_flags_that_would_be_of_no_use_are_refused(
    images: Path, flags: tuple[object, ...], expected: str, zerosum: Any
) -> None:
    said = zerosum("sample", images, *flags)
    assert (said.code, said.err) == (2, expected)


def test_the_controls_help_comes_from_the_docstring_of_sample(points: Path, zerosum: Any) -> None:
    said = zerosum("sample", points, "--help")
    assert said.code == 0
    assert "value of the categorical code, from 0" in " ".join(said.out.split())
    assert "RUN" in said.out
