"""Settings: read from plain values, refused in a sentence, explained by their docstrings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from pydantic import PositiveFloat, PositiveInt

from zerosum.config import BaseConfig, Fraction, documentation, flag
from zerosum.errors import InputError


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
