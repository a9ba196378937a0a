"""Every recipe as an ONNX file: free batch, parity with the recipe, weights in float16."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.conftest import game, plays_on_points
from zerosum import recipes
from zerosum.exporting.files import runner
from zerosum.exporting.graph import graphs
from zerosum.exporting.parity import measure
from zerosum.exporting.trace import trace
from zerosum.recipe import Recipe

onnx_file = pytest.importorskip("zerosum.exporting.onnx_file", reason="needs the extra export")
pytest.importorskip("torch", minversion="2.13", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")

FAST = ("dcgan", "pix2pix", "srgan")
SHAPES: dict[str, tuple[int, ...]] = {"unrolled": (2,)}
TOLERANCE = 2e-4
"""Of graphs that normalise by their own values, in which rounding grows; most stay below 1e-6."""


def model(name: str) -> Recipe:
    """A recipe with all statistics in place, after two rounds."""
    made = game(name, SHAPES.get(name, (3, 16, 16)), rounds=4)
    for _ in range(2):
        made.recipe.round(made)
    return made.recipe.eval()


def cases() -> list[Any]:
    return [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in recipes.names()]


@pytest.mark.parametrize("name", cases())
def test_it_computes_what_the_recipe_does(name: str) -> None:
    for given in graphs(model(name)):
        graph, program = trace(given)
        assert graph.free_size == given.free_size, "the size was to be free"
        content = onnx_file.to_onnx(graph, program, metadata={"recipe": name})
        found = measure(graph, runner(graph, content))
        assert found.largest < TOLERANCE, found
        assert found.levels <= 1
        if graph.free_size:
            assert_other_size(graph, content)


def assert_other_size(graph: Any, content: bytes) -> None:
    """Height and width can be others than in training."""
    multiple = graph.inputs[0].multiple
    source = torch.rand(2, graph.inputs[0].shape[0], 6 * multiple + 12, 8 * multiple + 12) * 2 - 1
    with torch.no_grad():
        theirs = runner(graph, content)([source])
        torch.testing.assert_close(graph.module(source), theirs, atol=TOLERANCE, rtol=0)


@pytest.mark.slow
def test_points_can_be_exported() -> None:
    assert plays_on_points("gan")
    recipe = game("gan", (2,)).recipe.eval()
    (graph,) = graphs(recipe)
    graph, program = trace(graph)
    content = onnx_file.to_onnx(graph, program, metadata={})
    assert measure(graph, runner(graph, content)).largest < 1e-5
