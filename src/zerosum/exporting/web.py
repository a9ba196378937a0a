"""A page that generates in the visitor's browser: one file, or a folder for a server."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zerosum import kinds
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.exporting.files import Exported, Part, parts
from zerosum.exporting.onnx_file import Precision
from zerosum.exporting.runtime import runtime as find_runtime
from zerosum.media.image_grid import MODES
from zerosum.page import Noise, PageModel, render
from zerosum.recipe import Recipe
from zerosum.runtime.atomic_files import replacing
from zerosum.text import memory

LARGEST = 64_000_000
"""Bytes of models that one page holds; larger ones go into a folder, from which a browser loads them as they are."""


def write_page(
    model: Recipe,
    about: PageModel,
    out: Path,
    *,
    precision: Precision | None,
    folder: bool,
    runtime: str | Path | None,
) -> list[Exported]:
    """Write the page of a model.

    Args:
        model: in evaluation mode, on the CPU.
        about: what the page says of it.
        out: the .html file, or the folder.
        precision: in which weights are stored; by default float16 unless that moves a pixel by more than a level.
        folder: whether `out` is a folder.
        runtime: onnxruntime-web, where it is not to be downloaded.

    Raises:
        InputError: the samples are no images, the recipe cannot be exported, or the model is too large for one file.
        StorageError: the disk refuses.
    """
    if not kinds.find(about.kind).pictures:
        raise InputError(f"A page shows images, and this model makes {about.kind}: export it by --to onnx.")
    for channels in (about.shape[0], (about.source_shape or about.shape)[0]):
        if channels not in MODES:
            raise InputError(f"A page shows images of 1 to 4 channels, and these have {channels}: export by --to onnx.")
    engine = find_runtime(runtime, cache=DataConfig().cache_folder())
    made = parts(model, about, to="onnx", precision=precision or "small")
    size = sum(len(part.content) for part in made)
    if size > LARGEST and not folder:
        raise InputError(f"The model has {memory(size)}, too much for one page: add --folder --out FOLDER.")
    about = _with_networks(about, made, folder=folder)
    contents = {"script": engine.script, "binary": engine.binary}
    contents |= {f"model-{part.graph.name}" if part.graph.name else "model": part.content for part in made}
    packed = {name: gzip.compress(content, mtime=0) for name, content in contents.items()}
    if folder:
        for name, content in packed.items():
            with replacing(out / f"{name}.gz") as partial:
                partial.write_bytes(content)
        packed, out = {}, out / "index.html"
    page = render(about, engine="onnx", parts=packed, connects=folder)
    with replacing(out) as partial:
        partial.write_text(page, encoding="utf-8")
    worst = max(made, key=lambda part: part.parity.largest)
    note = f"Put {out.parent} on a web server; to try it: python -m http.server --directory {out.parent}"
    return [Exported(path=out, parity=worst.parity, notes=(note,) if folder else ())]


def _with_networks(about: PageModel, made: Sequence[Part], *, folder: bool) -> PageModel:
    """Add what only the exported graphs say: which there are, and what they take."""
    inputs = made[0].graph.inputs
    noise = tuple(Noise(name=one.name, shape=one.shape, kept=one.kept) for one in inputs if one.kept is not None)
    multiple = next((one.multiple for one in inputs if one.name == "source"), None)
    names = tuple(part.graph.name for part in made)
    return replace(about, choices=names, noise=noise, size_multiple=multiple, folder=folder)
