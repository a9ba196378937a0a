"""Exported runs that paint: `zerosum paint FILE`, parity with the run, what the file says, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.recipes.conftest import SMALL, contrasts
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.data.sentences import WordReader
from zerosum.inference.generate import CHUNK, SAMPLES
from zerosum.inference.paint import paint
from zerosum.run.load import load
from zerosum.runtime import rng
from zerosum.runtime.progress import Silent

onnx = pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")
pytestmark = pytest.mark.slow

TEXT = "a LARGE red circle, and a zebra"


@pytest.fixture(scope="module", params=[3, 6], ids=["stage one", "stage two"])
def run(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run on captioned shapes; of 3 rounds, two of the encoder, no second stage is played."""
    settings = {"batch": 4, "size": "32", "device": "cpu", "latent_dim": 4, **SMALL["stackgan"]}
    settings |= {"rounds": request.param, "encoder_rounds": 2 if request.param == 3 else 1}
    place = tmp_path_factory.mktemp("paint") / "shapes"
    with contrasts():
        return api.train("captioned-shapes", recipe="stackgan", run=place, progress=Silent(), **settings).path


def test_a_file_paints_what_its_run_paints(run: Path, zerosum: Any, tmp_path: Path) -> None:
    path = tmp_path / "painter.onnx"
    said = zerosum("export", run, "--out", path)
    assert said.code == 0, said.err
    assert "(60 samples in batches of 1, 3, 16)" in said.err
    for subject, out in ((run, "run.npy"), (path, "file.npy")):
        said = zerosum("paint", subject, TEXT, "-n", 19, "--seed", 7, "--out", out)
        assert said.code == 0, said.err
        assert "No caption that the run was trained on has zebra: painted from the rest" in said.err
    ours, theirs = np.load("run.npy").astype(int), np.load("file.npy").astype(int)
    assert len(ours) == 19
    assert np.abs(ours - theirs).max() <= 1
    assert np.abs(ours[0] - ours[1]).max() > 1
    assert zerosum("paint", path, TEXT, "-n", 2).out.strip() == str(
        tmp_path / "painted" / "a-large-red-circle-and-a-zebra-2-seed-0.png"
    )
    refused = zerosum("evaluate", path, "--against", "captioned-shapes")
    assert (refused.code, "evaluate the run that it comes from" in refused.err) == (2, True)
    refused = zerosum("paint", path, TEXT, "--checkpoint", "best")
    assert (refused.code, "leave out --recipe, --checkpoint and --device" in refused.err) == (2, True)


def test_a_program_of_torch_says_how_sentences_are_read(run: Path, zerosum: Any) -> None:
    assert zerosum("export", run, "--to", "pt2", "--out", "painter.pt2").code == 0
    kept = {"zerosum.json": ""}
    program = torch.export.load("painter.pt2", extra_files=kept).module()
    rules = json.loads(json.loads(kept["zerosum.json"])["model"])["text"]
    words = WordReader(vocabulary=tuple(rules["vocabulary"]), most=rules["most"])([TEXT]).expand(CHUNK, -1)
    with rng.fork(torch.device("cpu"), seed=rng.derived(5, SAMPLES)), torch.no_grad():
        made = program(words, *(torch.randn(CHUNK, width) for _, width in rules["noise"]))
    ours = paint(load(run, device="cpu"), TEXT, CHUNK, 5)
    assert int((to_uint8(made).int() - to_uint8(ours).int()).abs().max()) <= 1


def test_files_that_do_not_paint_are_refused(zerosum: Any) -> None:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("latent", "sample")]
    node = helper.make_node("Add", ["latent", "latent"], ["sample"])
    about = {"task": "paint", "kind": "captions", "shape": [3, 8, 8], "text": {}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"task": "generate"}, "does not paint texts"),
        (about, "does not say how a sentence is read"),
        (about | {"text": {"vocabulary": ["a"], "most": 4, "noise": [["z", 2]]}}, "of a run that paints"),
    ]
    for said, sentence in cases:
        model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), ir_version=10)
        model.opset_import[0].version = 18
        for name, value in {"model": json.dumps(said), "inputs": "[]"}.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = name, value
        Path("odd.onnx").write_bytes(model.SerializeToString())
        refused = zerosum("paint", "odd.onnx", "a circle")
        assert refused.code == 2
        assert sentence in refused.err or "takes other inputs" in refused.err or "does not say" in refused.err
    Path("text.onnx").write_text("no model")
    assert "is no generator that zerosum can read" in zerosum("paint", "text.onnx", "a circle").err
