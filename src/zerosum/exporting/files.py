"""Graphs in their exported forms, each checked against its recipe."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

import zerosum
from zerosum import kinds
from zerosum.errors import InputError
from zerosum.exporting.graph import graphs
from zerosum.exporting.inputs import Graph, Input
from zerosum.exporting.onnx_file import Precision, in_float16, session, to_onnx
from zerosum.exporting.parity import ALLOWED_LEVELS, Parity, measure
from zerosum.exporting.trace import trace
from zerosum.page import PageModel
from zerosum.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file that was written, and how far it lies from the recipe."""

    path: Path
    parity: Parity
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """A graph in its exported form."""

    graph: Graph
    content: bytes
    parity: Parity


def parts(
    model: Recipe, about: PageModel, *, to: Literal["onnx", "pt2"], precision: Precision | Literal["small"]
) -> list[Part]:
    """Export the graphs of a recipe and measure each one's parity.

    Args:
        model: in evaluation mode, on the CPU.
        about: what the files say of it.
        to: which form.
        precision: in which weights are stored; small: float16 unless that moves a pixel by more than one level.

    Raises:
        InputError: the recipe cannot be exported, or what came of it is not what the recipe computes.
    """
    return [_part(graph, about, to=to, precision=precision) for graph in graphs(model)]


def metadata(about: PageModel, graph: Graph) -> dict[str, str]:
    """Return what an exported file says of itself, by name; each value is JSON but for plain words."""
    inputs = [
        {
            "name": one.name,
            "shape": _axes(one),
            "type": "int64" if one.integer else "float32",
            "default": one.default,
            "multiple": one.multiple,
            "meaning": one.meaning,
        }
        for one in graph.inputs
    ]
    return {
        "producer": f"zerosum {zerosum.__version__}",
        "recipe": about.recipe,
        "task": about.task,
        "choice": graph.name,
        "range": "-1 to 1" if kinds.find(about.kind).pictures else "the data's units",
        "inputs": json.dumps(inputs),
        "model": about.to_json(),
    }


def _axes(one: Input) -> list[int | str]:
    """Return the axes of an input as a file names them."""
    own: list[int | str] = ["length"] if one.free_length else list(one.shape)
    return ["batch", *own] if one.batched else own


def _part(
    graph: Graph, about: PageModel, *, to: Literal["onnx", "pt2"], precision: Precision | Literal["small"]
) -> Part:
    graph, program = trace(graph)
    if to == "pt2":
        buffer = io.BytesIO()
        torch.export.save(program, buffer, extra_files={"zerosum.json": json.dumps(metadata(about, graph))})
        module = torch.export.load(io.BytesIO(buffer.getvalue())).module()
        return _checked(
            Part(graph=graph, content=buffer.getvalue(), parity=measure(graph, lambda given: module(*given)))
        )
    content = to_onnx(graph, program, metadata=metadata(about, graph))
    if precision != "float32":
        half = in_float16(content)
        part = Part(graph=graph, content=half, parity=measure(graph, runner(graph, half)))
        if precision == "float16" or part.parity.levels <= 1:
            return _checked(part)
    return _checked(Part(graph=graph, content=content, parity=measure(graph, runner(graph, content))))


def runner(graph: Graph, content: bytes) -> Any:
    """Return what runs an ONNX file's bytes on a graph's inputs."""
    engine = session(content)
    known = {one.name for one in engine.get_inputs()}

    def run(given: Sequence[Tensor]) -> Tensor:
        named = zip(graph.inputs, given, strict=True)
        feed = {one.name: tensor.contiguous().numpy() for one, tensor in named if one.name in known}
        return torch.from_numpy(engine.run(None, feed)[0])

    return run


def _checked(part: Part) -> Part:
    """Refuse a graph that does not compute what its recipe does, or not anything."""
    if not math.isfinite(part.parity.largest):
        raise InputError(
            "The model, or its exported graph, makes values that are not finite numbers: nothing was written. See "
            "`zerosum doctor RUN`, and export an earlier checkpoint, as by --checkpoint best."
        )
    if part.parity.levels > ALLOWED_LEVELS:
        raise InputError(
            f"The exported graph does not compute what the model does: {part.parity.said()}. The recipe draws numbers "
            "at use that are none of its graph's inputs, or depends on its batch: it cannot be exported."
        )
    return part
