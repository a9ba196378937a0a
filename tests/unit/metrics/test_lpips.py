"""LPIPS against an independent implementation with the same weights, and what it refuses."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch
from torch import nn

from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.features.classifier import Classifier
from zerosum.metrics.lpips import FeatureStack, lpips, lpips_classifier, outputs_of, stage_distance
from zerosum.runtime.external_weights import read_weights

REASON = "the oracles are among the extras of development"
WIDTHS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}


@pytest.fixture
def files(tmp_path):
    """Write random weights of a backbone, of the size of trained ones, and random heads."""

    def write(backbone):
        stack = FeatureStack(backbone)
        for layer in stack.features:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
        state = stack.state_dict() | {"classifier.1.weight": torch.ones(2)}
        safetensors.torch.save_file(state, tmp_path / f"{backbone}.safetensors")
        heads = {f"lin{s}.model.1.weight": torch.rand(1, width, 1, 1) for s, width in enumerate(WIDTHS[backbone])}
        torch.save(heads, tmp_path / f"{backbone}.pth")
        return {"weights": tmp_path / f"{backbone}.safetensors", "heads": tmp_path / f"{backbone}.pth"}

    return write


def plain(backbone):
    """The same networks, laid out as torchvision does."""
    if backbone == "alex":
        sizes = [(3, 64, 11, 4, 2), None, (64, 192, 5, 1, 2), None, (192, 384, 3, 1, 1), (384, 256, 3, 1, 1)]
        sizes += [(256, 256, 3, 1, 1), None]
    else:
        sizes, before = [], 3
        for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(count):
                sizes.append((before, width, 3, 1, 1))
                before = width
            sizes.append(None)
    layers = []
    for size in sizes:
        pool = nn.MaxPool2d(3, 2) if backbone == "alex" else nn.MaxPool2d(2, 2)
        layers += [pool] if size is None else [nn.Conv2d(*size[:3], stride=size[3], padding=size[4]), nn.ReLU()]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(("backbone", "side"), [("alex", 64), ("vgg", 32)])
def test_lpips_is_that_of_torchmetrics_given_the_same_backbone(backbone, side, files, monkeypatch):
    oracle = pytest.importorskip("torchmetrics.functional.image.lpips", reason=REASON)
    monkeypatch.setattr(oracle, "_get_tv_model_features", lambda net, pretrained: plain(backbone))
    theirs = oracle._LPIPS(pretrained=False, net=backbone, pnet_rand=True)
    given = files(backbone)
    weights = [value for name, value in read_weights(given["weights"]).items() if name.startswith("features.")]
    state = theirs.net.state_dict()
    # By order: torchmetrics numbers the layers within each stage.
    theirs.net.load_state_dict(dict(zip(state, sorted_by_layer(given["weights"], len(weights)), strict=True)))
    theirs.load_state_dict(read_weights(given["heads"]), strict=False)
    a, b = torch.rand(3, 3, side, side) * 2 - 1, torch.rand(3, 3, side, side) * 2 - 1
    expected = theirs(a, b).flatten()
    found = lpips(backbone, **given)(a, b)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert found.min() > 0.01


def sorted_by_layer(path, count):
    found = {name: value for name, value in read_weights(path).items() if name.startswith("features.")}
    names = sorted(found, key=lambda name: (int(name.split(".")[1]), name.endswith("bias")))
    assert len(names) == count
    return [found[name] for name in names]


def test_equal_images_are_0_apart_and_gray_is_seen_as_equal_channels(files):
    distance = lpips("alex", **files("alex"))
    gray = torch.randint(0, 256, (2, 1, 40, 40), dtype=torch.uint8)
    other = torch.randint(0, 256, (2, 1, 40, 40), dtype=torch.uint8)
    assert distance(gray, gray).tolist() == [0.0, 0.0]
    colour = distance(*(to_float(side).expand(-1, 3, -1, -1) for side in (gray, other)))
    torch.testing.assert_close(distance(gray, other), colour)


def test_a_stage_counts_by_its_heads_and_its_mean_over_places():
    a, b = torch.zeros(1, 2, 1, 2), torch.zeros(1, 2, 1, 2)
    a[0, 0], b[0, 0, 0, 0], b[0, 1, 0, 1] = 5.0, 2.0, 7.0  # equal directions at one place, perpendicular at the other
    assert stage_distance([a], [b], [torch.tensor([3.0, 4.0])]).item() == pytest.approx((3 + 4) / 2)
    assert stage_distance([a, a], [b, b]).item() == pytest.approx(2.0)


def test_the_classifiers_distance_has_a_name_of_its_own_and_is_seen_through_its_stages():
    network = Classifier(1, 10).eval().requires_grad_(False)
    distance = lpips_classifier(outputs_of(network.stages))
    assert distance.name == "lpips-classifier"
    images = torch.randint(0, 256, (20, 1, 16, 16), dtype=torch.uint8)
    found = distance(images, images.flip(0))
    maps = to_float(images)
    expected = torch.zeros(20)
    for stage in network.stages:
        maps = stage(maps)
        expected += 2 - 2 * torch.cosine_similarity(maps, maps.flip(0)).mean((1, 2))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_files_that_are_not_the_weights_are_refused_in_a_sentence(files, tmp_path):
    alex, vgg = files("alex"), files("vgg")
    with pytest.raises(InputError, match="backbone vgg"):
        lpips("vgg", weights=alex["weights"], heads=vgg["heads"])
    with pytest.raises(InputError, match="heads of alex"):
        lpips("alex", weights=alex["weights"], heads=vgg["heads"])
    with pytest.raises(InputError, match="no weights file"):
        lpips("alex", weights=tmp_path / "nowhere.pth", heads=alex["heads"])
    (tmp_path / "junk.pth").write_bytes(b"junk")
    with pytest.raises(InputError, match="does not hold tensors"):
        lpips("alex", weights=alex["weights"], heads=tmp_path / "junk.pth")
    negative = {name: -value for name, value in read_weights(alex["heads"]).items()}
    safetensors.torch.save_file(negative, tmp_path / "negative.safetensors")
    with pytest.raises(InputError, match="negative"):
        lpips("alex", weights=alex["weights"], heads=tmp_path / "negative.safetensors")


def test_a_pickle_with_more_than_tensors_is_not_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return (exec, ("raise SystemExit('harm')",))

    torch.save({"a": Harm()}, tmp_path / "harm.pth")
    with pytest.raises(InputError, match="nothing else"):
        read_weights(tmp_path / "harm.pth")


def test_images_that_cannot_be_seen_are_refused(files):
    distance = lpips("alex", **files("alex"))
    with pytest.raises(InputError, match="31 pixels"):
        distance(torch.zeros(1, 3, 28, 28), torch.zeros(1, 3, 28, 28))
    with pytest.raises(InputError, match="outside"):
        distance(torch.full((1, 3, 40, 40), 255.0), torch.zeros(1, 3, 40, 40))
    with pytest.raises(InputError, match="one size"):
        distance(torch.zeros(1, 3, 40, 40), torch.zeros(2, 3, 40, 40))
