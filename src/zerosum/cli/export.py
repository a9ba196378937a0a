"""`zerosum export`: a trained generator as a file that needs no zerosum."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.exporting import export
from zerosum.run.directory import Which
from zerosum.runtime.terminal import say, tell


@dataclass(frozen=True, kw_only=True)
class Export(BaseConfig):
    """Write a trained generator as a file: for ONNX runtimes, for torch.export.load, or as a page for any browser."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made."""

    to: Literal["onnx", "pt2", "web"] = "onnx"
    """onnx: a file for ONNX runtimes. pt2: one that torch.export.load reads, in about the same version of PyTorch.
    web: one HTML file, opened by double click, that generates in the visitor's browser and sends nothing."""

    out: Path | None = None
    """The file to write; with --folder, the folder. By default in the run's exports/."""

    precision: Literal["float32", "float16"] | None = None
    """In which weights are stored; all is computed in float32. By default float16 for the web, which moves a pixel by a
    level of 255 at most, and float32 for all else."""

    folder: bool = False
    """With --to web: a folder to put on a web server in place of one file, for large models."""

    title: str | None = None
    """Title of the page; by default the run's name."""

    runtime: Path | None = None
    """With --to web: the npm package onnxruntime-web, as .tgz or unpacked, in place of a download of 33 MB."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Export, and say where the file is and how far it lies from the model."""
    given = flags.parse(Export, arguments, prog="zerosum export").checked()
    made = export(
        given.run,
        to=given.to,
        out=given.out,
        recipe=given.recipe,
        checkpoint=given.checkpoint,
        precision=given.precision,
        folder=given.folder,
        title=given.title,
        runtime=given.runtime,
    )
    for one in made:
        say(one.path)
        tell(f"Beside the model in PyTorch: {one.parity.said()}.")
        for note in one.notes:
            tell(note)
