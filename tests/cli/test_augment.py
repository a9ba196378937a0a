"""`zerosum augment`: folders of generated images, what they gain, and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import game
from zerosum import api
from zerosum.errors import InputError
from zerosum.evaluation.augment import _verdict, measure, refuse_unfit
from zerosum.evaluation.probes.labelled_images import LabelledImages
from zerosum.metrics.repeats import repeated
from zerosum.runtime.progress import Silent

COUNTS = {"train": {"dark": 20, "light": 6}, "test": {"dark": 10, "light": 10}}
QUICK = ("--seen", 64)


def write(folder: Path, counts: dict[str, int]) -> Path:
    """Write a folder of class folders, of dark and light images."""
    random = np.random.default_rng(len(str(folder)))
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            low = 0 if name == "dark" else 128
            Image.fromarray(random.integers(low, low + 128, (16, 16), dtype=np.uint8)).save(
                folder / name / f"{number}.png"
            )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("augment") / "data"
    for split, counts in COUNTS.items():
        write(place / split, counts)
    return place


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    small = {"rounds": 2, "batch": 8, "latent_dim": 4, "width": 2, "cache": str(data.parent / "cache")}
    return api.train(data, recipe="cgan", run=data.parent / "run", progress=Silent(), **small).path


def test_classes_are_balanced_and_the_gain_is_measured(zerosum, data: Path, run: Path) -> None:
    out = data.parent / "more"
    done = zerosum("augment", data, "--with", run, "--out", out, *QUICK)
    assert done.code == 0, done.err
    assert len(list((out / "light").glob("zerosum-*.png"))) == 14
    assert not list((out / "dark").iterdir())
    assert Image.open(next((out / "light").iterdir())).size == (16, 16)
    said = json.loads((out / "augment.json").read_text())
    assert said["classes"]["light"]["generated"] == 14
    assert said["tested"] == 20
    assert set(said["arms"]) == {"as they are", "repeated", "with generated"}
    assert said["meaning"][0] in done.err
    page = (out / "augment.html").read_text()
    assert "promises nothing" in page
    again = data.parent / "again"
    assert zerosum("augment", data, "--with", run, "--out", again, "--to", 22, *QUICK).code == 0
    one, other = ({path.name: path.read_bytes() for path in (place / "light").iterdir()} for place in (out, again))
    assert one.items() <= other.items(), "the same seed makes the same images"
    assert len(list((again / "dark").iterdir())) == 2
    refused = zerosum("augment", data, "--with", run, "--out", out, *QUICK)
    assert (refused.code, "not an empty folder" in refused.err) == (2, True)


def test_images_of_16_bits_are_numbers_of_the_data(zerosum, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for split, counts in COUNTS.items():
        for name, count in counts.items():
            (tmp_path / "deep" / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 4096, (16, 16)).astype(np.uint16)
                Image.fromarray(pixels).save(tmp_path / "deep" / split / name / f"{number}.png")
    small = {"rounds": 1, "batch": 8, "latent_dim": 4, "width": 2, "cache": str(tmp_path / "cache")}
    run = api.train(tmp_path / "deep", recipe="cgan", run=tmp_path / "run", progress=Silent(), **small).path
    done = zerosum("augment", tmp_path / "deep", "--with", run, "--out", tmp_path / "more", *QUICK)
    assert done.code == 0, done.err
    made = [np.asarray(Image.open(path)) for path in (tmp_path / "more" / "light").iterdir()]
    assert {(image.dtype, image.shape) for image in made} == {(np.dtype(np.uint16), (16, 16))}
    assert 255 < max(image.max() for image in made) <= 4095


def test_a_class_that_no_folder_has_is_refused_before_the_work() -> None:
    recipe = game("cgan", (1, 16, 16)).recipe
    recipe.spec = replace(recipe.spec, classes=("a/b", "c"))
    with pytest.raises(InputError, match="The class 'a/b' cannot be the name of a folder: rename it"):
        refuse_unfit(recipe, Path("run"), ("a/b", "c"), "data")


def test_refusals(zerosum, data: Path, run: Path, tmp_path: Path) -> None:
    flat = write(tmp_path / "flat", {"only": 3}) / "only"
    others = write(tmp_path / "others", {"a": 3, "b": 2})
    alone = write(tmp_path / "alone", {"dark": 3, "light": 2})
    small = {"rounds": 1, "batch": 8, "width": 2, "labels": "none", "cache": str(tmp_path / "cache")}
    plain = api.train(data, recipe="dcgan", run=tmp_path / "plain", progress=Silent(), **small).path
    for source, model, more, said in (
        (flat, run, (), "has no classes to balance"),
        (others, run, (), "has the classes a, b, and"),
        (data, plain, (), "generates without classes"),
        (alone, run, (), "has no split test or val"),
        (alone, run, ("--held-out", others), "have other classes"),
        (alone, run, ("--held-out", alone), "the same images"),
        (data, run, ("--to", 5), "none is missing at 5"),
    ):
        done = zerosum("augment", source, "--with", model, "--out", tmp_path / "out", *more, *QUICK)
        assert (done.code, said in done.err) == (2, True), done.err
        assert done.err.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_a_gain_is_claimed_only_where_the_interval_leaves_0_out() -> None:
    assert _verdict(repeated([0.1, 0.11, 0.12, 0.1, 0.11])) == "a gain was measured"
    assert _verdict(repeated([-0.1, -0.11, -0.12, -0.1, -0.11])).startswith("a loss was measured")
    assert _verdict(repeated([-0.1, 0.1, 0.1, -0.1, 0.0])).startswith("no gain was measured")


@pytest.mark.slow
def test_images_that_help_are_found_to_help() -> None:
    """One class is unknown without the generated images, and each is a level of gray."""

    def images(count: int, label: int) -> LabelledImages:
        levels = torch.full((count, 1, 8, 8), 60 + 120 * label, dtype=torch.uint8)
        noise = torch.randint(0, 30, levels.shape, dtype=torch.uint8)
        return LabelledImages(images=levels + noise, labels=torch.full((count,), label))

    torch.manual_seed(0)
    test = images(20, 0) + images(20, 1)
    found = measure(images(30, 0), images(30, 1), test, classes=2, seen=512)
    assert found.gain.value > 0.3
    assert "a gain was measured" in found.meaning[0]
