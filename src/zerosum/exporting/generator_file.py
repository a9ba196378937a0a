"""ONNX generators that `zerosum export` wrote, as a source of samples: latents by seeds, labels by training shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.exporting.onnx_file import session
from zerosum.inference.generate import CHUNK, SAMPLES, draw_labels
from zerosum.runtime import rng
from zerosum.runtime.untrusted_json import parse
from zerosum.tasks import GENERATE, TASKS


@dataclass(frozen=True, kw_only=True)
class GeneratorFile:
    """A generator of latents from N(0, 1), and of labels where it takes them."""

    spec: Spec
    latent_dim: int
    defaults: Mapping[str, np.ndarray]
    """Values at rest of inputs that are one for all samples."""

    engine: Any = field(repr=False)

    def stream(self, n: int, seed: int, *, rank: int = 0, world: int = 1) -> Iterator[Tensor]:
        """Yield n samples, up to 15 more, in float32: those of `zerosum.inference.generate.stream` within rounding.

        Args:
            n: samples altogether.
            seed: of latents and labels.
            rank: number of this process among those that share the work.
            world: how many they are; this one yields chunks rank, rank + world, ....
        """
        count = -(-n // CHUNK)
        names = [one.name for one in self.engine.get_inputs()]
        with rng.fork(torch.device("cpu"), seed=rng.derived(seed, SAMPLES)):
            latents = [rng.normal(CHUNK, self.latent_dim, device=torch.device("cpu")) for _ in range(count)]
        labels = draw_labels(self.spec, count * CHUNK, seed).split(CHUNK) if "labels" in names else None
        for index in range(rank, count, world):
            rows = {"latent": latents[index].numpy(), "beside": latents[index].numpy()}
            if labels is not None:
                rows["labels"] = labels[index].numpy()
            known = {**self.defaults, **rows}
            yield torch.from_numpy(self.engine.run(None, {name: known[name] for name in names})[0])


def read_generator(path: Path) -> GeneratorFile:
    """Read an ONNX generator.

    Raises:
        InputError: onnxruntime is missing, or the file is none that `zerosum export` wrote of a generator with a
            normal prior.
    """
    engine, about, inputs = opened(path)
    task = str(about.get("task"))
    if task in TASKS and task != GENERATE.name:
        raise InputError(
            f"{path} {TASKS[task].does}, and a file is evaluated only where it makes samples of latents "
            "alone: evaluate the run that it comes from."
        )
    try:
        found = GeneratorFile(
            spec=spec_of(about), latent_dim=int(about["latent_dim"]), defaults=_defaults(inputs), engine=engine
        )
        able = about["task"] == GENERATE.name and about["prior"]["law"] == "normal"
        known = {"latent", "beside", "labels", *found.defaults}
        able = able and {one.name for one in engine.get_inputs()} <= known
    except Exception as error:  # whatever the metadata hold
        raise _unreadable(path, error) from None
    if not able:
        raise InputError(
            f"{path} does not make samples of latents from N(0, 1) alone: evaluate the run that it comes from."
        )
    return found


def opened(path: Path) -> tuple[Any, Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return a session for an ONNX file, and what the file says of its model and of its inputs.

    Raises:
        InputError: onnxruntime is missing, or the file is none that `zerosum export` wrote.
    """
    if find_spec("onnxruntime") is None:
        raise InputError("Reading .onnx needs onnxruntime, which is not installed: pip install 'zerosum[export]'.")
    try:
        engine = session(path.read_bytes())
        facts = engine.get_modelmeta().custom_metadata_map
        return engine, dict(parse(facts["model"])), list(parse(facts["inputs"]))
    except Exception as error:  # onnxruntime's own errors have no common base
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} is no generator that zerosum can read ({type(error).__name__}): give a file that zerosum export "
        "--to onnx wrote."
    )


def spec_of(about: Mapping[str, Any]) -> Spec:
    """Return the facts about the data that a file's metadata hold."""
    kinds.find(str(about["kind"]))
    return Spec(
        shape=tuple(map(int, about["shape"])),
        kind=str(about["kind"]),
        classes=tuple(map(str, about["classes"])),
        class_counts=tuple(map(int, about["class_counts"])),
        attributes=tuple(map(str, about["attributes"])),
        attribute_rows=tuple((str(row), int(count)) for row, count in about["attribute_rows"]),
        attribute_shares=tuple(map(float, about["attribute_shares"])),
    )


def _defaults(inputs: list[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    single = [one for one in inputs if one["default"] is not None]
    return {str(one["name"]): np.full(one["shape"], one["default"], one["type"]) for one in single}
