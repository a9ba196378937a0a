"""`zerosum age`: strips and single groups, with identities that are known and unknown, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum import api
from zerosum.inference import identity
from zerosum.runtime.progress import Silent

SMALL = {"rounds": 3, "batch": 8, "latent_dim": 4, "width": 2, "encoder_width": 2, "encoder_hidden": 4, "size": "16"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on 48 faces of three groups, whose names hold age and identity."""
    place = tmp_path_factory.mktemp("age")
    noise = np.random.default_rng(0).integers(0, 256, (48, 16, 16), dtype=np.uint8)
    (place / "faces").mkdir()
    for number, image in enumerate(noise):
        Image.fromarray(image).save(place / "faces" / f"{10 * (number % 3)}_{'ab'[number % 2]}_{number}.png")
    groups = {"ages": "name", "groups": "0-9,10-19,20+", "cache": str(place / "cache")}
    return api.train(
        place / "faces", recipe="age_cgan", run=place / "run", progress=Silent(), save_every=3, **groups, **SMALL
    ).path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "FAMILIES", 4)
    monkeypatch.setattr(identity, "EPOCHS", 1)


def test_a_strip_over_all_groups_and_one_group_from_another(zerosum, run: Path, quick: None) -> None:
    face = run.parent / "faces" / "0_a_0.png"
    strip = zerosum("age", run, face, "--to", "all", "--from", "0-9", "--iterations", 2)
    assert strip.code == 0, strip.err
    path = Path(strip.out.strip())
    assert path == run / "aged" / "0_a_0-all.png"
    assert Image.open(path).size[0] == 5 * 64 + 4 * 2
    assert "From the left: the image, its reconstruction, then 0-9, 10-19, 20+." in strip.err
    assert "4 generated families" in strip.err
    assert list((run / "identity").glob("*.safetensors"))
    one = zerosum("age", run, face, "--to", "20+", "--from", "0-9", "--identity", "pixels", "--out", run / "one.png")
    assert one.code == 0, one.err
    assert Image.open(run / "one.png").size == (16, 16)


def test_results_that_replace_earlier_ones_are_said(zerosum, run: Path) -> None:
    image = run.parent / "faces" / "0_a_0.png"
    asked = ("age", run, image, "--to", "20+", "--from", "0-9", "--identity", "pixels", "--iterations", 0)
    for said in ("", "twice was not empty: 1 earlier file replaced.\n"):
        done = zerosum(*asked, "--out", "twice")
        assert done.code == 0, done.err
        assert "not empty" not in done.err or said in done.err
    assert said in done.err


def test_a_place_is_refused_before_the_work(zerosum, run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    image = run.parent / "faces" / "0_a_0.png"
    done = zerosum("age", run, image, "--to", "all", "--from", "0-9", "--out", tmp_path / "file" / "a.png")
    assert done.code == 2
    assert f"{tmp_path / 'file'} cannot be written to: give another place.\n" in done.err
    assert "families" not in done.err


def test_a_folder_with_estimated_groups_and_known_identities(zerosum, run: Path) -> None:
    done = zerosum("age", run, run.parent / "faces", "--to", 1, "--identities", "name", "--iterations", 0)
    assert done.code == 0, done.err
    assert len(list((run / "aged").glob("*-1.png"))) == 48
    assert "Estimated group" in done.err
    assert "a classifier of 2 identities" in done.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--to", "70+"], "--to is 70+, and this model has no such class"),
        (["--to", "all", "--from", "x"], "--from is x, and this model has no such class"),
        (["--to", "all", "--from", "0-9", "--identity", "classifier"], "the data name none"),
        (["--to", "all", "--from", "0-9", "--identity", "clasifier"], "did you mean classifier"),
        (["--to", "all", "--out", "a.jpg"], "ends in .png"),
    ],
)
def test_refusals(zerosum, run: Path, flags: list[str], said: str) -> None:
    done = zerosum("age", run, run.parent / "faces" / "0_a_0.png", *flags)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_run_that_ages_also_samples(zerosum, run: Path) -> None:
    assert zerosum("sample", run, "-n", 4, "--label", "20+", "--out", run / "some.png").code == 0
    assert "zerosum age" in zerosum("recipes", "age_cgan").out
