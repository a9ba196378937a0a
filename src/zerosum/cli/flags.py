"""How dataclasses become flags, the same way for every command."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Any, Union, get_args

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructTypeInfo,
    UnsupportedTypeAnnotationError,
)

from zerosum.config import documentation

CONFIG = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)


def parse(kind: type, arguments: Sequence[str], *, prog: str) -> Any:
    """Read the command line into a `kind`; where help is asked for, all of it is printed, whatever else was typed.

    Raises:
        SystemExit: help was printed (0), or the flags are wrong and the reason is on stderr (2).
    """
    helping = not {"-h", "--help"}.isdisjoint(arguments)
    return tyro.cli(
        kind, args=["--help"] if helping else list(arguments), prog=prog, config=CONFIG, registry=_registry()
    )


def _registry() -> ConstructorRegistry:
    """Teach tyro two habits of ours: what None means, and where help is written."""
    registry = ConstructorRegistry()

    @registry.primitive_rule
    def optional(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | UnsupportedTypeAnnotationError | None:
        """Read `T | None` as T: it is None where the flag is left out, and nothing typed after it means None."""
        kinds = [kind for kind in get_args(info.type) if kind is not type(None)]
        if info.type_origin not in (Union, types.UnionType) or len(kinds) != 1:
            return None
        inner = registry.get_primitive_spec(PrimitiveTypeInfo.make(kinds[0], info.markers))
        if isinstance(inner, UnsupportedTypeAnnotationError):
            return inner
        return dataclasses.replace(
            inner,
            is_instance=lambda value: value is None or inner.is_instance(value),
            str_from_instance=lambda value: ["unset"] if value is None else inner.str_from_instance(value),
        )

    @registry.struct_rule
    def documented(info: StructTypeInfo) -> StructConstructorSpec | None:
        """Help is the docstring under a field, in one paragraph."""
        if not dataclasses.is_dataclass(info.type):
            return None
        spec = ConstructorRegistry().get_struct_spec(info)
        if spec is None:
            return None
        texts = _texts(info.type)
        fields = (dataclasses.replace(f, helptext=texts.get(f.name, f.helptext)) for f in spec.fields)
        return dataclasses.replace(spec, fields=tuple(fields))

    return registry


def _texts(kind: type) -> dict[str, str]:
    """Return the docstrings under the fields; a class made on the fly has those of its base."""
    try:
        return documentation(kind)
    except OSError:
        return _texts(kind.__mro__[1])
