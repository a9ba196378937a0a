"""Each sign's failures: what changes after the onset, and what is found of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.unit.doctor.histories import ONSET, ROUNDS, Course, drift
from zerosum.doctor import Facts

REAL, FAKE = "discriminator/real_accuracy", "discriminator/fake_accuracy"
PLANNED = Facts(rounds=ROUNDS)
IMAGES = Facts(rounds=ROUNDS, images=2_000, shape=(1, 32, 32), recipe="dcgan", objective="logistic")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A failure."""

    sign: str
    severity: str
    changes: dict[str, Course] = field(default_factory=dict)
    facts: Facts = PLANNED
    onset: int = ONSET
    within: int = 700
    """Rounds after the onset by which it is found."""
    drop: tuple[str, ...] = ()
    """Series that the log lacks."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings that fail from the start: nothing begins later."""


def near(level: float, noise: float) -> Course:
    """Noise about a level."""
    return lambda rounds, rng: level + drift(rng, len(rounds), noise)


def within_unit(level: float, noise: float) -> Course:
    """Noise about a level, within [0, 1]."""
    return lambda rounds, rng: np.clip(level + drift(rng, len(rounds), noise), 0, 1)


CASES = [
    Case(
        sign="discriminator-overpowers",
        severity="warning",
        changes={REAL: within_unit(0.998, 0.002), FAKE: within_unit(0.998, 0.002)},
    ),
    Case(
        sign="discriminator-overpowers",
        severity="critical",
        changes={"generator/gradient_norm": 0.0, "generator/loss": near(30, 1)},
        within=100,
    ),
    Case(sign="discriminator-overpowers", severity="critical", changes={REAL: 0.0, FAKE: 1.0}, within=100),
    Case(
        sign="discriminator-overpowers",
        severity="warning",
        changes={"discriminator/loss": near(0.02, 0.003), "generator/loss": near(9, 0.5)},
        drop=(REAL, FAKE),
        within=1_300,
    ),
    Case(
        sign="discriminator-overpowers",
        severity="warning",
        changes={"discriminator/fake_probability": near(0.003, 0.0005)},
        within=1_300,
    ),
    Case(sign="generator-overpowers", severity="critical", changes={REAL: 1.0, FAKE: 0.0}, within=100),
    Case(
        sign="generator-overpowers",
        severity="warning",
        changes={REAL: within_unit(0.95, 0.02), FAKE: within_unit(0.05, 0.02)},
    ),
    Case(
        sign="generator-overpowers",
        severity="critical",
        changes={"discriminator/loss": near(7.6, 0.01), "generator/loss": near(0.001, 0.0001)},
        drop=(REAL, FAKE),
        within=200,
    ),
    Case(sign="mode-collapse", severity="critical", changes={"watch/diversity": within_unit(0.03, 0.01)}),
    Case(sign="mode-collapse", severity="warning", changes={"watch/diversity": within_unit(0.35, 0.03)}),
    Case(sign="mode-collapse", severity="warning", changes={"watch/class_diversity": within_unit(0.04, 0.01)}),
    Case(
        sign="mode-collapse",
        severity="warning",
        changes={"watch/class_diversity": within_unit(0.2, 0.03)},
        facts=IMAGES,
    ),
    Case(
        sign="mode-collapse",
        severity="warning",
        changes={"evaluation/recall": within_unit(0.03, 0.01), "evaluation/precision": within_unit(0.8, 0.03)},
    ),
    Case(
        sign="failure-to-converge",
        severity="critical",
        changes={"discriminator/loss": near(7.7, 0.01)},
        within=50,
    ),
    Case(
        sign="failure-to-converge",
        severity="warning",
        changes={"evaluation/fid": lambda rounds, rng: 25 * (1 + rounds / 500)},
        within=500,
    ),
    Case(
        sign="failure-to-converge",
        severity="warning",
        changes={"discriminator/loss": lambda rounds, rng: 1 + np.sin(rounds / 20) + rng.normal(0, 0.1, len(rounds))},
        onset=1_000,
        within=1_800,
    ),
    Case(
        sign="failure-to-converge",
        severity="warning",
        changes={
            key: lambda rounds, rng: np.where(rounds // 300 % 2 == 1, 0.9, 0.6) + rng.normal(0, 0.02, len(rounds))
            for key in (REAL, FAKE)
        },
        onset=1_000,
        within=2_700,
    ),
    Case(sign="divergence", severity="critical", changes={"generator/loss": float("nan")}, within=10),
    Case(
        sign="divergence",
        severity="critical",
        changes={"discriminator/gradient_norm": lambda rounds, rng: 3 * np.exp(rounds / 80)},
        within=500,
    ),
    Case(
        sign="divergence",
        severity="warning",
        changes={"generator/gradient_norm": near(150, 10)},
        facts=Facts(rounds=ROUNDS, objective="logistic"),
        onset=1_000,
        within=900,
    ),
    Case(
        sign="divergence",
        severity="critical",
        changes={"generator/loss": lambda rounds, rng: np.exp(rounds / 60)},
        within=500,
    ),
    Case(
        sign="discriminator-overfits",
        severity="warning",
        changes={REAL: within_unit(0.975, 0.005), FAKE: within_unit(0.975, 0.005)},
        facts=IMAGES,
        within=1_500,
    ),
    Case(sign="samples-memorised", severity="critical", changes={"watch/nearest": near(0.1, 0.02)}),
    Case(sign="samples-memorised", severity="warning", changes={"watch/nearest": near(0.4, 0.02)}),
    Case(sign="labels-ignored", severity="warning", changes={"watch/label_effect": within_unit(0.03, 0.01)}),
    Case(sign="checkerboard", severity="warning", changes={"watch/checkerboard": near(8, 0.5)}),
    Case(
        sign="augmentation-leaks",
        severity="warning",
        changes={"discriminator/ada_p": lambda rounds, rng: np.minimum(0.6 + rounds / 1000, 1)},
    ),
    Case(sign="dead-units", severity="warning", changes={"watch/dead_units": within_unit(0.6, 0.02)}),
    Case(sign="dead-units", severity="critical", changes={"watch/dead_units": within_unit(0.97, 0.01)}),
    Case(
        sign="batch-too-small-for-batch-norm",
        severity="warning",
        facts=Facts(batch_norm=True, config={"batch": 4}),
        settings={"batch": 4},
    ),
    Case(
        sign="learning-rate-too-high",
        severity="warning",
        changes={"watch/discriminator/update": near(0.2, 0.01)},
        within=900,
    ),
    Case(
        sign="learning-rate-too-high",
        severity="warning",
        facts=Facts(config={"lr": (0.05, 0.01)}),
        drop=("watch/discriminator/update", "watch/generator/update"),
        settings={"lr": 0.05},
    ),
    Case(
        sign="learning-rates-far-apart",
        severity="warning",
        facts=Facts(config={"discriminator_lr": 2e-3, "generator_lr": 2e-4}),
        settings={"discriminator_lr": 2e-3, "generator_lr": 2e-4},
    ),
    Case(
        sign="learning-rates-far-apart",
        severity="warning",
        changes={"watch/discriminator/update": near(0.0001, 0.00001), "watch/generator/update": near(0.02, 0.001)},
        within=900,
    ),
    Case(
        sign="loss-unbounded",
        severity="warning",
        facts=Facts(config={"real_label": (1.0, 1.1), "fake_label": (-0.1, 0.0)}),
        settings={"real_label": (1.0, 1.1), "fake_label": (-0.1, 0.0)},
    ),
    Case(
        sign="loss-unbounded",
        severity="warning",
        changes={"discriminator/real": lambda rounds, rng: 2 + rounds / 20},
        within=1_300,
    ),
    Case(sign="loss-unbounded", severity="note", changes={"discriminator/loss": near(-0.25, 0.02)}),
    Case(sign="data-starves-trainer", severity="warning", changes={"watch/data_wait": within_unit(0.6, 0.05)}),
    Case(
        sign="duplicates-or-constant-channel",
        severity="warning",
        facts=Facts(images=1_000, notes=("Exact repeats of another sample: 200, in 50 groups.",)),
        settings={"images": 1_000},
    ),
    Case(
        sign="ema-too-slow",
        severity="note",
        facts=Facts(rounds=1_000, config={"ema_decay": 0.999}),
        settings={"ema_decay": 0.999, "rounds": 1_000},
    ),
]
LATER = [case for case in CASES if not case.settings]
