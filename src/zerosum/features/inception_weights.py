"""Weights of the Inception network: where they are found, and how each form of them is read."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.sources.download import fetch
from zerosum.errors import InputError
from zerosum.features.inception_network import body, units
from zerosum.runtime.external_weights import read_weights
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback

FILES = {
    "inception": "pt_inception-2015-12-05-6726825d.pth",
    "inception-768": "inception_2015_12_05_to_mixed8_fp16.npz",
}
URL = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
EPSILON = 1e-3
"""Of the graph's batch norms."""
HEAD = "fc.weight"


def locate(name: str, *, cache: Path, progress: ProgressCallback | None = None) -> Path:
    """Find the weights of "inception" or "inception-768": in $ZEROSUM_DATA/weights, in the cache, or by a download.

    Raises:
        InputError: They are nowhere; the reduced ones are not downloaded.
        StorageError: The cache cannot be written to.
    """
    found = present(name, cache=cache)
    if found is not None:
        return found
    folders = _folders(cache)
    advice = f"put {FILES[name]} into {folders[0]}, or give its path: --features {name}:PATH."
    if name != "inception":
        raise InputError(f"There are no weights for --features {name}: {advice}")
    target = folders[-1] / FILES[name]
    fetch([URL], target, check=partial(genuine, SHA256), advice=advice, progress=progress)
    return target


def present(name: str, *, cache: Path) -> Path | None:
    """Find weights that are here already, or return None."""
    return next((path for folder in _folders(cache) if (path := folder / FILES[name]).is_file()), None)


def is_published(path: Path) -> bool:
    """Whether a file is the one that FID is computed with, bit for bit."""
    return _sha256(path) == SHA256


def genuine(sha256: str, path: Path) -> None:
    """See that a file is the published one.

    Raises:
        InputError: Its SHA-256 is another.
    """
    found = _sha256(path)
    if found != sha256:
        raise InputError(f"what came has the SHA-256 {found[:8]}..., and the published file {sha256[:8]}...")


def read(path: Path) -> dict[str, Tensor]:
    """Read weights, with batch norm folded into them.

    Args:
        path: a .pth or .safetensors of PyTorch's ports (pytorch-fid, torch-fidelity), or a .npz with LAYER/w and
            LAYER/b by the graph's names. Of a .pth nothing but tensors is read.

    Returns:
        "NAME.weight" and "NAME.bias" of each convolution by its name in PyTorch's ports, float32, and "fc.weight" if it
        is there: as much of the network as the file holds.

    Raises:
        InputError: There is no such file, or it holds something else.
    """
    if not path.is_file():
        raise InputError(f"There is no weights file {path}; give a .pth, a .safetensors or a .npz file.")
    stored = _arrays(path) if path.suffix == ".npz" else read_weights(path)
    try:
        return _of_graph(stored) if "conv/w" in stored else _of_port(stored)
    except LookupError:
        raise _foreign(path) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(cache: Path) -> list[Path]:
    """Where weights may lie; the last is where downloads go."""
    kept = os.environ.get("ZEROSUM_DATA")
    return [*([absolute(kept) / "weights"] if kept else []), cache / "downloads" / "weights"]


def _arrays(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: torch.from_numpy(file[key]) for key in file.files}
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise _foreign(path) from error


def _of_graph(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename what is folded already."""
    found = {}
    for name, scope, _ in units(body(reduced=False)):
        if f"{scope}/w" in stored:
            found |= {f"{name}.weight": stored[f"{scope}/w"].float(), f"{name}.bias": stored[f"{scope}/b"].float()}
    return found


def _of_port(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fold batch norm at rest into the convolution before it, in float64."""
    found = {}
    for name, _, _ in units(body(reduced=False)):
        weight = stored[f"{name}.conv.weight"].double()
        shift, mean, variance = (
            stored[f"{name}.bn.{part}"].double() for part in ("bias", "running_mean", "running_var")
        )
        scale = stored[f"{name}.bn.weight"].double() / (variance + EPSILON).sqrt()
        found[f"{name}.weight"] = (weight * scale.view(-1, 1, 1, 1)).float()
        found[f"{name}.bias"] = (shift - mean * scale).float()
    return found | {HEAD: stored[HEAD].float()}


def _foreign(path: Path) -> InputError:
    return InputError(
        f"{path} does not hold the weights of the Inception network: give a .pth or .safetensors of pytorch-fid, such "
        f"as {FILES['inception']}, or {FILES['inception-768']}."
    )
