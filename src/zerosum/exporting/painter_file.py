"""ONNX files that `zerosum export` wrote of runs that paint: images of a text, without the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum.data.sentences import WordReader
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.exporting.generator_file import opened, spec_of
from zerosum.inference.generate import CHUNK, SAMPLES
from zerosum.runtime import rng
from zerosum.tasks import PAINT


@dataclass(frozen=True, kw_only=True)
class PainterFile:
    """A generator of words of sentences and noise."""

    spec: Spec
    reader: WordReader
    noise: Sequence[tuple[str, int]]
    """Names of the draws from N(0, 1) and values in a row, in order."""

    engine: Any = field(repr=False)

    def paint(self, text: str, n: int, seed: int) -> Tensor:
        """Make (n, *shape) images of a text in [-1, 1]: those of `zerosum.inference.paint.paint` within rounding.

        Args:
            text: what to paint.
            n: how many.
            seed: of the noise.
        """
        words, made = self.reader([text]).expand(CHUNK, -1).numpy(), []
        with rng.fork(torch.device("cpu"), seed=rng.derived(seed, SAMPLES)):
            for _ in range(-(-n // CHUNK)):
                drawn = {name: rng.normal(CHUNK, width, device=torch.device("cpu")) for name, width in self.noise}
                feed = {"words": words, **{name: values.numpy() for name, values in drawn.items()}}
                made.append(torch.from_numpy(self.engine.run(None, feed)[0]))
        return torch.cat(made)[:n]


def is_painter_file(path: Path) -> bool:
    """Whether a path is a file that may be an exported run that paints, and no run."""
    return path.suffix.lower() == ".onnx" and path.is_file()


def read_painter(path: Path) -> PainterFile:
    """Read an ONNX file of a run that paints.

    Raises:
        InputError: onnxruntime is missing, or the file is none that `zerosum export` wrote of a run that paints.
    """
    engine, about, _ = opened(path)
    if about.get("task") != PAINT.name:
        raise InputError(f"{path} does not paint texts: give a file that zerosum export wrote of a run that paints.")
    try:
        rules = about["text"]
        reader = WordReader(vocabulary=tuple(map(str, rules["vocabulary"])), most=int(rules["most"]))
        noise = tuple((str(name), int(width)) for name, width in rules["noise"])
        found = PainterFile(spec=spec_of(about), reader=reader, noise=noise, engine=engine)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(
            f"{path} does not say how a sentence is read ({type(error).__name__}): export the run again."
        ) from None
    if {one.name for one in engine.get_inputs()} != {"words", *(name for name, _ in noise)}:
        raise InputError(f"{path} takes other inputs than it says: export the run again.")
    return found
