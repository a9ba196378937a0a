"""Every setting is a flag of its own, explained by its docstring; and asking for help is quick."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import docstring_parser
import pytest

from zerosum import recipes
from zerosum.cli import COMMANDS
from zerosum.cli.data import Data
from zerosum.cli.sample import Sample
from zerosum.cli.train import Resume, Train
from zerosum.config import documentation, flag
from zerosum.data.options import DataConfig
from zerosum.data.sources.find import BUILT_IN
from zerosum.inference.controls import controls
from zerosum.run.config import RunConfig
from zerosum.run.training_config import TrainingConfig

ENDED = SimpleNamespace(stopped_by=None)
"""What is asked of a run that has ended."""

every_recipe = pytest.mark.parametrize("name", recipes.names())


@pytest.fixture(autouse=True)
def _one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@every_recipe
def test_the_help_of_train_lists_every_setting_with_its_docstring(name: str, zerosum: Any) -> None:
    said = zerosum("train", "anything", "--recipe", name, "--help")
    assert said.code == 0
    text = plain(said.out)
    for part in (recipes.find(name).Config, TrainingConfig, DataConfig):
        explained = documentation(part)
        for setting in part.names():
            assert re.search(rf"--(no-)?{flag(setting).removeprefix('--')}\b", text), setting
            assert plain(explained[setting]) in text, setting


@every_recipe
def test_no_two_settings_share_a_flag(name: str) -> None:
    parts = (Train, recipes.find(name).Config, TrainingConfig, DataConfig)
    counts = Counter(field.name for part in parts for field in dataclasses.fields(part))
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", [name for name in recipes.names() if hasattr(recipes.find(name), "sample")])
def test_the_recipes_controls_are_documented_and_collide_with_no_flag_of_sample(name: str) -> None:
    kind = recipes.find(name)
    own = set(controls(kind))
    assert own.isdisjoint(Sample.names())
    explained = {p.arg_name for p in docstring_parser.parse(kind.sample.__doc__ or "").params}
    assert own <= explained


@pytest.mark.parametrize("kind", [Train, Resume, Sample, Data])
def test_every_field_of_a_command_is_explained(kind: Any) -> None:
    own = {field.name for field in dataclasses.fields(kind)} - {"options"}
    assert own <= set(documentation(kind))


def test_the_help_of_train_names_every_built_in_data_set() -> None:
    assert documentation(Train)["data"].partition("a name: ")[2].rstrip(".").split(", ") == list(BUILT_IN)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, zerosum: Any) -> None:
    said = zerosum(command, "--help")
    assert (said.code, said.err) == (0, "")
    assert f"usage: zerosum {command}" in said.out


def test_flags_become_settings(zerosum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunConfig] = []
    monkeypatch.setattr("zerosum.training.launch.start", lambda plan, **others: asked.append(plan) or ENDED)
    zerosum("train", "photos", "--recipe=gan", "--betas", 0.1, 0.9, "--size", "32x48", "--seed", 7, "--latent-dim", 3)
    (plan,) = asked
    assert (plan.data, plan.recipe) == ("photos", "gan")
    assert plan.settings() == RunConfig.read(
        "photos", "gan", {"betas": (0.1, 0.9), "size": "32x48", "seed": 7, "latent_dim": 3}
    ).settings()  # fmt: skip


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys, zerosum.cli; zerosum.cli.main(['--help']); print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "False False"
    assert all(command in said for command in COMMANDS)


def test_the_version_is_said(zerosum: Any) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", zerosum("--version").out)


def test_recipes_are_listed_and_explained(zerosum: Any) -> None:
    table = zerosum("recipes").out
    assert all(f"\n{name} " in f"\n{table}" for name in recipes.names())
    page = zerosum("recipes", "dcgan", "--shape", 1, 16, 16).out
    assert "https://arxiv.org/abs/1511.06434" in page
    assert re.search(r"generator +\d[\d,]+\n", page)
    assert "--generator-lr 0.0002" in page


@pytest.mark.parametrize(
    ("words", "left", "takes"),
    [
        (["train", "photos", "of", "cats"], "of", "DATA and flags"),
        (["train", "photos", "--recipe", "gan", "--simultaneous", "maybe"], "maybe", "DATA and flags"),
        (["recipes", "gan", "wgan"], "wgan", "[NAME] and flags"),
        (["init", "here"], "here", "flags alone"),
        (["data", "check", "one", "-z"], "-z", "ACTION DATA and flags"),
    ],
)
def test_a_word_too_many_is_said_in_one_sentence(zerosum: Any, words: list[str], left: str, takes: str) -> None:
    said = zerosum(*words)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert f" takes {takes}, and {left!r} is left over: quote what has blanks in it" in said.err


def plain(text: str) -> str:
    """Text without frames and line breaks."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())
