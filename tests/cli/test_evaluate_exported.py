"""`zerosum evaluate` of an exported generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.evaluation.result import Evaluation
from zerosum.runtime.progress import Silent

onnx = pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")

ASKED = ("--features", "pixels", "--count", 100, "--metrics", "fid,kid,precision,recall")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dcgan", "cgan"])
def test_it_gets_the_figures_of_its_run(zerosum: Any, recipe: str) -> None:
    settings = {"rounds": 4, "batch": 8, "size": "16", "progress": Silent(), **SMALL[recipe]}
    api.train("digits", recipe=recipe, run="run", **settings)
    assert zerosum("export", "run", "--out", "model.onnx").code == 0
    assert zerosum("evaluate", "run", "--against", "digits", *ASKED, "--out", "run.json").code == 0
    said = zerosum("evaluate", "model.onnx", "--against", "digits", *ASKED, "--out", "file.json")
    assert said.code == 0, said.err
    ours, theirs = (Evaluation.read(Path(name)) for name in ("run.json", "file.json"))
    assert [one.metric for one in theirs.figures] == [one.metric for one in ours.figures]
    assert ours["fid"].value > 0
    for a, b in zip(ours.figures, theirs.figures, strict=True):
        assert b.value == pytest.approx(a.value, rel=1e-4, abs=1e-6), a.metric
        assert b.floor == pytest.approx(a.floor, rel=1e-6), a.metric


def tiny(path: str, **about: Any) -> None:
    """Write an ONNX file that doubles its latent, and says of itself what it is given."""
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("latent", "sample")]
    node = helper.make_node("Add", ["latent", "latent"], ["sample"])
    model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), ir_version=10)
    model.opset_import[0].version = 18
    for name, value in {"model": json.dumps(about), "inputs": "[]"}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    Path(path).write_bytes(model.SerializeToString())


ABOUT = {
    "task": "generate",
    "kind": "points",
    "shape": [2],
    "latent_dim": 2,
    "prior": {"law": "normal"},
} | dict.fromkeys(("classes", "class_counts", "attributes", "attribute_rows", "attribute_shares"), ())


@pytest.mark.slow
def test_points_are_compared_with_points(zerosum: Any) -> None:
    tiny("points.onnx", **ABOUT)
    said = zerosum("evaluate", "points.onnx", "--against", "ring8", "--count", 200)
    assert said.code == 0, said.err
    assert "ring8" in said.out
    refused = zerosum("evaluate", "points.onnx", "--against", "digits")
    assert (refused.code, "makes points" in refused.err) == (2, True), refused.err


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({}, "is no generator that zerosum can read (KeyError)"),
        (ABOUT | {"kind": "<img>"}, "is no generator that zerosum can read"),
        (ABOUT | {"shape": "x"}, "is no generator that zerosum can read (ValueError)"),
        (ABOUT | {"prior": {"law": "codes"}}, "evaluate the run that it comes from"),
        (ABOUT | {"task": "translate"}, "evaluate the run that it comes from"),
    ],
)
def test_other_files_are_refused_in_a_sentence(zerosum: Any, about: dict[str, Any], sentence: str) -> None:
    tiny("model.onnx", **about)
    said = zerosum("evaluate", "model.onnx", "--against", "ring8")
    assert (said.code, said.err.count("\n")) == (2, 1), said.err
    assert sentence in said.err
    alone = zerosum("evaluate", "model.onnx")
    assert (alone.code, "--against DATA" in alone.err) == (2, True)


def test_what_is_no_onnx_is_refused(zerosum: Any) -> None:
    Path("model.onnx").write_bytes(b"nothing")
    said = zerosum("evaluate", "model.onnx", "--against", "ring8")
    assert (said.code, said.err.count("\n")) == (2, 1), said.err
