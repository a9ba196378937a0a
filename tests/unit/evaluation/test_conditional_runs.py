"""A run of a conditional recipe: labels in run.json, in samples, in previews, as a control, in CAS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import api, recipes
from zerosum.cli import main
from zerosum.data.batch import Images
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import of_run
from zerosum.evaluation.measures import labels as measures_of_labels
from zerosum.evaluation.measures import perceptual
from zerosum.inference.generate import SAMPLES, draw_labels, finished, generate, stream
from zerosum.inference.sample import interpolate
from zerosum.kinds import open_data
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run
from zerosum.runtime import rng
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Silent

HERE = Path(__file__).parents[2] / "conditional_recipe"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A conditional run on digits of which one class is rare, with a held-out split."""
    digits = open_data("digits", options=DataConfig(size="16"))
    images, labels = digits.samples[..., 0], digits.labels
    train = np.flatnonzero((labels != 0) | (np.arange(len(labels)) % 4 == 0))[:1200]
    place = tmp_path_factory.mktemp("conditional")
    arrays = {"x_train": images[train], "y_train": labels[train], "x_test": images[1500:], "y_test": labels[1500:]}
    np.savez(place / "split.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "__path__", [*recipes.__path__, str(HERE)])
        settings = {"rounds": 1500, "batch": 32, "latent_dim": 8, "save_every": 1500, "preview_every": 1500}
        data = place / "split.npz"
        yield api.train(data, recipe="conditional_gan", run=place / "run", progress=Silent(), **settings)


def context() -> EvaluationContext:
    return EvaluationContext(device=torch.device("cpu"), cache=Path("cache"), world=World(), progress=None)


def test_class_counts_are_those_of_the_training_data_and_older_runs_have_none(run: Run) -> None:
    labels = np.load(run.path.parent / "split.npz")["y_train"]
    spec = read_spec(run)
    assert spec.class_counts == tuple(np.bincount(labels).tolist())
    assert spec.class_counts[0] < min(spec.class_counts[1:]) / 2
    older = Run(Path("older"))
    older.path.mkdir()
    description = json.loads((run.path / "run.json").read_text())
    del description["spec"]["class_counts"]
    older.describe(description)
    assert read_spec(Run.open("older")).class_counts == ()


def test_a_run_that_did_not_count_its_classes_is_resumed() -> None:
    settings = {"size": "8", "batch": 8, "generator_hidden": (8,), "discriminator_hidden": (8,)}
    begun = api.train("digits", recipe="gan", run="begun", rounds=1, progress=Silent(), **settings)
    description = json.loads((begun.path / "run.json").read_text())
    assert len(description["spec"].pop("class_counts")) == 10
    begun.describe(description)
    assert api.resume("begun", rounds=2, progress=Silent()).latest().name == "00000002"


def test_samples_have_the_shares_of_the_training_labels_and_numbers_of_their_own(run: Run) -> None:
    spec = read_spec(run)
    drawn = draw_labels(spec, 40_000, seed=1)
    shares = torch.bincount(drawn, minlength=10) / len(drawn)
    expected = torch.tensor(spec.class_counts) / sum(spec.class_counts)
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)
    assert torch.equal(draw_labels(spec, 40, seed=1), drawn[:40])
    recipe, before = api.load(run.path), torch.get_rng_state()
    samples = generate(recipe, 40, 3)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(samples[:20], generate(recipe, 20, 3))
    torch.manual_seed(
        rng.derived(3, SAMPLES)
    )  # labels come from elsewhere, so latents are those of an unconditional recipe
    latent = torch.cat([recipe.prior(16) for _ in range(3)])[:40]
    with torch.no_grad():
        again = recipe.sample(40, latent=latent, labels=draw_labels(spec, 40, 3))
    torch.testing.assert_close(samples, again)
    halves = [list(stream(recipe, 40, 3, rank=rank, world=2)) for rank in range(2)]
    assert torch.equal(torch.cat([halves[0][0], halves[1][0], halves[0][1]])[:40], samples)


def test_fake_and_real_samples_have_the_same_labels(run: Run) -> None:
    recipe = api.load(run.path)
    batch = Images(image=torch.rand(20, 1, 16, 16), label=torch.arange(10).repeat(2))
    made = []
    for draw in (
        lambda: recipe.fake_and_real(batch)[0],
        lambda: recipe.sample(20, labels=batch.label),
        lambda: recipe.sample(20, labels=batch.label.flip(0)),
    ):
        torch.manual_seed(0)
        made.append(draw())
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert recipe.fake_and_real(batch)[1] is batch.image


def test_a_label_is_a_control_on_the_command_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "__path__", [*recipes.__path__, str(HERE)])
        assert main(["sample", str(run.path), "-n", "2", "--label", "3", "--out", "three"]) == 0
        assert main(["sample", str(run.path), "-n", "2", "--label", "10", "--out", "ten"]) == 2
    assert "--label is 10, and this model has no such class: give one of 0, 1," in capsys.readouterr().err
    recipe = api.load(run.path)
    assert not torch.equal(
        generate(recipe, 4, 0, controls={"label": "3"}), generate(recipe, 4, 0, controls={"label": 4})
    )
    with pytest.raises(InputError, match="no control 'labels'"):
        generate(recipe, 4, 0, controls={"labels": torch.zeros(4)})
    assert interpolate(recipe, corners=2, frames=4, seed=0, chosen={}).shape == (4, 1, 16, 16)


def test_samples_of_a_run_keep_their_labels_and_give_a_classification_accuracy(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures_of_labels, "SEEN", 3000)
    recipe = api.load(run.path)
    config = EvaluationConfig(features="pixels", count=200)
    comparison = of_run(recipe, read_config(run), config, context())
    labelled = comparison.labelled()
    assert np.array_equal(labelled.labels, draw_labels(recipe.spec, 200, 0).numpy())
    assert torch.equal(labelled.real(np.arange(200)), comparison.fake.images)
    assert torch.equal(comparison.fake.images, finished(recipe.spec, generate(recipe, 200, 0)))
    found = api.evaluate(run.path, features="pixels", count=200, metrics="cas", progress=Silent())
    assert found["cas"].value > 0.25  # ten classes: 0.1 by chance
    assert found["cas"].floor > found["cas"].value


def test_both_ends_of_a_step_on_a_path_have_one_class(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, "PAIRS", 100)
    found = api.evaluate(run.path, features="classifier", count=60, metrics="ppl", progress=Silent())
    assert 0 < found["ppl"].value < 1e4  # two classes 1e-4 apart would be 1e8 times their distance
