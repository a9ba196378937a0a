"""Graphs traced by torch's exporter: batch size free, and height and width where the network allows it."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.export import Dim
from torch.torch_version import TorchVersion

from zerosum.errors import InputError
from zerosum.exporting.inputs import Graph

EXAMPLES = 2
"""Rows of the example: with 1, torch takes the batch size for a constant."""

TESTED = "2.13"
"""The lowest torch that exports are tested with, which the extra `export` asks for; 2.6 fails."""


def trace(graph: Graph) -> tuple[Graph, torch.export.ExportedProgram]:
    """Trace a graph; return it as it was traced, its size fixed where the network fixes it, and the program.

    Raises:
        InputError: torch cannot trace the recipe.
    """
    try:
        return graph, _traced(graph)
    except Exception as error:
        if not graph.free_size:
            raise refused(error) from error
    try:
        return graph.fixed(), _traced(graph.fixed())
    except Exception as error:
        raise refused(error) from error


def refused(error: Exception) -> InputError:
    """Return what to say where torch's exporter fails: its first line, without the graph that it prints."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith(("Failed to export", "Summary"))), type(error).__name__)
    cause = error.__cause__ or error
    why = (
        "Its generator has a step that depends on the values, or on the number, of what it is given; zerosum.load uses "
        "it as it is."
    )
    if TorchVersion(torch.__version__) < TESTED:
        why = f"Exports are tested from torch {TESTED} on: pip install 'zerosum[export]' brings it."
    return InputError(
        f"This model cannot be exported by torch {torch.__version__}: {type(cause).__name__}: {first[:200]} {why}"
    )


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what torch's exporter prints and logs off the terminal."""
    before = logging.root.manager.disable
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.disable(before)


def _traced(graph: Graph) -> torch.export.ExportedProgram:
    with silence(), torch.no_grad(), _used_alone(graph):
        return torch.export.export(graph.module, graph.draw(EXAMPLES), dynamic_shapes=(_free_axes(graph),))


@contextlib.contextmanager
def _used_alone(graph: Graph) -> Iterator[None]:
    """Leave only those networks in the module that the function uses, so that no file holds a discriminator."""
    recipe = graph.module.recipe
    assert isinstance(recipe, nn.Module)
    ran: set[nn.Module] = set()
    hooks = [part.register_forward_pre_hook(lambda module, _: ran.add(module)) for part in recipe.modules()]
    graph.module(*graph.draw(EXAMPLES))
    for hook in hooks:
        hook.remove()
    kept = dict(recipe._modules)
    for name, child in kept.items():
        if child is not None and ran.isdisjoint(child.modules()):
            del recipe._modules[name]
    try:
        yield
    finally:
        recipe._modules.clear()
        recipe._modules.update(kept)


def _free_axes(graph: Graph) -> tuple[dict[int, Any] | None, ...]:
    """Return which axes of the inputs are free, by their numbers."""
    batch, axes = Dim("batch"), []
    sides = (Dim("h"), Dim("w"))
    for one in graph.inputs:
        free: dict[int, Any] = {0: batch} if one.batched else {}
        if one.free_length:
            free[1] = Dim("length", max=one.shape[0])
        if one.multiple is not None:
            free |= {2 + place: one.multiple * side for place, side in enumerate(sides)}
        axes.append(free)
    return tuple(axes)
