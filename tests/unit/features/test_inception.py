"""The Inception network beside torch-fidelity's, with the same random weights; and the files that weights come in."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.features import inception_weights
from zerosum.features.find import find
from zerosum.features.inception import Inception, resize
from zerosum.features.inception_network import body, units
from zerosum.kinds import open_data

# Of torch-fidelity 0.4.0 with `port_weights()` and `pictures()`: features[0, ::512] and logits_unbiased[0, ::252].
RECORDED = {
    (32, 32): ([0.1101372, 0.7390769, 2.0980022, 0.1896428], [0.9963147, -0.2500135, 0.4561934, -0.396153]),
    (75, 330): ([0.1371034, 0.9035934, 2.2772791, 0.2070249], [1.0971217, -0.3345544, 0.5209594, -0.4038692]),
}


def port_weights() -> dict[str, Tensor]:
    """Random weights under the names of PyTorch's ports, sized so that no layer fades or bursts."""
    draw = torch.Generator().manual_seed(5)
    weights: dict[str, Tensor] = {}
    for name, _, unit in units(body(reduced=False)):
        made, spread = len(unit.weight), (2 / unit.weight[0].numel()) ** 0.5
        weights[f"{name}.conv.weight"] = torch.randn(unit.weight.shape, generator=draw) * spread
        for part, centre in (("weight", 1.0), ("bias", 0.1), ("running_mean", 0.0), ("running_var", 1.0)):
            weights[f"{name}.bn.{part}"] = centre + 0.2 * (torch.rand(made, generator=draw) - 0.5)
    weights["fc.weight"] = torch.randn(1008, 2048, generator=draw) / 2048**0.5
    weights["fc.bias"] = torch.randn(1008, generator=draw)
    return weights


def pictures(height: int, width: int) -> Tensor:
    draw = torch.Generator().manual_seed(height)
    return torch.randint(0, 256, (2, 3, height, width), generator=draw, dtype=torch.uint8)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "port.safetensors"
    safetensors.torch.save_file(port_weights(), path)
    return path


@pytest.fixture(scope="module")
def inception(port: Path) -> Inception:
    torch.set_num_threads(1)
    return Inception("inception", inception_weights.read(port))


@pytest.mark.parametrize("size", RECORDED)
def test_features_and_logits_are_those_that_torch_fidelity_gave(inception: Inception, size: tuple[int, int]) -> None:
    seen = inception(pictures(*size))
    assert seen.logits is not None
    assert (seen.features.shape, seen.logits.shape) == ((2, 2048), (2, 1008))
    for found, expected in zip((seen.features[0, ::512], seen.logits[0, ::252]), RECORDED[size], strict=True):
        torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", RECORDED)
