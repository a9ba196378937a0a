"""Tensors as the content of a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping

import safetensors.torch
from torch import Tensor


def packed(tensors: Mapping[str, Tensor], about: dict[str, str] | None = None) -> bytes:
    """Write tensors by name, on whatever device; one that has several names, as tied weights do, is written for each.

    Args:
        tensors: of any shapes.
        about: words for the header of the file.
    """
    found: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        memory = own.untyped_storage().data_ptr()
        found[name] = own.clone() if memory in taken else own  # a file shares no memory
        taken.add(memory)
    return safetensors.torch.save(found, about)
