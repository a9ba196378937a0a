"""`zerosum evaluate` and `zerosum compare`: tables, files, refusals; and evaluation while a run is trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.conftest import assert_same_checkpoint, measured
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.result import Evaluation
from zerosum.kinds import open_data
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

QUICK = ("--features", "pixels", "--count", 60, "--metrics", "fid,coverage,authenticity")
DIGITS = {"size": "16", "width": 4, "batch": 16, "save_every": 2, "log_every": 1, "progress": Silent()}
WATCHED = {**DIGITS, "evaluate_every": 2, "evaluate_count": 32, "evaluate_features": "pixels"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on digits that differ by their seed, and one on points."""
    root = tmp_path_factory.mktemp("runs")
    for name, seed in (("a", 0), ("b", 1)):
        api.train("digits", recipe="dcgan", run=root / name, rounds=2, seed=seed, **DIGITS)
    api.train("ring8", recipe="gan", run=root / "ring", rounds=2, progress=Silent(), **SMALL["gan"])
    return root


def folder(name: str, rows: np.ndarray) -> str:
    """A folder of some of the digits, 16 pixels a side."""
    Path(name).mkdir()
    images = open_data("digits").samples[rows]
    for index, image in enumerate(images):
        Image.fromarray(image[..., 0]).resize((16, 16), Image.Resampling.LANCZOS).save(f"{name}/{index:04d}.png")
    return name


def test_a_run_is_evaluated_with_protocol_floor_and_interval(runs: Path, zerosum: Any) -> None:
    said = zerosum("evaluate", runs / "a", *QUICK)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    lines = lines[:1] + lines[lines.index("") :]  # without the verdict
    assert lines[0] == f"{runs / 'a'} after round 2"
    assert lines[2].split() == ["metric", "value", "real", "against", "real", "interval", "better"]
    assert [line.split()[0] for line in lines[3:6]] == ["FID-pixels", "coverage", "authenticity"]
    assert "60 samples of 1x16x16 against 60 real ones: digits, split train. Seed 0." in said.out
    assert "other samples of train" in said.out
    assert "60 generated samples are no more than the 256 features" in said.out
    assert "The run was trained on these real samples (split train)" in said.out
    found = Evaluation.read(runs / "a" / "evaluation.json")
    fid = found["fid"]
    assert fid.value > 5 * fid.floor > 0
    assert fid.interval.low < fid.value < fid.interval.high
    assert (found.round, found.protocol.extractor, found.protocol.fake) == (2, "pixels", 60)
    assert "FID-pixels" in (runs / "a" / "report.html").read_text()


def test_evaluating_twice_gives_the_same_numbers_and_another_seed_others(runs: Path) -> None:
    asked = {"features": "pixels", "count": 40, "metrics": "fid,kid,js", "out": Path("out.json"), "progress": Silent()}
    first, again, other = (api.evaluate(runs / "a", seed=seed, **asked) for seed in (0, 0, 1))
    assert first == again == Evaluation.read(Path("out.json")) or first == again
    assert first["fid"].value != other["fid"].value
    assert Evaluation.read(Path("out.json")) == other


def test_the_samples_evaluated_are_those_that_sample_makes(runs: Path) -> None:
    from zerosum.data.batch import to_uint8
    from zerosum.inference.generate import finished, generate, stream

    recipe = api.load(runs / "a")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    made = torch.cat([finished(recipe.spec, samples) for samples in stream(recipe, 40, 3)])[:40]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(made, to_uint8(generate(recipe, 40, 3)))


def test_real_images_in_a_folder_lie_about_the_floor_and_half_of_the_classes_do_not(zerosum: Any) -> None:
    labels = open_data("digits").labels
    everything = folder("all", np.arange(1500, 1797))
    low = folder("low", np.flatnonzero(labels < 5)[-290:])
    asked = ("--against", "digits", "--size", 16, "--features", "pixels", "--metrics", "fid,recall", "--count", 290)
    found = {}
    for name in (everything, low):
        said = zerosum("evaluate", name, *asked, "--out", f"{name}.json")
        assert said.code == 0, said.err
        found[name] = Evaluation.read(Path(f"{name}.json"))
    assert found["all"]["fid"].value < 2 * found["all"]["fid"].floor < found["low"]["fid"].value
    assert found["low"]["recall"].value < found["all"]["recall"].value - 0.2
    said = zerosum("compare", "all.json", "low.json")
    assert said.code == 0
    (row,) = [line for line in said.out.splitlines() if line.startswith("FID-pixels")]
    assert "* (" in row.split("lower")[1]


