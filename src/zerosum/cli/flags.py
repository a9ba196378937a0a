"""How dataclasses become flags, the same way for every command."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_type_hints

import tyro
from tyro.constructors import (
    MISSING_NONPROP,
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
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
        """Read a dataclass field by field; help is the docstring under a field, in one paragraph."""
        if not dataclasses.is_dataclass(info.type):
            return None
        texts, kinds = _texts(info.type), get_type_hints(info.type, include_extras=True)
        fields = (
            StructFieldSpec(name=f.name, type=kinds[f.name], default=_default(f, info), helptext=texts.get(f.name))
            for f in dataclasses.fields(info.type)
        )
        return StructConstructorSpec(instantiate=info.type, fields=tuple(fields))

    return registry


def _default(field: dataclasses.Field[Any], info: StructTypeInfo) -> Any:
    if isinstance(info.default, info.type):
        return getattr(info.default, field.name)
    return MISSING_NONPROP if field.default is dataclasses.MISSING else field.default


def _texts(kind: type) -> dict[str, str]:
    """Return the docstrings under the fields; a class made on the fly has those of its base."""
    try:
        return documentation(kind)
    except OSError:
        return _texts(kind.__mro__[1])
