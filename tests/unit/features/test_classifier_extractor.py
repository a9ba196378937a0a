"""The small classifier, by itself and as an extractor that is trained once and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from zerosum.data.dataset import Dataset
from zerosum.errors import InputError
from zerosum.features.classifier import Classifier, accuracy, fit
from zerosum.features.classifier_extractor import trained_on, trained_once
from zerosum.kinds import open_data


def quarters(count: int, *, size: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with one bright quarter, which is the label."""
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 120, (count, 1, size, size), generator=draw, dtype=torch.uint8)
    labels = torch.randint(4, (count,), generator=draw)
    half = size // 2
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0, (label // 2) * half :, (label % 2) * half :][:half, :half] += 100
    return images, labels


def dataset(count: int, *, seed: int = 0, fingerprint: str = "q") -> Dataset:
    images, labels = quarters(count, seed=seed)
    like = open_data("digits")
    return replace(
        like,
        samples=images.permute(0, 2, 3, 1).numpy(),
        labels=labels.numpy(),
        spec=replace(like.spec, shape=(1, 12, 12), classes=("a", "b", "c", "d")),
        fingerprint=fingerprint,
    )


def test_it_learns_handwritten_digits_in_seconds() -> None:
    digits = open_data("digits")
    assert digits.labels is not None
    images = torch.from_numpy(digits.samples[:, ::2, ::2]).permute(0, 3, 1, 2)
    labels = torch.from_numpy(digits.labels)
    network = fit(images[:1400], labels[:1400], classes=10, epochs=4)
    assert accuracy(network, images[1400:], labels[1400:]) > 0.93


def test_the_same_seed_gives_the_same_classifier_and_leaves_the_other_draws_alone() -> None:
    images, labels = quarters(200)
    torch.manual_seed(1)
    told: list[tuple[str, int, int]] = []
    one = fit(images, labels, classes=4, epochs=2, progress=lambda *what: told.append(what))
    after = torch.rand(1)
    torch.manual_seed(2)
    two = fit(images, labels, classes=4, epochs=2)
    other = fit(images, labels, classes=4, epochs=2, seed=1)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.head.weight, other.head.weight)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    assert told == [("classifier", step, 4) for step in range(1, 5)]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 14), (4, 130, 40)])
def test_it_sees_images_of_any_channels_and_size_each_by_itself(shape: tuple[int, ...]) -> None:
    network = Classifier(shape[0], 5).eval()
    images = torch.randint(0, 256, (3, *shape), dtype=torch.uint8)
    seen, first = network(images), network(images[:1])
    assert (seen.features.shape, seen.logits.shape) == ((3, 128), (3, 5))
    torch.testing.assert_close(seen.logits[:1], first.logits, rtol=1e-4, atol=1e-5)


def test_images_without_as_many_labels_are_refused() -> None:
    images, labels = quarters(10)
    with pytest.raises(InputError, match="10 images from 9 labels"):
        fit(images, labels[:9], classes=4, epochs=1)


def test_the_extractor_is_trained_once_and_says_how_well_it_does(tmp_path: Path) -> None:
    reference, held_out = dataset(100), dataset(60, seed=1, fingerprint="h")
    told: list[tuple[str, int, int]] = []
    found = trained_on(reference, held_out=held_out, cache=tmp_path, progress=lambda *what: told.append(what))
    images, labels = quarters(60, seed=1)
    assert found.test_accuracy == accuracy(found.network, images, labels) > 0.95
    assert f"{100 * found.test_accuracy:.3g} % right on 60 other images of {held_out.source}" in found.protocol
    told.clear()
    before = torch.get_rng_state()
    again = trained_on(reference, held_out=held_out, cache=tmp_path, progress=lambda *what: told.append(what))
    assert not told
    assert torch.equal(torch.get_rng_state(), before)
    assert (again.identity, again.protocol) == (found.identity, found.protocol)
    assert torch.equal(again(images).features, found(images).features)
    with pytest.raises(InputError, match="bring both sides to --channels 1"):
        found(images.repeat(1, 3, 1, 1))


def test_without_a_held_out_set_the_other_half_tests_it(tmp_path: Path) -> None:
    reference = dataset(100)
    assert reference.labels is not None
    found = trained_on(reference, cache=tmp_path)
    kept = np.arange(1, 100, 2)
    images, labels = quarters(100)
    assert found.test_accuracy == accuracy(found.network, images[kept], labels[kept])
    assert "trained on 50 images" in found.protocol
    assert f"right on 50 other images of {reference.source}" in found.protocol


@pytest.mark.parametrize("damage", ["bytes", "other network", "no accuracy"])
def test_a_kept_classifier_that_cannot_be_read_is_trained_again(tmp_path: Path, damage: str) -> None:
    path, images = tmp_path / "c.safetensors", torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    network, calls = Classifier(1, 10).eval(), list[str]()

    def once() -> tuple[Classifier, float]:
        return trained_once(path, lambda: calls.append("trained") or (network, 0.5), channels=1, classes=10)

    once()
    again, right = once()
    assert (calls, right) == (["trained"], 0.5)
    assert torch.equal(again(images).logits, network(images).logits.detach())
    if damage == "bytes":
        path.write_bytes(b"something else")
    else:
        weights = Classifier(1, 10 if damage == "no accuracy" else 9).state_dict()
        save_file(weights, path, metadata=None if damage == "no accuracy" else {"accuracy": "0.5"})
    assert torch.equal(once()[0](images).logits, network(images).logits.detach())
    assert calls == ["trained", "trained"]


def test_data_without_labels_or_with_other_classes_are_refused(tmp_path: Path) -> None:
    reference = dataset(40)
    with pytest.raises(InputError, match="no labels of two classes or more"):
        trained_on(replace(reference, labels=None), cache=tmp_path)
    with pytest.raises(InputError, match="other classes"):
        trained_on(reference, held_out=open_data("digits"), cache=tmp_path)
    with pytest.raises(InputError, match="too few for a classifier"):
        trained_on(dataset(12), cache=tmp_path)