def test_runs_of_one_protocol_are_compared_and_others_refused(runs: Path, zerosum: Any) -> None:
    for name in ("a", "b"):
        assert zerosum("evaluate", runs / name, *QUICK).code == 0
    said = zerosum("compare", runs / "a", runs / "b")
    assert said.code == 0, said.err
    head, *rows = said.out.splitlines()[:4]
    assert head.split()[-6:] == ["a,", "round", "2", "b,", "round", "2"]
    assert rows[0].startswith("FID-pixels")
    assert rows[0].count("*") == 1
    for change, differ in (
        (("--count", 50), "they differ in the number of real samples (60 and 50)"),
        (("--features", "random"), "they differ in the features (pixels and random)"),
    ):
        assert zerosum("evaluate", runs / "b", *QUICK, *change).code == 0
        said = zerosum("compare", runs / "a", runs / "b")
        assert said.code == 2
        assert differ in said.err
        assert f"by zerosum evaluate {runs / 'b'} --against digits --split train --count 60" in said.err
    command = said.err.partition(", by zerosum ")[2].split()
    assert zerosum(*command, "--metrics", "fid,coverage,authenticity").code == 0
    assert zerosum("compare", runs / "a", runs / "b").code == 0


def test_a_run_that_was_not_evaluated_says_the_command_or_is_evaluated(runs: Path, zerosum: Any) -> None:
    said = zerosum("compare", runs / "ring")
    assert (said.code, said.err.strip()) == (
        2,
        f"{runs / 'ring'} was not evaluated yet: zerosum evaluate {runs / 'ring'}",
    )
    (found,) = api.compare(runs / "ring", against="ring8", count=200, progress=Silent())
    assert found.protocol.split == "test"
    assert found["modes"].floor == 8


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--metrics", "is", "--features", "pixels"), "use --features classifier or inception"),
        (("--metrics", "psnr", "--features", "pixels"), "psnr is unavailable here"),
        (("--metrics", "fit"), "did you mean fid?"),
        (("--features", "inceptoin"), "did you mean inception?"),
        (("--against", "nowhere"), "There is no file or folder"),
        (("--split", "test"), "digits has no split test"),
        (("--size", 32), "--size 32 is for folders"),
        (("--against", "ring8", "--features", "pixels"), "ring8"),
        (("--checkpoint", "best"), "keeps no best checkpoint: train with --evaluate-every"),
    ],
)
def test_what_cannot_be_asked_of_a_run_is_one_sentence(
    runs: Path, zerosum: Any, arguments: tuple[object, ...], sentence: str
) -> None:
    said = zerosum("evaluate", runs / "a", "--count", 20, *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_what_plays_with_the_runs_players_is_taken_where_it_is_asked_for(runs: Path) -> None:
    names = "duality-gap,discriminator-auc"
    found = api.evaluate(runs / "ring", metrics=names, count=60, out="played.json", progress=Silent())
    assert [figure.metric for figure in found.figures] == ["discriminator-auc", "duality-gap"]
    assert found["duality-gap"].value > found["duality-gap"].interval.low > 0
    assert found["discriminator-auc"].value == pytest.approx(0.5, abs=0.2)
    with pytest.raises(InputError, match="linear-probe is unavailable here: it needs images with labels"):
        api.evaluate(runs / "ring", metrics="linear-probe", count=20, progress=Silent())


def test_a_labelled_split_that_was_not_trained_on_probes_the_discriminator() -> None:
    digits = open_data("digits", options=DataConfig(size="16"))
    images, labels = digits.samples[..., 0], digits.labels
    np.savez("split.npz", x_train=images[:400], y_train=labels[:400], x_test=images[400:600], y_test=labels[400:600])
    run = api.train("split.npz", recipe="dcgan", run="probed", rounds=2, **{**DIGITS, "size": None})
    found = api.evaluate(run.path, metrics="linear-probe,class-balance", count=60, progress=Silent())
    assert (found.protocol.split, found.protocol.extractor) == ("test", "classifier")
    assert 0.3 < found["linear-probe"].value < 1
    assert found["class-balance"].floor < 0.3


def test_a_name_may_be_evaluated_as_a_folder_may(zerosum: Any) -> None:
    said = zerosum(
        "evaluate", "digits", "--against", "digits", "--features", "pixels", "--metrics", "fid", "--count", 30
    )
    assert said.code == 0, said.err
    assert said.out.startswith("digits\n")
    assert "No labels" not in said.out
    assert "digits is compared with itself" in said.out


def test_a_folder_needs_data_to_be_held_against(zerosum: Any) -> None:
    said = zerosum("evaluate", folder("some", np.arange(4)))
    assert (said.code, "--against DATA" in said.err) == (2, True)
    said = zerosum("evaluate", "nothing", "--against", "digits")
    assert (said.code, "There is no file or folder" in said.err) == (2, True)
    said = zerosum("evaluate", "nothing")
    assert (said.code, "There is no run, folder or file nothing" in said.err) == (2, True)


def coloured(root: Path) -> Path:
    """Write a folder of the splits train and test, of 12 images each."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for index in range(12):
            path = root / split / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    return root


COLOURING = {"recipe": "pix2pix", "rounds": 2, "batch": 2, "degrade": "gray", "progress": Silent(), **SMALL["pix2pix"]}


def test_a_run_on_pairs_is_measured_against_held_out_targets(tmp_path: Path) -> None:
    run = api.train(coloured(tmp_path / "pairs"), run="run", **COLOURING)
    found = api.evaluate(run.path, features="random", progress=Silent())
    assert (found.protocol.split, found.protocol.against, found.protocol.fake) == ("test", "split train", 12)
    assert found["psnr"].value > 5
    assert found["psnr"].floor is None
    assert {"fid", "ssim", "l1"} <= {figure.metric for figure in found.figures}
    assert "authenticity" not in {figure.metric for figure in found.figures}
    assert not any("trained on the very sources" in note for note in found.notes)
    found = api.evaluate(run.path, features="random", metrics="psnr", split="train", progress=Silent())
    assert any("trained on the very sources that it is compared with (split train)" in note for note in found.notes)


def test_other_data_become_pairs_as_in_training(tmp_path: Path) -> None:
    data = coloured(tmp_path / "pairs")
    run = api.train(data, run="run", **COLOURING)
    (data / "test").rename(tmp_path / "others")
    found = api.evaluate(
        run.path, against=str(tmp_path / "others"), metrics="psnr", features="random", progress=Silent()
    )
    assert (found.protocol.data, found.protocol.fake) == (str(tmp_path / "others"), 6)
    assert found["psnr"].value > 5


def test_each_source_has_one_result_and_no_other_count_is_offered(tmp_path: Path) -> None:
    run = api.train(coloured(tmp_path / "pairs"), run="run", **COLOURING)
    found = api.evaluate(run.path, features="random", metrics="psnr", progress=Silent())
    assert "12 real samples a side, because the data have no more: --count 5000 is not reached." in found.notes
    with pytest.raises(InputError, match="--fake-count is for runs that make samples from nothing"):
        api.evaluate(run.path, features="random", fake_count=12, progress=Silent())


def test_a_split_whose_sources_have_other_channels_is_left_out_or_refused(tmp_path: Path) -> None:
    data = coloured(tmp_path / "pairs")
    for split in ("train", "test"):
        for path in (data / split).iterdir():
            for side in "AB":
                gray = (side, split) == ("A", "train")
                (data / f"{split}{side}").mkdir(exist_ok=True)
                Image.open(path).convert("L" if gray else "RGB").save(data / f"{split}{side}" / path.name)
        shutil.rmtree(data / split)
    run = api.train(data, run="run", **{**COLOURING, "degrade": None})
    found = api.evaluate(run.path, features="random", metrics="psnr", progress=Silent())
    said = "Split test is left out: its sources have the shape (3, 16, 16) and those of split train (1, 16, 16)."
    assert (said in found.notes, found.protocol.split) == (True, "train")
    refusal = r"The run has sources of shape \(1, 16, 16\) and split test of .* has \(3, 16, 16\)"
    with pytest.raises(InputError, match=refusal):
        api.evaluate(run.path, features="random", metrics="psnr", split="test", progress=Silent())


def test_evaluation_in_training_changes_nothing_else_and_keeps_the_best() -> None:
    plain = api.train("digits", recipe="dcgan", run="plain", rounds=5, **DIGITS)
    watched = api.train("digits", recipe="dcgan", run="watched", rounds=5, **WATCHED)
    assert_same_checkpoint(plain.checkpoint(5), watched.checkpoint(5))
    key = "evaluation/fid-pixels"
    curve = {row["round"]: row[key] for row in watched.history() if key in row}
    assert list(curve) == [2, 4, 5]
    assert checkpoint.played(watched.best) == min(curve, key=curve.get)
    assert all(torch.isfinite(p).all() for p in api.load("watched", checkpoint="best").parameters())
    assert [path.name for path in watched.checkpoints()] == ["00000002", "00000004", "00000005"]


def test_a_resumed_run_remembers_the_best_and_measures_the_same() -> None:
    straight = api.train("digits", recipe="dcgan", run="straight", rounds=6, best="recall", **WATCHED)
    api.train("digits", recipe="dcgan", run="stopped", rounds=3, best="recall", **WATCHED)
    stopped = Run(Path("stopped"))
    stopped.rewind(2)
    (stopped.checkpoint(3) / "checkpoint.json").unlink()
    for path in stopped.checkpoint(3).iterdir():
        path.unlink()
    stopped.checkpoint(3).rmdir()
    api.resume("stopped", rounds=6, progress=Silent())
    assert measured(stopped.path) == measured(straight.path)
    assert_same_checkpoint(stopped.checkpoint(6), straight.checkpoint(6))
    assert checkpoint.played(stopped.best) == checkpoint.played(straight.best)


def test_a_best_that_cannot_be_had_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InputError, match="--best psnr is unavailable for this run during training: choose of fid"):
        api.train("digits", recipe="dcgan", run="run", rounds=2, best="psnr", **WATCHED)
    with pytest.raises(InputError, match="--best fid,recall names several metrics"):
        api.train("digits", recipe="dcgan", run="run", rounds=2, best="fid,recall", **WATCHED)
    assert not Path("run").exists()


def test_what_is_no_evaluation_is_refused(zerosum: Any) -> None:
    Path("other.json").write_text(json.dumps({"format": 7}))
    said = zerosum("compare", "other.json")
    assert (said.code, "is no evaluation" in said.err) == (2, True)
    assert zerosum("compare", "absent").code == 2
