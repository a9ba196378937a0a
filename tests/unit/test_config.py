"""Settings: read from plain values, refused in a sentence, explained by their docstrings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pytest
from pydantic import PositiveFloat, PositiveInt

import zerosum
from zerosum import recipes
from zerosum.config import BaseConfig, Fraction, documentation, flag, require_in_range
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.tasks import PresetConfig


@dataclass(frozen=True, kw_only=True)
class Base(BaseConfig):
    """What every kind has."""

    rounds: PositiveInt = 10
    """Rounds to play."""

    batch: PositiveInt = 4
    """Samples
    per draw."""


@dataclass(frozen=True, kw_only=True)
class Kind(Base):
    """One kind."""

    rounds: PositiveInt = 20
    """Rounds of this kind."""

    decay: Fraction = 0.5
    """A share."""

    lr: PositiveFloat = 0.1
    """A rate."""

    betas: tuple[float, float] = (0.5, 0.9)
    """Two numbers."""

    upsampling: Literal["round", "square"] = "round"
    """A shape."""

    name: str | None = None
    """A name, or none."""


def test_settings_survive_json_unchanged():
    settings = Kind(rounds=3, betas=(0.0, 1.0), name="x")
    assert Kind.read(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_subclass_inherits_fields_and_redefines_defaults_in_place():
    assert Kind.names() == ("rounds", "batch", "decay", "lr", "betas", "upsampling", "name")
    assert (Kind().rounds, Base().rounds) == (20, 10)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rounds": 0}, "--rounds is 0, but should be greater than 0."),
        ({"lr": -1.0}, "--lr is -1, but should be greater than 0."),
        ({"rounds": 1.5}, "--rounds is 1.5, but should be an integer, got a number with a fractional part."),
        ({"rounds": "many"}, "--rounds is 'many', but should be an integer, unable to parse string as an integer."),
        ({"lr": 0}, "--lr is 0, but should be greater than 0."),
        ({"lr": float("nan")}, "--lr is nan, but should be a finite number."),
        ({"lr": "inf"}, "--lr is 'inf', but should be a finite number."),
        ({"decay": float("nan")}, "--decay is nan, but should be a finite number."),
        ({"decay": 1.1}, "--decay is 1.1, but should be less than or equal to 1."),
        ({"betas": (0.5,)}, "--betas"),
        ({"upsampling": "oval"}, "--upsampling is 'oval', but should be 'round' or 'square'."),
        ({"rond": 3}, "There is no setting 'rond'; did you mean 'rounds'?"),
        ({"zzz": 3}, "There is no setting 'zzz'; known are rounds, batch,"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_used_is_refused_in_one_sentence(values, sentence):
    with pytest.raises(InputError) as refused:
        Kind.read(values)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_refusal_of_our_own_reads_as_the_others_do():
    expected = "--pretrain is 2.5, but should be a share below 1, or a whole number of rounds."
    with pytest.raises(InputError, match=f"^{expected}$"):
        recipes.find("srgan").Config.read({"pretrain": 2.5})


def test_an_object_made_by_hand_can_be_checked():
    assert Kind(rounds=5).checked() == Kind(rounds=5)
    with pytest.raises(InputError, match="--batch is -1"):
        Kind(batch=-1).checked()


def test_documentation_joins_lines_and_prefers_the_subclass():
    explained = documentation(Kind)
    assert explained["rounds"] == "Rounds of this kind."
    assert explained["batch"] == "Samples per draw."
    assert set(explained) == set(Kind.names())


def test_flags_are_spelled_with_dashes():
    assert flag("save_every") == "--save-every"


@dataclass(frozen=True, kw_only=True)
class _Sized(PresetConfig):
    presets: ClassVar = {"small": {"width": 4, "batch": 8}, "large": {"width": 64}}

    width: int = 16
    """Channels."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        return "small" if device == "cpu" else "large"


def test_a_preset_gives_defaults_over_which_single_settings_are_set():
    assert _Sized.for_kind("images").width == 16
    config = _Sized.for_kind("images", {"preset": "small", "batch": 32})
    assert (config.preset, config.width, config.batch) == ("small", 4, 32)
    assert documentation(_Sized)["width"] == "Channels. With --preset small: 4. With --preset large: 64."


def test_an_unknown_preset_is_refused_with_the_nearest_one():
    with pytest.raises(InputError, match=r"no preset 'smal'; did you mean small\?"):
        _Sized.for_kind("images", {"preset": "smal"})
    with pytest.raises(InputError, match="known are auto, small, large"):
        _Sized.for_kind("images", {"preset": "?"})


@pytest.mark.parametrize(("device", "asked", "width"), [("cpu", {}, 4), ("cuda", {}, 64), ("cpu", {"width": 16}, 16)])
def test_auto_takes_the_preset_for_data_and_device_and_keeps_what_was_asked(device, asked, width):
    class Sized(recipes.find("dcgan")):
        Config = _Sized

    plan = RunConfig.read("digits", Sized, asked).fitted(Spec(shape=(1, 16, 16)), device)
    assert plan.config.width == width
    assert plan.config.preset == {"cpu": "small", "cuda": "large"}[device]
    assert plan.fitted(Spec(shape=(1, 16, 16)), "cuda") == plan


@dataclass(frozen=True)
class Command:
    """Flags that are no settings, beside settings."""

    keep: PositiveInt = 1
    share: float | None = None
    settings: Kind = Kind()


def test_fields_of_any_dataclass_are_held_against_their_ranges():
    require_in_range(Command(keep=3, share=0.5))
    require_in_range(Command(settings=Kind(lr=-1.0)))  # is read on its own
    with pytest.raises(InputError, match=r"^--keep is 0, but should be greater than 0\.$"):
        require_in_range(Command(keep=0))
    with pytest.raises(InputError, match=r"^--share is inf, but should be a finite number\.$"):
        require_in_range(Command(share=float("inf")))


@pytest.mark.parametrize(
    ("recipe", "given", "sentence"),
    [
        ("gan", {"betas": (0.5,)}, r"--betas is \(0.5,\), which has too few values."),
        ("gan", {"betas": (0.5, 0.9, 0.1)}, r"--betas is \(0.5, 0.9, 0.1\), which has too many values."),
        ("srgan", {"pretrain": 1.5}, "--pretrain is 1.5, but should be a share below 1, or a whole number of rounds."),
    ],
)
def test_values_of_several_and_shares_are_refused_in_words(recipe, given, sentence):
    with pytest.raises(InputError, match=f"^{sentence}$"):
        RunConfig.read("digits", recipe, given)


@pytest.mark.parametrize("data", [np.zeros((4, 8, 8)), None, ["a.png"]])
def test_data_themselves_are_no_place_of_data(data):
    with pytest.raises(
        InputError, match=r"of the type (ndarray|NoneType) is given where a path|A list of places is given"
    ):
        zerosum.train(data, recipe="gan", rounds=1)
