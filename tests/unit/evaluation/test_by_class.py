"""Metrics of each class: computed on samples of its label and real ones of it, and kept beside those of all."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.cli import main
from zerosum.data.options import DataConfig
from zerosum.evaluation import table
from zerosum.evaluation.by_class import class_figures
from zerosum.evaluation.class_table import class_rows, of_all
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import of_run
from zerosum.evaluation.result import Evaluation
from zerosum.inference.generate import draw_labels, finished, generate
from zerosum.kinds import open_data
from zerosum.metrics.bootstrap import share_interval
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.run.config import read_config
from zerosum.run.directory import Run
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Silent

SETTINGS: dict[str, Any] = SMALL["cgan"] | {"rounds": 2, "batch": 8, "latent_dim": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of digits of which one class is rare, with a held-out split in which it is rarer."""
    digits = open_data("digits", options=DataConfig(size="8"))
    images, labels, rows = digits.samples[..., 0], digits.labels, np.arange(len(digits))
    train = np.flatnonzero((rows < 1200) & ((labels != 3) | (rows % 4 == 0)))
    test = np.flatnonzero((rows >= 1200) & ((labels != 3) | (rows % 8 == 0)))
    place = tmp_path_factory.mktemp("classes")
    arrays = {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}
    np.savez(place / "split.npz", **arrays)
    return api.train(place / "split.npz", recipe="cgan", run=place / "run", progress=Silent(), **SETTINGS).path