def test_every_feature_and_logit_is_that_of_torch_fidelity(
    inception: Inception, size: tuple[int, int], tmp_path: Path
) -> None:
    torch.save(port_weights(), tmp_path / "port.pth")
    peer = torch_fidelity().FeatureExtractorInceptionV3(
        "peer", ["768", "2048", "logits_unbiased"], tmp_path / "port.pth"
    )
    reduced = Inception("inception-768", inception_weights.read(tmp_path / "port.pth"))
    images = pictures(*size)
    seen = inception(images)
    for found, expected in zip((reduced(images).features, seen.features, seen.logits), peer(images), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def torch_fidelity() -> types.ModuleType:
    """The module of the network alone: the package around it wants torchvision."""
    found = importlib.util.find_spec("torch_fidelity")
    if found is None or found.submodule_search_locations is None:
        pytest.skip("an oracle for tests alone; pip install --no-deps --target FOLDER torch-fidelity, on PYTHONPATH")
    package = types.ModuleType("torch_fidelity")
    package.__path__, package.__spec__ = list(found.submodule_search_locations), found
    sys.modules.setdefault("torch_fidelity", package)
    return importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")


def test_the_resizer_neither_aligns_corners_nor_shifts_centres_nor_smooths() -> None:
    ramp = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    assert resize(ramp, 4)[0, 0].tolist() == [[0, 2, 4, 4], [4, 6, 8, 8], [8, 10, 12, 12], [8, 10, 12, 12]]
    assert resize(torch.arange(6.0).expand(1, 1, 6, 6), 3)[0, 0].tolist() == [[0, 2, 4]] * 3


def test_making_the_network_and_seeing_draw_nothing_at_random(port: Path) -> None:
    before = torch.get_rng_state()
    Inception("inception-768", inception_weights.read(port))(pictures(8, 8))
    assert torch.equal(torch.get_rng_state(), before)


def test_gray_is_seen_as_rgb_and_transparency_on_white(inception: Inception) -> None:
    gray = pictures(20, 20)[:, :1]
    clear = torch.cat([pictures(20, 20), torch.zeros(2, 1, 20, 20, dtype=torch.uint8)], 1)
    with torch.autocast("cpu", torch.bfloat16):  # whatever a training around it computes in
        found = inception(gray).features
    assert torch.equal(found, inception(gray.repeat(1, 3, 1, 1)).features)
    torch.testing.assert_close(inception(clear).features, inception(torch.full_like(pictures(20, 20), 255)).features)


def test_the_reduced_form_is_read_by_the_names_of_the_graph(inception: Inception, port: Path, tmp_path: Path) -> None:
    folded = inception_weights.read(port)
    arrays = {}
    for name, scope, _ in units(body(reduced=True)):
        arrays[f"{scope}/w"] = folded[f"{name}.weight"].half().numpy()
        arrays[f"{scope}/b"] = folded[f"{name}.bias"].numpy()
    assert {"conv_4/w", "mixed_tower_2_conv/b", "mixed_3_tower_conv_2/w", "mixed_7_tower_1_conv_4/w"} <= set(arrays)
    np.savez(tmp_path / "reduced.npz", **arrays)
    found = Inception("inception-768", inception_weights.read(tmp_path / "reduced.npz"))
    whole = Inception("inception-768", folded)
    assert found.identity != whole.identity != inception.identity
    one, other = (extractor(pictures(32, 32)).features for extractor in (found, whole))
    torch.testing.assert_close(one, other, rtol=2e-2, atol=2e-2)
    assert one.shape == (2, 768)


def test_weights_of_another_file_than_the_published_one_are_not_called_inception(port: Path, tmp_path: Path) -> None:
    assert find(f"inception:{port}", reference=open_data("digits"), cache=tmp_path).name == "inception-own"


def test_a_file_that_holds_something_else_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    torch.save({"conv": torch.zeros(3)}, tmp_path / "other.pth")
    for name in ("other.npz", "other.pth"):
        with pytest.raises(InputError, match="does not hold the weights of the Inception network"):
            inception_weights.read(tmp_path / name)
    for name, sentence in (("text.pth", "does not hold tensors"), ("missing.npz", "There is no weights file")):
        with pytest.raises(InputError, match=sentence):
            inception_weights.read(tmp_path / name)


def test_without_weights_it_says_where_to_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path / "data"))
    place = re.escape(str(tmp_path / "data" / "weights"))
    with pytest.raises(InputError, match=f"put inception_2015_12_05_to_mixed8_fp16.npz into {place}, or give its path"):
        inception_weights.locate("inception-768", cache=tmp_path)
    file = tmp_path / "data" / "weights" / inception_weights.FILES["inception"]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    assert inception_weights.locate("inception", cache=tmp_path) == file
    with pytest.raises(InputError, match="SHA-256"):
        inception_weights.genuine(inception_weights.SHA256, file)


@pytest.mark.skipif("ZEROSUM_DATA" not in os.environ, reason="real weights are under $ZEROSUM_DATA")
def test_every_array_of_the_real_reduced_weights_has_its_place() -> None:
    path = Path(os.environ["ZEROSUM_DATA"]) / "weights" / inception_weights.FILES["inception-768"]
    with np.load(path) as file:
        assert len(inception_weights.read(path)) == len(file.files)
