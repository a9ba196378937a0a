"""`zerosum evaluate` of labelled images, of a discriminator's opinions, and to an eye, as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_evaluate import DIGITS
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.measures import labels as uses
from zerosum.evaluation.measures import perceptual
from zerosum.evaluation.result import Evaluation
from zerosum.kinds import open_data
from zerosum.runtime.progress import Silent


@pytest.fixture
def split() -> Path:
    """An array file of digits with a split that is not trained on."""
    digits = open_data("digits", options=DataConfig(size="16"))
    images, labels = digits.samples[..., 0], digits.labels
    np.savez("split.npz", x_train=images[:400], y_train=labels[:400], x_test=images[400:600], y_test=labels[400:600])
    return Path("split.npz")


def class_folders(name: str, rows: np.ndarray) -> str:
    """A folder of some of the digits, in a folder for each class."""
    digits = open_data("digits", options=DataConfig(size="16"))
    for row in rows:
        path = Path(name) / str(digits.labels[row]) / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.samples[row, ..., 0]).save(path)
    return name


@pytest.mark.slow
def test_labelled_images_are_put_to_work_beside_as_many_real_ones(
    split: Path, zerosum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "SEEN", 600)
    made = class_folders("made", np.arange(700, 900))
    asked = ("--against", split, "--features", "pixels", "--count", 60)
    said = zerosum("evaluate", made, *asked, "--metrics", "cas,synthetic-help", "--out", "worked.json")
    assert said.code == 0, said.err
    assert [line.split()[0] for line in said.out.split("metric")[1].splitlines()[1:3]] == ["CAS", "synthetic"]
    found = Evaluation.read(Path("worked.json"))
    score, gain = found["cas"], found["synthetic-help"]
    assert score.value > 0.2
    assert score.floor == pytest.approx(score.value, abs=0.3)
    assert "200 held-out images" in score.settings
    assert -0.5 < gain.interval.low <= gain.value <= gain.interval.high
    for row in Path(made).rglob("*.png"):
        row.rename(Path(made) / row.name)
    for folder in Path(made).glob("*/"):
        folder.rmdir()
    said = zerosum("evaluate", made, *asked, "--metrics", "cas")
    assert said.code == 2
    assert "made have no labels; put those of each class into a folder of its name" in said.err


def test_a_run_is_walked_by_its_datas_classifier_and_its_discriminator_asked(
    split: Path, zerosum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perceptual, "PAIRS", 100)
    run = api.train(split, recipe="dcgan", run="run", rounds=2, **{**DIGITS, "size": None}).path
    names = "ppl,discriminator-train,discriminator-held-out,discriminator-fake"
    found = api.evaluate(run, metrics=names, count=60, progress=Silent())
    assert [figure.title for figure in found.figures] == [
        "PPL-classifier",
        "discriminator on train",
        "discriminator on held-out",
        "discriminator on fake",
    ]
    assert found["ppl"].value > 0
    for figure in found.figures[1:]:
        assert 0 <= figure.interval.low <= figure.value <= figure.interval.high <= 1
    for arguments, sentence in (
        (("--metrics", "cas"), "this run makes them without; give generated images"),
        (("--metrics", "ppl", "--features", "pixels"), "give a backbone, --perceptual alex:WEIGHTS or vgg:WEIGHTS"),
        (("--perceptual", "alex"), "--perceptual alex is no backbone with its weights"),
    ):
        said = zerosum("evaluate", run, "--count", 20, *arguments)
        assert said.code == 2
        assert sentence in said.err


def test_a_critic_has_no_threshold_to_be_right_by() -> None:
    run = api.train("ring8", recipe="wgan_gp", run="critic", rounds=1, progress=Silent(), **SMALL["wgan_gp"]).path
    with pytest.raises(InputError, match="the values of a critic have no threshold; ask for discriminator-auc"):
        api.evaluate(run, metrics="discriminator-fake", count=60, progress=Silent())
