"""Settings that are on or off can be set both ways on the command line, whatever their default or a preset's."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from zerosum import recipes
from zerosum.cli import bench, train
from zerosum.config import flag
from zerosum.errors import InputError
from zerosum.run.config import RunConfig

SWITCHES = [
    (name, setting)
    for name in recipes.names()
    for setting, kind in get_type_hints(recipes.find(name).Config).items()
    if kind is bool and setting in recipes.find(name).Config.names()
]


def chosen(recipe: str, *words: str) -> RunConfig:
    return train.parsed(train.Train, ["photos.npz", "--recipe", recipe, *words], prog="zerosum train")[1]


def test_there_are_settings_of_both_defaults() -> None:
    assert {getattr(recipes.find(name).Config(), setting) for name, setting in SWITCHES} == {True, False}


@pytest.mark.parametrize(("name", "setting"), SWITCHES)
def test_each_is_turned_on_and_off(name: str, setting: str) -> None:
    for value, word in ((True, flag(setting)), (False, flag(f"no_{setting}"))):
        assert getattr(chosen(name, word).config, setting) == value


@pytest.mark.parametrize(("name", "setting"), [("biggan", "attention"), ("srgan", "batch_norm")])
def test_each_way_of_typing_it_before_and_after_others(name: str, setting: str) -> None:
    on, off = flag(setting), flag(f"no_{setting}")
    ways = {
        True: [[on], [on, "True"], [on, "true"], [f"{on}=True"]],
        False: [[off], [f"--no_{setting}"], [on, "False"], [on, "false"], [f"{on}=False"]],
    }
    for value, typed in ways.items():
        for words in typed:
            for around in ([*words, "--batch", "4"], ["--batch", "4", *words]):
                plan = chosen(name, *around)
                assert (getattr(plan.config, setting), plan.config.batch) == (value, 4), around


@pytest.mark.parametrize(
    ("name", "preset", "setting"),
    [
        (name, preset, setting)
        for name, setting in SWITCHES
        for preset, values in recipes.find(name).Config.presets.items()
        if setting in values
    ],
)
def test_what_is_typed_goes_before_a_preset(name: str, preset: str, setting: str) -> None:
    given = recipes.find(name).Config.presets[preset][setting]
    plain = chosen(name, "--preset", preset)
    assert getattr(plain.config, setting) == given
    other = chosen(name, "--preset", preset, flag(f"no_{setting}" if given else setting))
    assert getattr(other.config, setting) != given


def test_a_benchmarks_recipe_takes_them_both_ways() -> None:
    assert bench.variant("gan --no-simultaneous", "pacgan", ("ring",)).settings == {"simultaneous": False}
    assert bench.variant("gan --simultaneous", "quick", ("ring",)).settings == {"simultaneous": True}


def test_only_what_is_on_or_off_has_a_negation(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"^There is no flag --no-latent-dim of zerosum train: "):
        chosen("gan", "--no-latent-dim")
    with pytest.raises(InputError, match=r": did you mean --no-simultaneous\?$"):
        chosen("gan", "--no-simultaneus")
    with pytest.raises(SystemExit):
        chosen("gan", "--list-flags")
    lines = capsys.readouterr().out.splitlines()
    assert {"--simultaneous True False", "--no-simultaneous"} <= set(lines)
    assert "--no-explain" not in lines


def test_help_says_how(capsys: pytest.CaptureFixture[Any]) -> None:
    with pytest.raises(SystemExit):
        chosen("biggan", "--help")
    assert "--attention {True,False}" in capsys.readouterr().out
