"""For every sign a small game that has the failure, and what a remedy's flags make of the sign's measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zerosum
from tests.unit.doctor.test_signs_replay import dirac
from zerosum.data.options import DataConfig
from zerosum.doctor import Evidence, Facts, Finding, signs
from zerosum.doctor.examine import examine
from zerosum.doctor.facts import facts_of
from zerosum.kinds import open_data
from zerosum.run.history import History
from zerosum.runtime.progress import Silent

Settings = Mapping[str, Any]
RARELY = {"watch_every": 0, "save_every": 10**6, "preview_every": 10**6}
GAN = {"recipe": "gan", "generator_hidden": (16,), "discriminator_hidden": (16,), "batch": 32}
IMAGES = GAN | {"size": "16", "generator_hidden": (32,), "discriminator_hidden": (32,)}
NARROW = {"recipe": "dcgan", "size": "16", "width": 4}


def trained(data: str, settings: Settings, folder: Path) -> Evidence:
    """Evidence of a run."""
    run = zerosum.train(data, run=folder / "run", progress=Silent(), device="cpu", **RARELY | dict(settings))
    return Evidence(history=run.history(), facts=facts_of(run.description))


def on_few_images(_: str, settings: Settings, folder: Path) -> Evidence:
    """Evidence of a run on 16 digits."""
    folder.mkdir()
    np.save(folder / "few.npy", np.asarray(open_data("digits").samples)[:16])
    return trained(str(folder / "few.npy"), settings, folder)


def on_random_images(_: str, settings: Settings, folder: Path) -> Evidence:
    """Evidence of a run on 64 images of noise."""
    folder.mkdir()
    np.save(folder / "noise.npy", np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1), dtype=np.uint8))
    return trained(str(folder / "noise.npy"), settings, folder)


def circling(_: str, settings: Settings, folder: Path) -> Evidence:
    """Evidence of the Dirac-GAN, with the gradient penalty that the settings name."""
    name, _, strength = str(settings.get("stabilise", "r1:0")).partition(":")
    assert name == "r1"
    facts = Facts(objective="logistic", rounds=3_000, shape=(1,), flags=frozenset({"stabilise"}))
    return Evidence(history=History(dirac(float(strength))), facts=facts)


def with_opacity(_: str, settings: Settings, folder: Path) -> Evidence:
    """Evidence of images whose opacity is constant, read with the channels that the settings name."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 4), dtype=np.uint8)
    images[..., 3] = 255
    np.save(folder / "opaque.npy", images)
    return examine(folder / "opaque.npy", options=DataConfig.read(dict(settings))).evidence


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A game that fails by a sign, and the remedy that is tried."""

    settings: Settings = field(default_factory=dict)
    remedy: str
    """How the flags of the remedy begin."""
    data: str = "ring8"
    play: Callable[[str, Settings, Path], Evidence] = trained
    slow: bool = True


GAMES = {
    "batch-too-small-for-batch-norm": Failure(
        play=on_random_images, settings=NARROW | {"batch": 2, "rounds": 10}, remedy="--batch", slow=False
    ),
    "checkerboard": Failure(
        data="digits",
        settings=NARROW | {"batch": 16, "rounds": 260, "generator_lr": 1e-6, "watch_every": 15},
        remedy="--upsampling",
    ),
    "dead-units": Failure(
        settings=GAN
        | {"generator_hidden": (16, 16), "activation": "relu", "generator_lr": 0.3, "rounds": 300}
        | {"watch_every": 25},
        remedy="--activation",
    ),
    "discriminator-overfits": Failure(
        play=on_few_images, settings=IMAGES | {"generator_lr": 1e-5, "rounds": 1_500}, remedy="--stabilise diff-augment"
    ),
    "discriminator-overpowers": Failure(
        data="digits",
        settings=IMAGES | {"generator_lr": 1e-4, "discriminator_lr": 1e-3, "rounds": 600},
        remedy="--stabilise diff-augment",
    ),
    "divergence": Failure(
        settings={"recipe": "lsgan", "batch": 32, "rounds": 560, "generator_lr": 0.3, "discriminator_lr": 0.3},
        remedy="--discriminator-lr",
    ),
    "duplicates-or-constant-channel": Failure(play=with_opacity, remedy="--channels 3", slow=False),
    "ema-too-slow": Failure(settings=GAN | {"rounds": 20, "ema_decay": 0.9999}, remedy="--ema-decay", slow=False),
    "failure-to-converge": Failure(play=circling, remedy="--stabilise r1"),
    "generator-overpowers": Failure(
        settings=GAN | {"discriminator_lr": 2e-4, "rounds": 300, "seed": 1}, remedy="--n-discriminator"
    ),
    "learning-rate-too-high": Failure(
        settings=GAN | {"rounds": 20, "generator_lr": 0.05}, remedy="--generator-lr", slow=False
    ),
    "learning-rates-far-apart": Failure(
        settings=GAN | {"rounds": 20, "generator_lr": 1e-4, "discriminator_lr": 2e-3},
        remedy="--discriminator-lr",
        slow=False,
    ),
    "loss-unbounded": Failure(
        settings={"recipe": "dcgan", "width": 8, "batch": 16, "rounds": 20, "real_label": (1.0, 1.1)},
        remedy="--real-label",
        slow=False,
    ),
    "mode-collapse": Failure(
        settings=GAN | {"rounds": 400, "generator_lr": 2e-2, "discriminator_lr": 1e-4, "watch_every": 25},
        remedy="--stabilise r1",
    ),
    "too-short-to-say": Failure(settings=GAN | {"rounds": 30}, remedy="--rounds"),
}
UNPLAYED = {
    "augmentation-leaks": "adaptive augmentation comes to a leaking probability after 400,000 images at the earliest",
    "data-starves-trainer": "how long rounds wait depends on the disk and on what else the machine does",
    "labels-ignored": "a game that ignores labels by which it could learn takes minutes to get over it",
    "samples-memorised": "a generator of 16 images has not copied them after 1,200 rounds: copies take minutes",
}
"""Signs whose remedies no small game can show, and why."""


def applied(remedy: str, finding: Finding) -> Settings:
    """The settings of the first remedy whose flags begin so."""
    return next(each.settings for each in finding.remedies if each.flags.startswith(remedy) and each.settings)


def excess(finding: Finding) -> float:
    """How many times beyond its threshold a measure lies, at least 1."""
    value, threshold = (max(abs(number), 1e-9) for number in (finding.value, finding.threshold))
    return max(value / threshold, threshold / value)


def test_every_sign_has_a_game_or_a_reason_why_it_has_none() -> None:
    assert sorted([*GAMES, *UNPLAYED]) == list(signs.names())


def test_an_excess_is_one_at_the_threshold_and_grows_to_both_sides() -> None:
    found = signs.find("ema-too-slow").finding(
        severity="note", confidence="certain", since=0, measure="m", value=4.0, threshold=2.0, meaning=""
    )
    assert excess(found) == 2
    assert math.isclose(excess(type(found)(**vars(found) | {"value": 0.5})), 4)


@pytest.mark.parametrize(
    "sign", [pytest.param(sign, marks=pytest.mark.slow) if game.slow else sign for sign, game in GAMES.items()]
)
def test_the_remedy_moves_the_measure(sign: str, tmp_path: Path) -> None:
    game = GAMES[sign]
    before = signs.find(sign).find(game.play(game.data, game.settings, tmp_path / "before"))
    assert before is not None, "the game has not the failure"
    assert excess(before) > 1
    changed = {**game.settings, **applied(game.remedy, before)}
    after = signs.find(sign).find(game.play(game.data, changed, tmp_path / "after"))
    assert after is None or excess(after) < excess(before)
