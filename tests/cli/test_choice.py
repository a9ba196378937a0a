"""What is trained without --recipe: chosen by the data, said in sentences, and by the minutes that there are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum import kinds, recipes
from zerosum.cli import main
from zerosum.data.clusters import named
from zerosum.data.options import DataConfig
from zerosum.data.sizes import candidates
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.training import budget
from zerosum.training.choice import FEW_IMAGES, choose, with_stabilisers


def chosen(count: int, recipe: str | None = None, **settings: object) -> tuple[RunConfig, tuple[str, ...]]:
    spec = Spec(shape=(3, 16, 16), classes=("a", "b"))
    dataset = kinds.find("images").example(spec, count)
    plan = RunConfig.read("photos", recipe or "cgan", settings)
    return choose(replace(plan, recipe_is_default=recipe is None), dataset, "cpu")


def test_every_single_kind_has_a_recipe_that_can_be_trained_on_it():
    for kind in map(kinds.find, kinds.names()):
        for shape, classes in (((3, 32, 32), ()), ((3, 32, 32), ("a", "b")), ((1, 64, 64), ()), ((1, 64, 64), ("a",))):
            assert kind.recipe is not None
            for labels in (None, "none"):
                spec = Spec(shape=shape, kind=kind.name, classes=classes)
                recipe = recipes.find(kind.recipe(spec, DataConfig(labels=labels)))
                assert kind.batch in recipe.data
                assert classes or labels is None or not getattr(recipe, "needs_labels", False)
    assert kinds.default_recipe("ring8") == "gan"
    assert kinds.default_recipe("digits") == "cgan"
    assert kinds.default_recipe("digits", DataConfig(labels="none")) == "lsgan"
    assert kinds.default_recipe("digits", DataConfig(size="64")) == "projection"


def test_few_images_are_augmented_and_many_are_not():
    few, reasons = chosen(FEW_IMAGES - 1)
    assert few.training.stabilise == "ada"
    assert "augmented, as far as it does so (--stabilise ada)" in " ".join(reasons)
    many, reasons = chosen(FEW_IMAGES)
    assert many.training.stabilise is None
    assert len(reasons) == 2
    assert f"{FEW_IMAGES:,} images of 3x16x16 in 2 classes: {many.recipe}" in reasons[0]
    assert reasons[0].endswith((" of batch 64, in float32 on cpu.", " of batch 64, in bfloat16 on cpu."))


def test_what_a_recipe_is_conditioned_on_is_called_by_its_name():
    for given, said in (({"attributes": ("smiling", "glasses")}, "attributes"), ({"classes": named(3)}, "clusters")):
        dataset = kinds.find("images").example(Spec(shape=(1, 16, 16), **given), 90)
        plan = replace(RunConfig.read("photos", "cgan", {}), recipe_is_default=True)
        assert f", conditioned on the {said}, " in choose(plan, dataset, "cpu")[1][0]


@pytest.mark.parametrize(
    ("recipe", "settings", "kind", "shape", "stabilise"),
    [
        ("lsgan", {}, "images", (1, 16, 16), "ada"),
        ("projection", {}, "images", (3, 64, 64), "ada"),
        ("cgan", {}, "images", (2, 16, 16), "diff-augment"),  # cannot be recoloured
        ("cgan", {"loss": "wasserstein"}, "images", (3, 16, 16), "diff-augment"),  # its signs say nothing
        ("pix2pix", {}, "pairs", (3, 32, 32), "diff-augment"),
        ("stackgan", {}, "captions", (3, 64, 64), "diff-augment"),
    ],
)
def test_few_images_are_augmented_adaptively_where_a_recipe_can(recipe, settings, kind, shape, stabilise):
    plan = replace(RunConfig.read("photos", recipe, settings), recipe_is_default=True)
    source = shape if kind == "pairs" else None
    spec = Spec(shape=shape, kind=kind, classes=("a", "b") if recipe == "cgan" else (), source_shape=source)
    chosen_ = with_stabilisers(plan, spec, 600)
    assert chosen_.training.stabilise == stabilise
    build_recipe(chosen_, spec)  # does not refuse it


def test_few_captioned_images_are_augmented_though_their_recipe_is_named():
    spec = Spec(shape=(3, 16, 16), kind="captions", vocabulary=("a", "red", "circle"))
    dataset = kinds.find("captions").example(spec, 600)
    for settings, stabilise in (({}, "diff-augment"), ({"stabilise": "none"}, None)):
        plan = replace(RunConfig.read("emoji", "stackgan", settings), recipe_is_default=False)
        found, reasons = choose(plan, dataset, "cpu")
        assert found.training.stabilise == stabilise
        assert ("(--stabilise diff-augment)" in " ".join(reasons)) == (stabilise is not None)


def test_what_is_asked_for_is_not_chosen():
    assert chosen(8, stabilise="instance-noise:0.1")[0].training.stabilise == "instance-noise:0.1"
    named, reasons = chosen(8, recipe="dcgan")
    assert named.training.stabilise is None
    assert reasons == ()


def test_explain_says_what_would_be_trained_and_trains_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "ring8", "--explain", "--lr", "0.5", "--recipe", "wgan_gp"]) == 0
    out = capsys.readouterr().out
    assert "Recipe: wgan_gp. Parameters: generator 33,666, critic 33,537." in out
    assert "--lr 0.5" in out
    assert "--rounds 2500" in out, "the defaults are those for points"
    assert main(["train", "ring8", "--explain"]) == 0
    assert capsys.readouterr().out.startswith("100,000 points in 8 classes: gan")
    assert main(["train", "digits", "--explain", "--labels", "none", "--batch", "16"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1,797 images of 1x32x32: lsgan, preset small, 5,000 rounds of batch 16, in ")
    assert "Samples are of a running average of the weights: --ema-decay 0.999." in out
    assert main(["train", "digits", "--explain", "--precision", "float32"]) == 0
    out = capsys.readouterr().out
    assert "Arithmetic: float32, as asked." in out
    assert "  --precision float32" in out
    assert main(["train", "--explain", "--size", "64", "digits"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1,797 images of 1x64x64 in 10 classes: projection, preset small, conditioned on the labels,")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", ["tones", "moving-shapes", "shapes3d", "captioned-shapes", "aged-digits"])
def test_explain_counts_the_parameters_of_what_any_kind_is_trained_by(data, capsys):
    recipe = ["--recipe", "age_cgan"] if data == "aged-digits" else []
    assert main(["train", data, "--explain", *recipe]) == 0
    assert "Parameters: " in capsys.readouterr().out


def test_data_can_be_trained_at_their_size_and_its_halves(tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((4, 96, 128, 3), np.uint8))
    found, count = candidates(tmp_path / "wide.npy", DataConfig())
    sizes = [spec.shape for spec in found]
    assert count == 4
    assert sizes == [(3, 24, 32), (3, 48, 64), (3, 96, 128)]
    assert [spec.shape for spec in candidates(tmp_path / "wide.npy", DataConfig(size="16"))[0]] == [(3, 16, 16)]
    assert candidates("ring8", DataConfig()) == ([], 0)


@pytest.mark.parametrize(("minutes", "size"), [(1, "16x16"), (10, "32x32"), (1000, "64x64")])
def test_minutes_choose_the_largest_size_that_sees_enough_images(minutes, size, tmp_path, monkeypatch):
    specs = [Spec(shape=(1, side, side)) for side in (16, 32, 64)]
    monkeypatch.setattr(budget, "candidates", lambda *_: (specs, 60_000))
    cost = {16: 0.01, 32: 0.2, 64: 2.0}
    monkeypatch.setattr(budget, "measure", lambda plan, spec, _: budget.Trial(plan, spec, cost[spec.shape[1]]))
    plan = RunConfig.read("photos", "dcgan", {"batch": 64})
    found, (sentence,) = budget.within(plan, minutes, torch.device("cpu"))
    assert found.options.size == size
    seconds = cost[int(size.partition("x")[0])]
    assert found.config.rounds == int(0.9 * 60 * minutes / seconds)
    assert found.asked["rounds"] == found.config.rounds
    assert f"{found.config.rounds:,} rounds of batch 64 at {size}" in sentence
    assert ("would need" in sentence) == (size != "64x64")


@pytest.mark.parametrize(
    ("count", "recipe", "played"), [(607, None, "ada"), (60_000, None, None), (607, "dcgan", None)]
)
def test_a_trial_is_stabilised_as_the_run_will_be(count, recipe, played, monkeypatch):
    tried = []
    monkeypatch.setattr(budget, "candidates", lambda *_: ([Spec(shape=(1, 16, 16))], count))
    monkeypatch.setattr(
        budget, "measure", lambda plan, spec, _: tried.append(plan) or budget.Trial(plan, spec, seconds=0.01)
    )
    found, _ = budget.within(
        replace(RunConfig.read("photos", "dcgan", {}), recipe_is_default=recipe is None), 1, torch.device("cpu")
    )
    assert [plan.training.stabilise for plan in tried] == [played]
    assert found.training.stabilise is None  # it is chosen later, with a reason


def test_a_trial_plays_the_recipe_and_leaves_the_random_state_alone(monkeypatch):
    monkeypatch.setattr(budget, "TRIAL_SECONDS", 0.0)
    before = torch.get_rng_state()
    trial = budget.measure(
        RunConfig.read("photos", "dcgan", {"batch": 4, "width": 4}), Spec(shape=(1, 16, 16)), torch.device("cpu")
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert 0 < trial.seconds < 10
    assert replace(trial, seconds=1.0).images(10) == 540 * 4


STYLES = {"base": 64, "max_channels": 4, "latent_dim": 4}
SECONDS = {"path_loss": 3.0, "r1_loss": 5.0}
"""Of moves whose loss is called so, by a clock that they wind; others take 1."""


@pytest.mark.parametrize("tried", [0.0, 200.0])
@pytest.mark.parametrize(
    ("recipe", "settings", "period", "seconds"),
    [
        ("wgan", {"width": 4}, 500, 499 * 6 + 101),
        ("stylegan2", STYLES | {"path_length": 0.0}, 16, 16 * 2 + 5),
        ("stylegan2", STYLES | {"path_length": 2.0}, 16, 16 * 2 + 4 * 3 + 5),
        ("stylegan2", STYLES | {"path_length": 2.0, "path_every": 3, "r1_every": 5}, 15, 15 * 2 + 5 * 3 + 3 * 5),
        ("stylegan2", STYLES | {"path_length": 2.0, "path_every": 1, "r1_every": 1}, 1, 2 + 3 + 5),
        ("stylegan2", STYLES | {"gamma": 0.0}, 1, 2),
    ],
)
def test_a_trial_counts_rare_rounds_by_how_rare_they_are(recipe, settings, period, seconds, tried, monkeypatch):
    now, move = [0.0], Game.move

    def timed(game, player, loss, *given, **named):
        now[0] += SECONDS.get(loss.__name__, 1.0)
        return move(game, player, loss, *given, **named)

    monkeypatch.setattr(Game, "move", timed)
    monkeypatch.setattr(budget, "TRIAL_SECONDS", tried)
    plan = RunConfig.read("photos", recipe, {"batch": 4, **settings})
    trial = budget.measure(plan, Spec(shape=(1, 8, 8)), torch.device("cpu"), clock=lambda: now[0])
    assert sum(trial.seconds * trial.cost(number) for number in range(5000, 5000 + period)) == pytest.approx(seconds)
    whole = trial.rounds(10_000) - trial.rounds(5_000)
    assert whole == pytest.approx(budget.SHARE * 60 * 5_000 * period / seconds, rel=1e-3)


def test_long_rounds_at_the_start_are_part_of_the_time():
    recipe = build_recipe(RunConfig.read("photos", "wgan", {"width": 4}), Spec(shape=(1, 8, 8)))
    trial = budget.Trial(RunConfig.read("photos", "wgan", {}), recipe.spec, 6.0, recipe.cost)
    for minutes in (1, 30, 300, 3000, 30_000):
        played = trial.rounds(minutes)
        moves = sum(recipe.critic_moves(number) + 1 for number in range(played))
        assert moves <= 54 * minutes * 1.001 + (played == 1) * 101
        assert moves + 101 > 54 * minutes * 0.98, "and not many fewer than fit"


def test_an_option_that_is_a_number_among_names_leaves_the_choice_to_the_data(tmp_path, capsys):
    np.save(tmp_path / "scans.npy", np.random.default_rng(0).integers(0, 4096, (8, 16, 16)).astype(np.uint16))
    for depth in ("8", "16"):
        assert main(["train", str(tmp_path / "scans.npy"), "--depth", depth, "--explain"]) == 0
        assert "8 images of 1x16x16: cgan" in capsys.readouterr().out


def test_minutes_and_rounds_together_are_refused(capsys):
    assert main(["train", "digits", "--minutes", "1", "--rounds", "3"]) == 2
    assert capsys.readouterr().err == "--minutes chooses the number of rounds: leave out --rounds 3, or it.\n"
    assert main(["train", "ring8", "--minutes", "1"]) == 2
    assert "--minutes needs images, and ring8 is made of points: give --rounds." in capsys.readouterr().err
    monkey = Spec(shape=(1, 15, 15))
    with pytest.raises(InputError, match="cannot be halved"):
        budget.measure(RunConfig.read("photos", "dcgan", {}), monkey, torch.device("cpu"))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ("0", "--minutes is 0, but should be greater than 0.\n"),
        ("-1", "--minutes is -1, but should be greater than 0.\n"),
        ("nan", "--minutes is nan, but should be a finite number.\n"),
        ("inf", "--minutes is inf, but should be a finite number.\n"),
        ("1e300", "--minutes is 1e+300, but should be less than or equal to 10000000.\n"),
    ],
)
def test_minutes_that_are_no_length_of_time_are_refused(minutes, expected, capsys):
    for command in ("train", "tune"):
        assert main([command, "digits", f"--minutes={minutes}"]) == 2
        assert capsys.readouterr().err == expected
    with pytest.raises(InputError, match=r"--minutes is .*, but should be greater than 0 and at most 10,000,000"):
        budget.within(RunConfig.read("digits", "dcgan", {}), float(minutes), torch.device("cpu"))


def test_one_round_in_one_minute_is_said_in_the_singular():
    trial = budget.Trial(RunConfig.read("digits", "dcgan", {"batch": 64}), Spec(shape=(1, 16, 16)), 54.0)
    assert budget._sentence(trial, None, 1) == (
        "In 1 minute this machine plays 1 round of batch 64 at 16x16 (54 s each, 64 images)."
    )


def test_a_run_by_minutes_keeps_its_rounds_and_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(budget, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(budget, "SHARE", 0.01)
    command = [
        "train",
        "digits",
        "--minutes",
        "0.5",
        "--recipe",
        "dcgan",
        "--width",
        "4",
        "--run",
        "r",
        "--batch",
        "16",
    ]
    assert main(command) == 0
    kept = json.loads((tmp_path / "r" / "run.json").read_text())
    assert kept["config"]["rounds"] >= 1
    assert kept["data_options"]["size"] == "32x32"
    assert main(["train", "--resume", "r"]) == 0


def test_a_check_of_large_images_says_what_an_hour_here_can_train(tmp_path, monkeypatch, capsys):
    specs = [Spec(shape=(3, side, side)) for side in (32, 64, 128)]
    monkeypatch.setattr(budget, "candidates", lambda *_: (specs, 60_000))
    monkeypatch.setattr(
        budget, "measure", lambda plan, spec, _: budget.Trial(plan, spec, {32: 0.01, 64: 0.5, 128: 50.0}[spec.shape[1]])
    )
    np.save(tmp_path / "large.npy", np.random.default_rng(0).integers(0, 255, (4, 128, 128, 3), np.uint8))
    assert main(["data", "check", str(tmp_path / "large.npy")]) == 0
    out = capsys.readouterr().out
    assert "recommended: --size 128" in out
    assert "In 60 minutes this machine plays 6,480 rounds" in out
    assert "at 64x64" in out
    assert "128x128 would need" in out
    assert "zerosum train DATA --minutes 60" in out


def test_data_that_are_not_there_are_refused_before_a_recipe_is_chosen(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
