"""Weights from untrusted files: .safetensors, or .pth with tensors alone."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from zerosum.errors import InputError


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read tensors by name, on the CPU. A .pth file is unpickled with nothing allowed in it but tensors.

    Raises:
        InputError: There is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no weights file {path}; give a .safetensors or a .pth file.")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
            raise ValueError
    except Exception:  # readers raise almost anything on bytes that are something else
        raise InputError(
            f"{path} does not hold tensors by name and nothing else; give a .safetensors file, or a .pth file of a "
            "state_dict."
        ) from None
    return dict(found)
