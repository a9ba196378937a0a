"""Packs of encoded files give the samples of packs of pixels, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.batch import Images
from zerosum.data.options import DataConfig
from zerosum.data.packing import pack_images
from zerosum.data.packing.encoded import BLOCK, EncodedRows
from zerosum.data.stream import TOGETHER, Stream
from zerosum.errors import InputError, StorageError
from zerosum.kinds import images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for index in range(40):
        place = tmp_path / "data" / ("cat", "dog")[index % 2]
        place.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 256, (20 + index % 3, 24, 3), dtype=np.uint8))
        picture.save(place / f"{index:03d}.{('png', 'jpg')[index % 3 == 0]}")
    return tmp_path / "data"


def test_files_give_the_samples_of_pixels(folder: Path, tmp_path: Path) -> None:
    options = DataConfig(size="16", cache=str(tmp_path / "cache"))
    pixels = images.open(folder, options=options)
    files = images.open(folder, options=replace(options, pack="files"))
    assert isinstance(files.samples, EncodedRows)
    assert not isinstance(pixels.samples, EncodedRows)
    assert (files.fingerprint, files.spec) == (pixels.fingerprint, pixels.spec)
    assert np.array_equal(files.labels, pixels.labels)
    rows = np.array([3, 39, 0, 3])
    assert torch.equal(files.batch(rows).image, pixels.batch(rows).image)
    assert torch.equal(torch.cat(list(files.chunks(np.arange(40), size=7))), pixels.real(np.arange(40)))
    part = files.at(slice(10, 30, 3))
    assert torch.equal(part.real(np.array([2, 0])), pixels.real(np.array([16, 10])))
    assert np.array_equal(files.samples[5], pixels.samples[5])
    assert np.array_equal(np.asarray(files.samples), pixels.samples)
    assert files.samples.shape == pixels.samples.shape
    assert files.samples.ndim == pixels.samples.ndim
    assert files.samples.dtype == pixels.samples.dtype
    said = "The files are kept as they are and decoded when they are drawn: --pack pixels decodes them once."
    assert (files.notes[-1], files.notes[:-1]) == (said, pixels.notes)


def test_many_pixels_are_kept_as_files(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = DataConfig(size="16", cache=str(tmp_path / "cache"))
    monkeypatch.setattr(pack_images, "LARGEST_PIXEL_BYTES", 40 * 16 * 16 * 3 - 1)
    assert isinstance(images.open(folder, options=options).samples, EncodedRows)
    monkeypatch.setattr(pack_images, "LARGEST_PIXEL_BYTES", 40 * 16 * 16 * 3)
    other = DataConfig(size="16", cache=str(tmp_path / "other"))
    assert not isinstance(images.open(folder, options=other).samples, EncodedRows)
    with pytest.raises(InputError, match="--pack files keeps an image a file, and --fit tiles cuts each into many"):
        images.open(folder, options=replace(options, pack="files", fit="tiles"))


def test_a_damaged_pack_of_files_is_made_again(folder: Path, tmp_path: Path) -> None:
    options = DataConfig(size="16", cache=str(tmp_path / "cache"), pack="files")
    before = images.open(folder, options=options)
    (content,) = (tmp_path / "cache" / "packed").glob("*/files.bin")
    content.write_bytes(content.read_bytes()[:-100])
    after = images.open(folder, options=options)
    assert after.fingerprint == before.fingerprint
    assert after.notes[-1] == "The packed form in the cache was damaged, and was made again."
    offsets = content.parent / "offsets.npy"
    seal = content.parent / "seal.json"
    content.write_bytes(b"")
    seal.write_text('{"offsets.npy": ' + str([*seal_of(seal, "offsets.npy")]).replace("'", '"') + "}")
    assert offsets.exists()
    with pytest.raises(StorageError, match="cannot be read"):
        images.open(folder, options=options)


def seal_of(seal: Path, name: str) -> list[object]:
    import json

    return json.loads(seal.read_text())[name]


@pytest.mark.parametrize(("length", "block"), [(1000, 7), (40_000, 256), (5, 256), (257, 256)])
def test_neighbours_are_drawn_near_each_other_and_each_once_an_epoch(length: int, block: int) -> None:
    class Rows:
        lengths = (length,)

        def __len__(self) -> int:
            return length

        def batch(self, *rows: np.ndarray, draw: object = None) -> Images:
            return Images(image=torch.from_numpy(rows[0].copy()).view(-1, 1, 1, 1), label=None)

    def walk(batch: int, position: int, count: int) -> np.ndarray:
        stream = Stream(Rows(), seed=3, position=position, block=block, prefetch=False)
        return np.concatenate([stream.draw(batch).image.flatten().numpy() for _ in range(count)])

    whole = walk(2 * length, 0, 1)
    first, second = np.split(whole, 2)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(length))
    assert length <= 5 or not np.array_equal(first, second)
    assert np.array_equal(walk(3, 0, length // 2), whole[: length // 2 * 3])
    assert np.array_equal(walk(length, length // 2, 1), whole[length // 2 : length // 2 + length])
    read = np.unique(first[: block * TOGETHER] // block)
    assert len(read) <= TOGETHER + 1  # of more blocks nothing is read, but for the short last one
    assert length < 1000 or np.abs(np.diff(first[:100])).mean() > block  # and they are shuffled well


def test_a_run_draws_near_neighbours_from_files_alone(folder: Path, tmp_path: Path) -> None:
    options = DataConfig(size="16", cache=str(tmp_path / "cache"))
    assert images.open(folder, options=options).block == 1
    assert images.open(folder, options=replace(options, pack="files")).block == BLOCK
