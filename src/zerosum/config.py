"""Settings: frozen dataclasses that become command-line flags, JSON in a run, and pages of documentation."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import inspect
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_type_hints

from annotated_types import Interval
from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from zerosum.errors import InputError

Fraction = Annotated[float, Interval(ge=0, le=1)]
AUTO = "auto"
"""The value of a setting that is chosen from the data and the machine."""

Seed = Annotated[int, Interval(ge=0, lt=2**63)]
"""What every generator of random numbers takes, with room for numbers beside it."""


def _share_or_number(value: float) -> float:
    if value > 1 and value != int(value):
        raise ValueError("a share below 1, or a whole number of rounds")
    return value


ShareOrNumber = Annotated[float, Interval(gt=0), AfterValidator(_share_or_number)]
"""A share of all rounds, or from 1 on a number of them."""

MOST_MINUTES = 10_000_000
"""19 years, below what a number of rounds can overflow from."""

Minutes = Annotated[float, Interval(gt=0, le=MOST_MINUTES)]
"""A length of time that training may take."""

Settings = TypeVar("Settings", bound="BaseConfig")


@dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Base of all settings. Every field has a docstring under it, which is its help everywhere."""

    # Defaults on single kinds of sample, in place of the fields': the kind's name -> the field's -> the default.
    by_kind: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    # Sets of defaults by name, in place of the fields': the preset's name -> the field's -> the default.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    # What joins the values of a list where a field is text, in place of a comma: the field's name -> the text between.
    joints: ClassVar[Mapping[str, str]] = {}

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Build from names and values, each checked against its field's type and range.

        Raises:
            InputError: an unknown name, or a value outside its field's type or range.
        """
        try:
            return _checks(cls).validate_python(cls._typed(values))
        except ValidationError as error:
            raise InputError(_sentence(cls, error)) from None

    @classmethod
    def _typed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of Python as they are typed after a flag, where a field is text: paths, numbers and lists."""
        texts = {field.name for field in dataclasses.fields(cls) if str(field.type).startswith(TEXT)}
        return {k: _typed(v, cls.joints.get(k, ",")) if k in texts else v for k, v in values.items()}

    @classmethod
    def for_kind(cls, kind: str, values: Mapping[str, Any] | None = None) -> Self:
        """Build from names and values, as `read` does, with the defaults for a kind of sample and of a preset.

        Args:
            kind: name of the kind of sample.
            values: by name; where there are presets, `preset` names one of them.

        Raises:
            InputError: an unknown name or preset, or a value outside its field's type or range.
        """
        asked = values or {}
        preset = asked.get("preset", AUTO)
        if cls.presets and preset != AUTO and preset not in cls.presets:
            close = difflib.get_close_matches(str(preset), cls.presets, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join([AUTO, *cls.presets])}."
            raise InputError(f"There is no preset {preset!r}; {hint}")
        return cls.read({**cls.by_kind.get(kind, {}), **cls.presets.get(preset, {}), **asked})

    def checked(self) -> Self:
        """Return an equal object whose values are known to lie within their fields' types and ranges.

        Raises:
            InputError: a value does not.
        """
        return self.read(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, as a run keeps them."""
        return dataclasses.asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the fields, in order."""
        return tuple(field.name for field in dataclasses.fields(cls))


@functools.cache
def _checks(settings: type[Settings]) -> TypeAdapter[Settings]:
    return TypeAdapter(settings)


TEXT = ("str", "<class 'str'>", "Annotated[str")
"""How the type of a field begins that is text."""


def _typed(value: Any, joint: str) -> Any:
    """Spell a value of Python as it is typed after a flag whose value is text; what has no such form stays.

    >>> _typed((48, 64), "x"), _typed(["fid", "kid"], ","), _typed(16, "x")
    ('48x64', 'fid,kid', '16')
    """
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, tuple | list) and value:
        return joint.join(str(_typed(one, joint)) for one in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return str(value) if type(value).__name__ == "device" else value  # torch.device


def flag(name: str) -> str:
    """Spell a field's name as its command-line flag; a last underscore keeps Python's own words apart.

    >>> flag("save_every"), flag("from_")
    ('--save-every', '--from')
    """
    return "--" + name.rstrip("_").replace("_", "-")


@functools.cache
def documentation(settings: type[BaseConfig]) -> Mapping[str, str]:
    """Return the docstring under each field of `settings` and its bases, by the field's name, where there is source.

    Defaults on single kinds of sample are added to it.
    """
    found: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):  # a class that was made in a session, or on the fly
            continue
        body = ast.parse(textwrap.dedent(source)).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, after in zip(body.body, body.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(after, ast.Expr):
                name, text = ast.unparse(statement.target), ast.literal_eval(after.value)
                found[name] = " ".join(str(text).split())
    for kind, values in getattr(settings, "by_kind", {}).items():
        for name in values.keys() & found.keys():
            found[name] += f" On {kind}: {spelt(values[name])}."
    for preset, values in getattr(settings, "presets", {}).items():
        for name in values.keys() & found.keys():
            found[name] += f" With --preset {preset}: {spelt(values[name])}."
    return found


def spelt(value: Any) -> str:
    """Spell a setting's value as it is typed after its flag."""
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def require_in_range(given: Any) -> None:
    """See that the fields of a dataclass lie within their types and ranges; settings in it are checked apart.

    Raises:
        InputError: one does not.
    """
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if dataclasses.is_dataclass(value):
            continue
        try:
            _field_checks(type(given), field.name).validate_python(value)
        except ValidationError as error:
            raise InputError(_refusal(field.name, error.errors(), depth=0)) from None


@functools.cache
def _field_checks(kind: type, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(type_hints(kind)[name], config=ConfigDict(allow_inf_nan=False))


@functools.cache
def type_hints(kind: type) -> Mapping[str, Any]:
    """Return the types of a class's attributes by name, with what `Annotated` adds."""
    return get_type_hints(kind, include_extras=True)


def _sentence(settings: type[BaseConfig], error: ValidationError) -> str:
    """Format the first error of a validation as one sentence."""
    complaint = error.errors()[0]
    name = str(complaint["loc"][0]) if complaint["loc"] else "settings"
    if complaint["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        close = difflib.get_close_matches(name, settings.names(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(settings.names())}."
        return f"There is no setting {name!r}; {hint}"
    own = [each for each in error.errors() if each["loc"][:1] == complaint["loc"][:1]]
    return _refusal(name, own, depth=1)


COUNTED = {"missing": "few", "too_short": "few", "too_long": "many"}
"""Complaints on how many values a setting of several has."""


def _refusal(name: str, complaints: Sequence[Mapping[str, Any]], *, depth: int) -> str:
    """Say what was given and what is expected; of a type that is one of several, what each of them expects.

    Args:
        name: the field's.
        complaints: on its value.
        depth: how many of the words of a complaint's place lead to the value.
    """
    first, *others = complaints
    if amount := COUNTED.get(first["type"]):
        return f"{flag(name)} is {first['input']!r}, which has too {amount} values."
    of_types = [each for each in others if isinstance((*each["loc"][depth:], 0)[0], str)]  # and no places in a tuple
    expected = ", or ".join(each["msg"].removeprefix("Value error, ") for each in (first, *of_types))
    expected = (
        expected.replace("Input should be ", "").replace("a valid integer", "an integer").replace("a valid ", "a ")
    )
    value = first["input"]
    typed = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
    return f"{flag(name)} is {typed!r}, but should be {expected[:1].lower() + expected[1:]}."