@pytest.mark.parametrize(
    ("features", "split"), [("pixels", "test"), pytest.param("classifier", "train", marks=pytest.mark.slow)]
)
def test_each_class_is_compared_with_real_samples_of_it(run: Path, features: str, split: str) -> None:
    asked = {"count": 5000, "split": split, "features": features, "seed": 2}
    found = api.evaluate(run, per_class=True, metrics="fid,precision,recall", progress=Silent(), **asked)
    plan, recipe = read_config(Run.open(run)), api.load(run)
    context = EvaluationContext(
        device=torch.device("cpu"), cache=plan.options.cache_folder(), world=World(), progress=None
    )
    reference = of_run(recipe, plan, EvaluationConfig(**asked), context).reference
    sides = []
    for rows, name in ((reference.rows, split), (reference.other_rows, "test" if split == "train" else "train")):
        data = open_data(run.parent / "split.npz", options=DataConfig(split=name))
        labels, images = data.labels[rows], data.real(rows)
        sides.append((torch.from_numpy(labels), reference.extractor(images).features))
    (labels, real), (others, floor) = sides
    torch.testing.assert_close(real, reference.real.features, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(floor, reference.other.features, rtol=1e-4, atol=1e-4)
    for name in ("0", "8"):
        ours = real[labels == int(name)]
        made = finished(recipe.spec, generate(recipe, len(ours), 2, controls={"label": int(name)}))
        fake = reference.extractor(made).features
        value = frechet_distance_of_features(ours, fake).value
        assert found[f"fid:{name}"].value == pytest.approx(value, rel=1e-4)
        least = floor[others == int(name)][: len(ours)]
        assert found[f"fid:{name}"].floor == pytest.approx(frechet_distance_of_features(ours, least).value, rel=1e-3)
        near = fidelity_diversity(ours, fake, k=3, k_density=5)
        assert (found[f"precision:{name}"].value, found[f"recall:{name}"].value) == (near.precision, near.recall)
        share = share_interval(near.precision, len(ours))  # Wilson's
        assert (found[f"precision:{name}"].interval.low, found[f"precision:{name}"].interval.high) == (
            share.low,
            share.high,
        )
        assert found[f"fid:{name}"].interval.low < value < found[f"fid:{name}"].interval.high
        assert found[f"fid:{name}"].settings == f"{len(ours)} generated with this label, {len(ours)} real"


def test_of_many_small_classes_the_smallest_are_named() -> None:
    sizes = [number % 20 for number in range(1, 1001)]
    labels = np.repeat(np.arange(1000), sizes)
    images = SimpleNamespace(images=SimpleNamespace(labels=labels))
    rows = np.arange(len(labels))
    reference = SimpleNamespace(splits=SimpleNamespace(real=images, other=images), rows=rows, other_rows=rows)
    recipe = SimpleNamespace(spec=SimpleNamespace(classes=tuple(f"bird {number}" for number in range(1000))))
    found: Any = class_figures(recipe, SimpleNamespace(reference=reference), EvaluationConfig(), None)  # type: ignore[arg-type]
    figures, (note,) = found
    assert figures == ()
    assert "1,000 classes, the smallest first: bird 19 (0), bird 39 (0), " in note
    assert note.endswith("bird 199 (0) and 990 more.")


@pytest.mark.slow
def test_figures_of_classes_are_added_and_change_nothing_else(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"count": 300, "features": "pixels", "progress": Silent()}
    plain = api.evaluate(run, out="plain.json", **asked)
    found = api.evaluate(run, out="classes.json", per_class=True, **asked)
    assert of_all(found.figures) == list(plain.figures)
    assert len(found.figures) - len(plain.figures) == 3 * 9  # the rare class is left out
    assert any(note.startswith("Per class, left out because they have fewer than 20 real") for note in found.notes)
    assert not any(figure.metric.endswith(":3") for figure in found.figures)
    before, now = (json.loads(Path(name).read_text()) for name in ("plain.json", "classes.json"))
    assert before.keys() == now.keys()  # what reads one reads the other
    assert {frozenset(figure) for figure in before["figures"]} == {frozenset(figure) for figure in now["figures"]}
    assert Evaluation.read(Path("classes.json")) == found
    head, *rows = class_rows(found.figures)
    assert head == ("class", "samples", "FID-pixels (lower)", "precision (higher)", "recall (higher)")
    assert [row[0] for row in rows] == [str(number) for number in range(10) if number != 3]
    lines = table.evaluation_lines(found)
    assert "Per class (in brackets real samples of it against others):" in lines
    assert sum("generated with this label" in line for line in lines) == 9  # and in no other line
    capsys.readouterr()
    assert (
        main(["evaluate", str(run), "--per-class", "--features", "pixels", "--count", "300", "--metrics", "fid"]) == 0
    )
    assert "FID-pixels of 8" in (run / "report.html").read_text()
    printed = capsys.readouterr().out
    assert "Per class" in printed
    assert "precision" not in printed.partition("Per class")[2].partition("\n\n")[0]
    assert main(["compare", str(run), "classes.json"]) == 0
    assert "FID-pixels of 8" in capsys.readouterr().out


def test_what_has_no_classes_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = api.train("digits", recipe="gan", run="plain", rounds=1, size="8", batch=8, progress=Silent()).path
    data = str(run.parent / "split.npz")
    other = {"x_train": np.load(data)["x_train"], "x_test": np.load(data)["x_test"]}
    np.savez("unlabelled.npz", **other)
    for subject, flags, sentence in (
        (plain, [], "this one generates without labels"),
        (data, ["--against", data], "--per-class is for runs"),
        (run, ["--metrics", "kid"], "names none of them"),
        (run, ["--against", "unlabelled.npz"], "has no classes"),
    ):
        capsys.readouterr()
        assert main(["evaluate", str(subject), "--per-class", *flags]) == 2, sentence
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1


def test_samples_that_are_evaluated_have_the_shares_of_the_training_labels(run: Path) -> None:
    recipe = api.load(run)
    shares = torch.tensor(recipe.spec.class_counts) / sum(recipe.spec.class_counts)
    assert shares[3] < shares.max() / 3
    drawn = torch.bincount(draw_labels(recipe.spec, 20_000, 0), minlength=10) / 20_000
    torch.testing.assert_close(drawn, shares, atol=0.01, rtol=0)
    plan = read_config(Run.open(run))
    context = EvaluationContext(device=torch.device("cpu"), cache=Path("cache"), world=World(), progress=None)
    fake = of_run(recipe, plan, EvaluationConfig(features="pixels", count=200), context).fake
    labels = draw_labels(recipe.spec, 208, 0)
    torch.manual_seed(0)
    alone = {
        number: finished(recipe.spec, generate(recipe, 200, 0, controls={"label": number})) for number in range(10)
    }
    for row in range(200):  # which class each one is of: that of the draw
        assert torch.equal(fake.images[row], alone[int(labels[row])][row])
