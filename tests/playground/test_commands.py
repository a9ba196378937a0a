"""The command that the page shows trains the game that the page plays."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.playground.conftest import Node
from zerosum.cli import main
from zerosum.cli.train import Train, parsed
from zerosum.playground.build import page

R3 = {"loss": "relativistic", "beta1": 0, "beta2": 0.99, "gamma": 1}
ASKED: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    # settings of the page, the recipe, its settings
    ({}, "gan", {"generator_hidden": (32, 32), "activation": "relu", "dropout": 0.0, "betas": (0.5, 0.999)}),
    ({"n_discriminator": 5, "width": 8, "layers": 3, "activation": "tanh", "generator_lr": 0.00001}, "gan",
     {"n_discriminator": 5, "discriminator_hidden": (8, 8, 8), "activation": "tanh", "generator_lr": 0.00001}),
    ({"unrolled": 5, "discriminator_lr": 0.01}, "unrolled", {"steps": 5, "discriminator_lr": 0.01}),
    ({"loss": "wasserstein", "n_discriminator": 3, "penalty": 1}, "wgan_gp",
     {"n_critic": 3, "penalty": 1.0, "points_hidden": (32, 32)}),
    (R3, "r3gan", {"gamma": (1.0, 1.0), "lr": (0.001, 0.001), "beta2": (0.99, 0.99), "ema_half_life": (0.0, 0.0)}),
    (R3 | {"beta1": 0.5}, "Playground", {"loss": "relativistic", "betas": (0.5, 0.99), "gamma": 1.0}),
    ({"loss": "hinge", "unrolled": 2}, "Playground", {"loss": "hinge", "unrolled": 2}),
    ({"loss": "wasserstein", "unrolled": 2, "activation": "tanh"}, "Playground",
     {"loss": "wasserstein", "unrolled": 0}),
    ({"loss": "minimax", "data": "moons"}, "Playground", {"loss": "minimax", "generator_hidden": (32, 32)}),
    ({"loss": "least-squares", "data": "grid25", "latent": 16, "seed": 9}, "Playground", {"loss": "least-squares"}),
]  # fmt: skip


def arguments(command: str) -> list[str]:
    program, verb, *rest = shlex.split(command)
    assert (program, verb) == ("zerosum", "train")
    return rest


@pytest.fixture
def moons(tmp_path: Path) -> None:
    np.save(tmp_path / "moons.npy", np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32))


@pytest.mark.parametrize("asked", [
    pytest.param(ASKED[-1:], id="one"), pytest.param(ASKED[:-1], id="all", marks=pytest.mark.slow)
])  # fmt: skip
def test_commands_have_the_settings_of_the_page(asked, node: Node, moons):
    body = "answer(given.map((settings) => commandOf({ ...defaults(), ...settings })))"
    commands = node(body, [settings for settings, _, _ in asked])
    for command, (settings, recipe, expected) in zip(commands, asked, strict=True):
        _, plan = parsed(Train, arguments(command), prog="zerosum train")
        config = plan.config
        assert plan.recipe.endswith(recipe), command
        assert {name: getattr(config, name) for name in expected} == expected, command
        rest = {"rounds": 3000, "batch": 128, "latent_dim": settings.get("latent", 2)}
        assert {name: getattr(config, name) for name in rest} == rest, command
        assert plan.training.seed == settings.get("seed", 0)
        assert (plan.training.log_every, plan.training.watch_every) == (10, 50)


@pytest.mark.slow
def test_every_kind_of_command_runs(node: Node, moons):
    short = [settings | {"rounds": 1000, "batch": 16} for settings, _, _ in ASKED if settings.get("data") != "grid25"]
    for command in node("answer(given.map((settings) => commandOf({ ...defaults(), ...settings })))", short):
        given = arguments(command.replace("--rounds 1000", "--rounds 2"))
        assert main(["train", *given]) == 0, command


def test_the_guide_s_commands_run(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    guide = (Path(__file__).parents[2] / "docs/playground.md").read_text()
    commands = [line[2:] for line in guide.splitlines() if line.startswith("$ ")]
    assert len(commands) == 2
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0
    assert (tmp_path / "playground.html").is_file()
    assert (tmp_path / "Desktop/gan.html").is_file()


def test_the_page_is_written_by_a_command(tmp_path: Path, capsys):
    assert main(["playground", "--out", "sites/page.html"]) == 0
    assert (tmp_path / "sites/page.html").read_text(encoding="utf-8") == page()
    assert capsys.readouterr().out.strip() == "sites/page.html"
    assert main(["playground", "--out", "sites"]) == 2
    assert "sites is a folder" in capsys.readouterr().err
    assert main(["playground", "--ou", "x.html"]) == 2
