"""Extractors that learn nothing, how extractors are found, and features of many images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.data.packing.seal import seal
from zerosum.errors import InputError
from zerosum.features.extract import extract, of_dataset, rows
from zerosum.features.extractor import Features, as_rgb
from zerosum.features.find import default, find, names
from zerosum.features.untrained import Pixels, Random
from zerosum.kinds import open_data


class Sums:
    """Counts the images that it sees: F = 1, K = 2."""

    name, identity, protocol, width = "sums", "sums-1", "The sum of all levels.", 1

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, images: Tensor) -> Features:
        self.seen += len(images)
        total = images.flatten(1).float().sum(1, keepdim=True)
        return Features(features=total, logits=torch.cat([total, -total], 1))


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return open_data("digits")


def test_features_are_computed_without_tf32() -> None:
    class Watching(Sums):
        def __call__(self, images: Tensor) -> Features:
            assert not torch.backends.cudnn.allow_tf32
            return super().__call__(images)

    watching = Watching()
    assert torch.backends.cudnn.allow_tf32, "PyTorch's default"
    extract(watching, [torch.zeros(3, 1, 4, 4, dtype=torch.uint8)], count=3)
    assert watching.seen == 3
    assert torch.backends.cudnn.allow_tf32


def test_pixels_are_the_pixels(digits: Dataset) -> None:
    pixels = Pixels(digits.spec.shape)
    batch = digits.batch(np.arange(2)).real  # type: ignore[attr-defined]
    assert torch.equal(pixels(batch).features, batch.flatten(1) / 255)
    assert pixels.width == 32 * 32
    with pytest.raises(InputError, match="1x8x8 were given for pixel features of 1x32x32"):
        pixels(batch[:, :, :8, :8])


def test_random_features_are_the_same_every_time_and_tell_images_apart() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, two = Random(), Random()
    assert torch.equal(torch.get_rng_state(), before)
    picture = torch.randint(0, 256, (2, 3, 40, 100), dtype=torch.uint8)
    features = one(picture).features
    assert one.identity == two.identity
    assert torch.equal(features, two(picture).features)
    assert features.shape == (2, one.width) == (2, 512)
    assert float((features[0] - features[1]).abs().max()) > 1e-3


def test_gray_is_repeated_and_transparency_lies_on_white() -> None:
    alpha = torch.tensor([10, 20, 30, 128], dtype=torch.uint8).view(1, 4, 1, 1)
    assert as_rgb(alpha).flatten().tolist() == [132, 137, 142]
    assert as_rgb(alpha[:, :1]).flatten().tolist() == [10, 10, 10]
    with pytest.raises(InputError, match="5 channels"):
        as_rgb(torch.zeros(1, 5, 2, 2, dtype=torch.uint8))


def test_features_come_in_order_in_batches_of_any_size_and_up_to_the_count() -> None:
    pictures, told = torch.randint(0, 256, (10, 1, 4, 4), dtype=torch.uint8), []
    seen = extract(Sums(), pictures.split(4), count=9, progress=lambda *what: told.append(what))
    sums = pictures.flatten(1).float().sum(1, keepdim=True)[:9]
    assert torch.equal(seen.features, sums)
    assert seen.logits is not None
    assert torch.equal(seen.logits, torch.cat([sums, -sums], 1))
    assert told == [("features", done, 9) for done in (0, 4, 8, 9)]
    with pytest.raises(InputError, match="Features of 11 images were asked for, and there are 10"):
        extract(Sums(), pictures.split(4), count=11)


def test_features_of_a_data_set_are_computed_once_for_its_rows(digits: Dataset, tmp_path: Path) -> None:
    sums = Sums()
    seen = of_dataset(sums, digits, n=50, seed=3, cache=tmp_path)
    chosen = rows(digits, n=50, seed=3)
    assert len(set(chosen.tolist())) == 50
    expected = torch.from_numpy(digits.samples[chosen]).flatten(1).float().sum(1, keepdim=True)
    assert torch.equal(seen.features, expected)
    assert seen.logits is not None
    assert torch.equal(seen.logits, torch.cat([expected, -expected], 1))
    assert torch.equal(of_dataset(sums, digits, n=50, seed=3, cache=tmp_path).features, expected)
    assert sums.seen == 50
    of_dataset(sums, digits, n=50, seed=4, cache=tmp_path)
    of_dataset(sums, replace(digits, fingerprint="other"), n=50, seed=3, cache=tmp_path)
    assert sums.seen == 150
    assert len(of_dataset(sums, digits, cache=tmp_path).features) == len(digits)
    with pytest.raises(InputError, match="2,000 images were asked for of digits, which has 1,797"):
        of_dataset(sums, digits, n=2000, cache=tmp_path)


@pytest.mark.parametrize("harm", ["a flipped bit", "cut short", "another table", "no seal"])
def test_features_in_the_cache_that_are_damaged_are_made_anew(digits: Dataset, tmp_path: Path, harm: str) -> None:
    expected = of_dataset(Sums(), digits, n=5, cache=tmp_path).features.clone()
    (file,) = (tmp_path / "features").glob("*.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 64
    match harm:
        case "a flipped bit":
            file.write_bytes(content)
        case "cut short":
            file.write_bytes(content[:-8])
        case "another table":
            np.save(file, np.zeros((4, 9), np.float32))
            seal(file.with_suffix(".seal"), [file])
        case "no seal":
            file.write_bytes(content)
            file.with_suffix(".seal").unlink()
    sums = Sums()
    assert torch.equal(of_dataset(sums, digits, n=5, cache=tmp_path).features, expected)
    assert sums.seen == 5
    assert torch.equal(of_dataset(sums, digits, n=5, cache=tmp_path).features, expected)
    assert sums.seen == 5


def test_all_rows_come_in_their_order(digits: Dataset) -> None:
    assert rows(digits).tolist() == list(range(len(digits)))
    batches = list(digits.chunks(rows(digits, n=70), size=32))
    assert [len(batch) for batch in batches] == [32, 32, 6]


def test_an_extractor_is_found_by_its_name(digits: Dataset, tmp_path: Path) -> None:
    assert find("pixels", reference=digits, cache=tmp_path).width == 1024
    assert find("random", reference=digits, cache=tmp_path).name == "random"
    for asked, sentence in (
        ("incepton", "There are no features incepton: did you mean inception?"),
        ("vgg", f"give one of {', '.join(names())}"),
        ("pixels:8", "There are no features pixels:8"),
        ("inception:missing.pth", "There is no weights file missing.pth"),
    ):
        with pytest.raises(InputError, match=sentence):
            find(asked, reference=digits, cache=tmp_path)
    with pytest.raises(InputError, match="made of points"):
        find("pixels", reference=open_data("ring8"), cache=tmp_path)


def test_the_default_depends_on_labels_and_on_the_weights_at_hand(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZEROSUM_DATA", raising=False)
    bare = replace(digits, labels=None, spec=replace(digits.spec, classes=()))
    assert default(digits, cache=tmp_path)[0] == "classifier"
    assert default(bare, cache=tmp_path)[0] == "random"
    file = tmp_path / "downloads" / "weights" / "inception_2015_12_05_to_mixed8_fp16.npz"
    file.parent.mkdir(parents=True)
    file.touch()
    assert default(bare, cache=tmp_path)[0] == "inception-768"
