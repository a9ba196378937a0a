"""`zerosum export`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zerosum as library
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.exporting import onnx_file, runtime
from zerosum.inference.generate import generate
from zerosum.inference.latents import latent_of_seed
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = onnxruntime = None

with_extra = pytest.mark.skipif(onnx is None, reason="needs the extra export")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "digits.v1"
    settings = {"rounds": 4, "batch": 8, "size": "16", "progress": Silent(), **SMALL["dcgan"]}
    return api.train("digits", recipe="dcgan", run=place, **settings).path


@with_extra
def test_an_onnx_file_runs_without_zerosum(digits: Path, zerosum: Any) -> None:
    said = zerosum("export", digits)
    path = digits / "exports" / "digits.v1.onnx"
    assert (said.code, said.out) == (0, f"{path}\n")
    assert said.err.startswith("Beside the model in PyTorch: largest difference ")
    assert "by 0 of 255 at most (60 samples in batches of 1, 3, 16)." in said.err

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])  # type: ignore[union-attr]
    model = api.load(digits, device="cpu")
    (made,) = session.run(None, {"latent": latent_of_seed(model, 5).numpy()})
    ours = to_uint8(generate(model, 1, 5))
    assert torch.equal(to_uint8(torch.from_numpy(made)), ours)
    facts = session.get_modelmeta().custom_metadata_map
    assert (facts["recipe"], facts["range"]) == ("dcgan", "-1 to 1")
    about = json.loads(facts["model"])
    assert about["fingerprint"] == Run(digits).description["id"]
    assert [one["name"] for one in about["controls"]] == ["truncation"]
    assert str(digits.parent) not in path.read_bytes().decode("latin1"), "where the run lies stays at home"
    (found,) = json.loads(facts["inputs"])
    assert (found["name"], found["shape"]) == ("latent", ["batch", about["latent_dim"]])


@pytest.mark.slow
@with_extra
def test_half_the_bytes_and_a_program_of_torch(digits: Path, zerosum: Any) -> None:
    zerosum("export", digits, "--out", "whole.onnx")
    zerosum("export", digits, "--out", "half.onnx", "--precision", "float16")
    whole, half = onnx.load("whole.onnx"), onnx.load("half.onnx")  # type: ignore[union-attr]
    weights = [sum(len(one.raw_data) for one in model.graph.initializer) for model in (whole, half)]
    assert weights[1] < 0.6 * weights[0]

    said = zerosum("export", digits, "--to", "pt2", "--out", "program.pt2")
    assert (said.code, said.out) == (0, "program.pt2\n")
    program = torch.export.load("program.pt2")
    assert not any("discriminator" in name for name in program.state_dict)
    latent = torch.randn(5, 100)
    with torch.no_grad():
        ours = api.load(digits, device="cpu").sample(5, latent=latent)
    torch.testing.assert_close(program.module()(latent), ours)
    (one,) = library.export(digits, to="pt2", out="again.pt2")
    assert one.parity.levels == 0


@pytest.mark.slow
@with_extra
def test_a_folder_for_a_server(digits: Path, zerosum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "zerosum.exporting.web.find_runtime", lambda given, cache: runtime.Runtime(script=b"", binary=b"")
    )
    said = zerosum("export", digits, "--to", "web", "--folder", "--out", "site", "--title", "<i>Mine</i>")
    assert (said.code, said.out) == (0, "site/index.html\n")
    assert said.err.endswith("to try it: python -m http.server --directory site\n")
    assert {path.name for path in Path("site").iterdir()} == {"index.html", "model.gz", "script.gz", "binary.gz"}
    page = Path("site/index.html").read_text()
    assert "<i>Mine" not in page
    assert "connect-src &#39;self&#39;" in page
    assert "onclick" not in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "pt2", "--precision", "float16"], "leave it out with --to pt2"),
        (["--folder"], "--folder is of --to web"),
        (["--runtime", "nowhere.tgz"], "--runtime is of --to web"),
        (["--out", "model.txt"], "--out is model.txt, and --to onnx writes .onnx"),
        (["--to", "web", "--runtime", "nowhere.tgz"], "nowhere.tgz is not the package onnxruntime-web"),
    ],
)
@with_extra
def test_what_cannot_be_done_is_one_sentence(digits: Path, zerosum: Any, arguments: list[str], sentence: str) -> None:
    said = zerosum("export", digits, *arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_without_the_extra_it_says_what_to_type(digits: Path, zerosum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    said = zerosum("export", digits)
    assert (said.code, said.err) == (2, "Export needs onnx, which is not installed: pip install 'zerosum[export]'.\n")


@with_extra
def test_another_runtime_than_the_published_one_is_refused(digits: Path, zerosum: Any) -> None:
    Path("ort").mkdir()
    for name, _ in runtime.FILES.values():
        Path("ort", name).write_bytes(b"something else")
    said = zerosum("export", digits, "--to", "web", "--runtime", "ort")
    assert (said.code, said.out) == (2, "")
    assert "is not that of onnxruntime-web" in said.err


@with_extra
def test_points_are_no_page(zerosum: Any, tmp_path: Path) -> None:
    settings = {"rounds": 2, "batch": 8, "progress": Silent(), **SMALL["gan"]}
    api.train("ring8", recipe="gan", run=tmp_path / "points", **settings)
    said = zerosum("export", tmp_path / "points", "--to", "web")
    assert said.code == 2
    assert said.err == "A page shows images, and this model makes points: export it by --to onnx.\n"


@with_extra
def test_images_of_five_channels_are_no_page(zerosum: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "bands.npy", np.zeros((16, 16, 16, 5), np.uint8))
    settings = {"rounds": 1, "batch": 4, "progress": Silent(), **SMALL["dcgan"]}
    made = api.train(tmp_path / "bands.npy", recipe="dcgan", run=tmp_path / "bands", **settings)
    said = zerosum("export", made.path, "--to", "web")
    assert said.code == 2
    assert said.err == "A page shows images of 1 to 4 channels, and these have 5: export by --to onnx.\n"


GRAPH = '''
import torch
from zerosum.recipes.gan import GAN


class Odd(GAN):
    """A generator whose steps depend on the values that it is given."""

    def sample(self, n, *, latent=None, truncation=None):
        z = self.latents(n, latent, truncation)
        return self.generator(z) if float(z.sum()) > 0 else -self.generator(z)
'''


@with_extra
def test_a_recipe_that_cannot_be_traced_is_one_sentence(zerosum: Any) -> None:
    Path("odd.py").write_text(GRAPH)
    settings = {"rounds": 2, "batch": 8, "progress": Silent(), **SMALL["gan"]}
    api.train("ring8", recipe="odd.py", run="odd", **settings)
    said = zerosum("export", "odd", "--recipe", "odd.py")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("This model cannot be exported by torch ")
    assert said.err.count("\n") == 1
    assert np.all([len(line) < 600 for line in said.err.splitlines()])
