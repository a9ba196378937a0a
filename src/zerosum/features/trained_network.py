"""Networks that are trained on the data at hand once, and read from the cache from then on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import safetensors
import safetensors.torch
import torch
from torch import nn

from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing

Network = TypeVar("Network", bound=nn.Module)


def read_or_train(
    path: Path, train: Callable[[], tuple[Network, float]], build: Callable[[], Network]
) -> tuple[Network, float]:
    """Read a network and its test accuracy from a file; where none can be read, train one and write the file.

    Args:
        path: the .safetensors file.
        train: trains a network and returns it with its test accuracy.
        build: makes an untrained one.

    Returns:
        The network on the CPU, in evaluation mode, its weights fixed; and its test accuracy.

    Raises:
        StorageError: the disk refuses the write.
    """
    if not path.exists() or (found := _read(path, build)) is None:
        network, right = train()
        weights = {name: weight.cpu().contiguous() for name, weight in network.state_dict().items()}
        with replacing(path) as partial:
            partial.write_bytes(safetensors.torch.save(weights, metadata={"accuracy": repr(right)}))
        found = _read(path, build)
        assert found is not None
    return found


def _read(path: Path, build: Callable[[], Network]) -> tuple[Network, float] | None:
    """Read what was written; None where the file is damaged, or of another format or network."""
    with rng.fork(torch.device("cpu")):
        network = build()
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            right = float(file.metadata()["accuracy"])
            network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, safetensors.SafetensorError, KeyError, RuntimeError, TypeError, ValueError):
        return None
    return network.eval().requires_grad_(False), right
