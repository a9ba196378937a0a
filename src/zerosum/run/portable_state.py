"""The state that training resumes from, as safetensors: for runs that travel, because nobody should trust a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import safetensors.torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.runtime.untrusted_json import parse

KEY = "state"
"""Where the header of the file has the structure: plain values as they are, all else as {a word below: ...}."""

TABLE, LIST, TUPLE, TENSOR = "table", "list", "tuple", "tensor"


def pack(state: Any) -> bytes:
    """Write nested dicts, lists and tuples of tensors, numbers and words as safetensors with their structure.

    >>> unpack(pack({"a": [1, (2.5, None)], 3: "b"}))
    {'a': [1, (2.5, None)], 3: 'b'}
    """
    tensors: dict[str, Tensor] = {}
    structure = json.dumps(_packed(state, tensors))
    return safetensors.torch.save(tensors, {KEY: structure})


def unpack(content: bytes) -> Any:
    """Read what `pack` wrote; it makes nothing but dicts, lists, tuples, tensors and plain values.

    Raises:
        InputError: it is something else.
    """
    try:
        tensors = safetensors.torch.load(content)
        size = int.from_bytes(content[:8], "little")
        structure = parse(parse(content[8 : 8 + size].decode("utf-8"))["__metadata__"][KEY])
        return _unpacked(structure, tensors)
    except Exception as error:  # readers of foreign bytes raise anything
        raise InputError("The state for resuming cannot be read: pull the run without --with-state.") from error


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    match value:
        case Tensor():
            name = str(len(tensors))
            tensors[name] = value.detach().cpu().contiguous().clone()
            return {TENSOR: name}
        case Mapping():
            return {TABLE: [[key, _packed(entry, tensors)] for key, entry in value.items()]}
        case tuple():
            return {TUPLE: [_packed(entry, tensors) for entry in value]}
        case list():
            return {LIST: [_packed(entry, tensors) for entry in value]}
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{type(value).__name__} is no part of a state")


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((word, inside),) = value.items()
    if word == TENSOR:
        return tensors[inside]
    if word == TABLE:
        return {key: _unpacked(entry, tensors) for key, entry in inside}
    entries = [_unpacked(entry, tensors) for entry in inside]
    return {LIST: entries, TUPLE: tuple(entries)}[word]
