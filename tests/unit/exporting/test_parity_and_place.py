"""What an export refuses: places that cannot be written, before its work, and graphs that are not the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.errors import InputError
from zerosum.exporting.export import _place
from zerosum.exporting.files import Part, _checked
from zerosum.exporting.inputs import Function, Graph, Input
from zerosum.exporting.parity import measure
from zerosum.run.directory import Run


def graph(shape: tuple[int, ...], scale: float) -> Graph:
    """Latents times a number, as samples of a recipe on points or images."""
    recipe = game("gan", shape).recipe.eval()
    latent = Input(name="latent", shape=shape, draw=lambda n: torch.rand(n, *shape) * 2 - 1, meaning="")
    return Graph(name="", module=Function(recipe, lambda x: x * scale), inputs=(latent,), output="", free_size=False)


def test_points_are_compared_in_their_own_units() -> None:
    wrong = graph((2,), 8.0)
    found = measure(wrong, lambda given: given[0] * 8.0 + given[0].sign())
    assert found.levels > 2, "a shift by 1 of values up to 8, most of which lie beyond 1"
    assert found.span == pytest.approx(8, rel=0.1)
    assert f"in [-{found.span:.3g}, {found.span:.3g}]" in found.said()
    with pytest.raises(InputError, match="does not compute what the model does"):
        _checked(Part(graph=wrong, content=b"", parity=found))
    right = measure(wrong, lambda given: given[0] * 8.0)
    assert (right.levels, right.largest) == (0, 0)


def test_images_are_compared_as_they_are_drawn() -> None:
    found = measure(graph((1, 4, 4), 8.0), lambda given: (given[0] * 8.0).clamp(-1, 1))
    assert (found.levels, found.span) == (0, 1.0)
    assert "in [-1, 1]" in found.said()


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_model_that_has_diverged_is_not_exported(scale: float) -> None:
    diverged = graph((2,), scale)
    with pytest.raises(InputError, match="not finite"):
        _checked(Part(graph=diverged, content=b"", parity=measure(diverged, lambda given: given[0] * scale)))


@pytest.mark.parametrize(
    ("out", "asked", "sentence"),
    [
        ("folder.onnx", {}, "which is a folder"),
        ("file", {"folder": True, "to": "web"}, "which is a file"),
        ("file/model.onnx", {}, "cannot be written to"),
        ("file/deep/site", {"folder": True, "to": "web"}, "cannot be written to"),
    ],
)
def test_a_place_is_refused_before_the_work(out: str, asked: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 2, "recipe": "gan"}))
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=sentence):
        _place(tmp_path / out, Run.open(tmp_path), **{"to": "onnx", "folder": False, **asked})
    new = tmp_path / "new" / "model.onnx"
    assert _place(new, Run.open(tmp_path), to="onnx", folder=False) == new
