"""Games learn: against the untrained game, against a stated bar, and against each other."""

from __future__ import annotations

import pytest
import torch

import zerosum
from bench.learning import EQUAL, GRID, count_modes, pixel_features, play, samples_of
from zerosum import recipes
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.runtime import device
from zerosum.runtime.progress import Silent

pytestmark = pytest.mark.slow


def test_an_unrolled_game_keeps_more_modes_of_the_ring_than_the_plain_one():
    ring = open_data("ring8")
    for seed in (0, 1):
        gan = count_modes("ring8", play(ring, "gan", 3000, seed=seed, **EQUAL, dropout=0.0)[0])
        plain = count_modes("ring8", play(ring, "unrolled", 3000, seed=seed, **EQUAL, steps=0)[0])
        unrolled = count_modes("ring8", play(ring, "unrolled", 3000, seed=seed, **EQUAL, steps=5)[0])
        assert unrolled.found >= 6
        assert unrolled.found > max(gan.found, plain.found)


def test_wgan_gp_learns_the_digits_and_its_estimate_falls():
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    _, logged = play(digits, "wgan_gp", 400, width=16, precision=precision)
    assert logged[-1]["critic/distance"] < 0.8 * max(values["critic/distance"] for values in logged)
    assert all(abs(values["critic/loss"]) < 1e3 for values in logged)


def test_wgan_learns_the_digits_with_clipped_weights():
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    features, real = pixel_features(digits)
    settings = {"width": 16, "long_n_critic": 10, "ema_decay": 0.9, "lr": 2e-4}
    far, near = (
        frechet_distance_of_features(
            real, features(samples_of(play(digits, "wgan", rounds, precision=precision, **settings)[0]))
        ).value
        for rounds in (1, 150)
    )
    assert near < far / 2


def test_wgan_gp_finds_the_grid_and_its_estimate_falls():
    grid = open_data("grid25")
    untrained, _ = play(grid, "wgan_gp", 1, **GRID)
    game, logged = play(grid, "wgan_gp", 2000, **GRID)
    before, after = count_modes("grid25", untrained), count_modes("grid25", game)
    assert after.found >= 20 > 2 * before.found
    assert after.high_quality > 5 * before.high_quality
    assert logged[-1]["critic/distance"] < 0.5 * max(values["critic/distance"] for values in logged)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("recipe", "modes", "share"),
    [
        ("gan", 8, 0.3),
        ("wgan_gp", 8, 0.6),
        ("unrolled", 8, 0.3),
        ("infogan", 6, 0.2),
        ("dcgan", 7, 0.5),
        ("lsgan", 6, 0.6),
        ("wgan", 6, 0.2),
        ("cgan", 8, 0.6),
    ],
)
def test_the_defaults_find_the_modes_of_the_ring(recipe, modes, share, seed, tmp_path):
    run = zerosum.train("ring8", recipe=recipe, run=tmp_path / "run", progress=Silent(), seed=seed)
    found = zerosum.evaluate(run.path, metrics="modes,high-quality", progress=Silent())
    assert found["modes"].value >= modes
    assert found["high-quality"].value >= share


@pytest.mark.parametrize(("recipe", "rounds"), [("dcgan", 1000), ("lsgan", 1000)])
def test_a_convolutional_game_learns_the_digits(recipe, rounds):
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    features, real = pixel_features(digits)
    far, near = (
        frechet_distance_of_features(
            real, features(samples_of(play(digits, recipe, played, precision=precision, width=16, ema_decay=0.99)[0]))
        ).value
        for played in (1, rounds)
    )
    assert near < far / 4


@pytest.mark.parametrize(
    ("recipe", "rounds", "settings"),
    [
        ("sngan", 200, {"lr_hold": 1.0}),
        ("sngan", 500, {"lr_hold": 1.0, "form": "dcgan"}),
        ("projection", 200, {"lr_hold": 1.0}),
        ("biggan", 200, {}),
    ],
)
def test_games_under_spectral_norm_learn_the_digits(recipe, rounds, settings):
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    features, real = pixel_features(digits)
    far, near = (
        frechet_distance_of_features(
            real, features(samples_of(play(digits, recipe, played, precision=precision, ema_decay=0.98, **settings)[0]))
        ).value
        for played in (1, rounds)
    )
    assert near < far / 2


def test_r3gan_finds_the_grid():
    grid = open_data("grid25")
    settings = recipes.find("r3gan").Config.for_kind("points").to_json()
    rounds = settings.pop("rounds") * 3 // 4
    untrained, _ = play(grid, "r3gan", 1, **settings)
    game, logged = play(grid, "r3gan", rounds, **settings)
    before, after = count_modes("grid25", untrained), count_modes("grid25", game)
    assert after.found >= 22 > 2 * before.found
    assert after.high_quality > 5 * before.high_quality
    assert all(abs(values["discriminator/loss"]) < 10 for values in logged)


@pytest.mark.parametrize(
    ("recipe", "rounds", "settings"),
    [
        ("r3gan", 300, {"widths": (32, 16), "ema_half_life": (0.0, 500.0)}),
        ("stylegan2", 300, {"max_channels": 32, "mixing": 0.0, "ema_half_life": 500.0}),
    ],
)
def test_small_networks_learn_the_digits_with_their_labels(recipe, rounds, settings):
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    features, real = pixel_features(digits)
    assert digits.spec.classes
    far, near = (
        frechet_distance_of_features(
            real, features(samples_of(play(digits, recipe, played, precision=precision, **settings)[0]))
        ).value
        for played in (1, rounds)
    )
    assert near < far / 2
