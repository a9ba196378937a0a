"""Defaults by the kind of sample that the data are made of, and settings of a run of before."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zerosum import recipes
from zerosum.config import documentation
from zerosum.run.config import RunConfig, read_config
from zerosum.run.directory import Run
from zerosum.run.older_format import FORMAT
from zerosum.training import launch

ENDED = SimpleNamespace(stopped_by=None)
"""What is asked of a run that has ended."""


@pytest.mark.parametrize(("data", "latent", "penalty"), [("ring8", 2, 0.1), ("digits", 128, 10.0), ("", 128, 10.0)])
def test_what_is_not_set_has_its_default_for_the_kind_of_the_data(data: str, latent: int, penalty: float) -> None:
    config: Any = RunConfig.read(data, "wgan_gp", {"rounds": 7}).config
    assert (config.rounds, config.latent_dim, config.penalty) == (7, latent, penalty)


def test_what_is_set_goes_before_the_default_of_the_kind() -> None:
    config: Any = RunConfig.read("ring8", "wgan_gp", {"penalty": 10.0}).config
    assert (config.penalty, config.latent_dim) == (10.0, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ring8", "--recipe", "wgan_gp", "--penalty", "3"],
        ["--recipe=wgan_gp", "--penalty", "3", "ring8"],
        ["--penalty", "3", "--recipe", "wgan_gp", "ring8"],
    ],
)
def test_the_command_line_fills_in_what_the_data_ask_for(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from zerosum.cli import train

    plans: list[Any] = []
    monkeypatch.setattr(launch, "start", lambda plan, **_: plans.append(plan) or ENDED)
    train.run(arguments)
    assert (plans[0].config.penalty, plans[0].config.latent_dim) == (3.0, 2)


def test_the_documentation_of_a_setting_ends_with_the_default_on_a_kind() -> None:
    texts = documentation(recipes.find("wgan_gp").Config)
    assert texts["latent_dim"].endswith(" On points: 2.")
    assert texts["points_hidden"].endswith(" On points: 128 128 128.")
    assert "On points:" not in texts["n_critic"]


PRESETS = [(name, preset) for name in recipes.names() for preset in recipes.find(name).Config.presets]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_a_run_of_before_a_setting_was_there_is_not_given_a_presets_value_for_it(
    name: str, preset: str, tmp_path: Path
) -> None:
    kind = recipes.find(name)
    plan = RunConfig.read("photos", kind, {"preset": preset})
    plain = {field.name: field.default for field in fields(kind.Config)}
    for setting in kind.Config.presets[preset]:
        kept = {name: value for name, value in plan.config.to_json().items() if name != setting}
        run = Run(tmp_path / setting)
        run.path.mkdir()
        run.describe(
            {
                "format": FORMAT, "recipe": name, "config": kept, "training": plan.training.to_json(),
                "data": {"source": "photos"}, "data_options": plan.options.to_json(), "spec": {"shape": [3, 16, 16]},
            }
        )  # fmt: skip
        read = read_config(Run.open(run.path)).config
        assert getattr(read, setting) == plain[setting], setting
        assert {name: value for name, value in read.to_json().items() if name != setting} == kept
