"""Labels that look like flags, home folders, paths or each other, and sums of many seeds: samples and their names."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.runtime.progress import Silent

LONG = "\u7334" * 80
"""240 bytes of UTF-8, of which a name holds 255."""

NAMES = ("a b", "a_b", "--none", "~nobody-has-this-home", LONG)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("labels")
    generator = np.random.default_rng(0)
    for name in NAMES:
        (place / "data" / name).mkdir(parents=True)
        for number in range(3):
            pixels = generator.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "data" / name / f"{number}.png")
    settings = {"rounds": 2, "batch": 4, "progress": Silent(), **SMALL["cgan"]}
    return api.train(place / "data", recipe="cgan", run=place / "run", cache=str(place / "cache"), **settings).path


@pytest.mark.parametrize("way", [(), ("--direction", 1)], ids=["samples", "direction"])
def test_each_label_has_a_place_of_its_own(run: Path, way: tuple[object, ...], zerosum: Any) -> None:
    made = [zerosum("sample", run, "-n", 1, f"--label={name}", *way) for name in NAMES]
    assert [one.code for one in made] == [0] * len(NAMES), made
    assert not any("replaced" in one.err for one in made)
    places = {one.out.strip() for one in made}
    assert len(places) == len(NAMES)
    assert all(Path(place).exists() for place in places)


def test_a_value_after_a_flag_is_no_run(run: Path, zerosum: Any) -> None:
    for name in NAMES[3:]:
        assert zerosum("sample", run, "-n", 1, "--label", name, "--out", "one.png").code == 0
    seeds = "+".join(map(str, range(120)))
    assert len(seeds) > 255
    said = zerosum("sample", "--latent", seeds, run)
    assert said.code == 0, said.err
    assert Path(said.out.strip()).is_file()
    other = zerosum("sample", run, "--latent", f"{seeds}+7")
    assert (other.code, other.out == said.out) == (0, False)


def test_the_command_that_is_offered_is_one_that_is_taken(run: Path, zerosum: Any) -> None:
    image = run.parent / "data" / "--none" / "0.png"
    said = zerosum("invert", run, image, "--steps", 1, "--label=--none")
    assert said.code == 0, said.err
    offered = shlex.split(said.err.split("The latent: zerosum ")[1])
    assert "--label=--none" in offered
    assert zerosum(*offered, "--out", "again.png").code == 0


def test_a_grid_of_one_row_says_so(zerosum: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", images=np.zeros((8, 8, 8, 1), np.uint8), labels=np.zeros(8, np.int64))
    settings = {"rounds": 1, "batch": 4, "progress": Silent(), **SMALL["cgan"]}
    made = api.train(tmp_path / "one.npz", recipe="cgan", run=tmp_path / "run", **settings)
    said = zerosum("sample", made.path, "--grid", "classes", "-n", 2)
    assert (said.code, said.err[:11]) == (0, "1 row of 2,")
