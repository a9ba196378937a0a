"""Captions and pairs in tar and Parquet shards: the samples of a folder, and a sentence where one is missing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import assert_same_checkpoint
from tests.cli.conftest import zerosum as zerosum  # a fixture
from tests.data.test_shards import encoded, write_tar
from zerosum.data.check import check
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.kinds.captions import open_captions
from zerosum.kinds.pairs import open_pairs
from zerosum.run.directory import Run

COUNT = 6
Columns = dict[str, list[Any]]


def captioned(index: int) -> str:
    return f"a picture of number {index}"


def as_tar(place: Path, columns: Columns) -> Path:
    """Write a .tar as webdataset names it; what is None is left out."""
    endings = {"image": "png", "text": "txt", "source": "source.png", "target": "target.png", "label": "cls"}
    members = {
        f"{row:06d}.{endings[name]}": value if isinstance(value, bytes) else str(value).encode()
        for name, values in columns.items()
        for row, value in enumerate(values)
        if value is not None
    }
    write_tar(place.with_suffix(".tar"), members)
    return place.with_suffix(".tar")


def as_parquet(place: Path, columns: Columns) -> Path:
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    import pyarrow.parquet as parquet

    parquet.write_table(arrow.table(columns), place.with_suffix(".parquet"), row_group_size=4)
    return place.with_suffix(".parquet")


FORMS = pytest.mark.parametrize("write", [as_tar, as_parquet])
Write = Callable[[Path, Columns], Path]


@pytest.fixture
def options(tmp_path: Path) -> DataConfig:
    return DataConfig(cache=str(tmp_path / "cache"))


def images(start: int = 0) -> list[Any]:
    return [encoded(start + index) for index in range(COUNT)]


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@FORMS
def test_captions_come_with_the_images_of_shards(write: Write, tmp_path: Path, options: DataConfig) -> None:
    columns = {"image": images(), "text": [captioned(row) for row in range(COUNT)], "label": ["3", "4"] * 3}
    place = write(tmp_path / "a", columns)
    found = open_captions(place, options=options)
    assert found.captions == tuple((captioned(row),) for row in range(COUNT))
    assert np.array_equal(found.samples, np.stack([pixels(content) for content in images()]))
    columns["text"][2] = "something else"
    assert open_captions(write(tmp_path / "b", columns), options=options).fingerprint != found.fingerprint
    report = check(place, options)
    assert report.captions[0].endswith(captioned(0))
    assert any(note.startswith("6 captions of 6 images, from the ") for note in report.notes)
    assert not any("Left out" in note for note in report.notes)
    assert list(report.classes) == ["3", "4"]


def test_an_image_in_parquet_may_have_several_captions(tmp_path: Path, options: DataConfig) -> None:
    said = [["one  of\nmany", "another", "another", ""] for _ in range(COUNT)]
    found = open_captions(as_parquet(tmp_path / "a", {"image": images(), "caption": said}), options=options)
    assert found.captions == (("one of many", "another"),) * COUNT
    assert "Captions were read from the column caption." in found.notes


@FORMS
def test_an_image_without_a_caption_is_said(write: Write, tmp_path: Path, options: DataConfig) -> None:
    said = [captioned(row) if row != 3 else None for row in range(COUNT)]
    place = write(tmp_path / "a", {"image": images(), "text": said})
    sentence = r"1 image of 6 in .* lacks a caption in the (column text|\.txt files) \(0*3\.png\): write them, or take"
    with pytest.raises(InputError, match=sentence):
        open_captions(place, options=options)
    assert any("1 image of 6" in warning for warning in check(place, options).warnings)


@FORMS
def test_pairs_come_from_shards(write: Write, tmp_path: Path, options: DataConfig) -> None:
    place = write(tmp_path / "a", {"source": images(), "target": images(100)})
    found = open_pairs(place, options=options)
    first, second = (np.stack([pixels(content) for content in images(start)]) for start in (0, 100))
    assert np.array_equal(np.asarray(found.sources), first)
    assert np.array_equal(found.samples, second)
    assert "A pair is two images of one name in the shards" in found.notes[0]
    other = open_pairs(place, options=DataConfig(cache=options.cache, direction="BtoA"))
    assert np.array_equal(other.samples, first)
    assert any("--recipe pix2pix learns from pairs" in said for said in check(place, options).warnings)


@FORMS
def test_an_image_side_by_side_in_shards_is_a_pair(write: Write, tmp_path: Path, options: DataConfig) -> None:
    Image.fromarray(np.arange(16 * 32, dtype=np.uint8).reshape(16, 32)).save(buffer := io.BytesIO(), "png")
    found = open_pairs(write(tmp_path / "a", {"image": [buffer.getvalue()] * 3}), options=options)
    assert np.array_equal(np.asarray(found.sources)[0], pixels(buffer.getvalue())[:, :16, None])
    assert np.array_equal(found.samples[0], pixels(buffer.getvalue())[:, 16:, None])


def test_a_pair_that_lacks_an_image_is_said(tmp_path: Path, options: DataConfig) -> None:
    partners = [None if row == 2 else content for row, content in enumerate(images(100))]
    tar = as_tar(tmp_path / "a", {"source": images(), "target": partners})
    with pytest.raises(InputError, match=r"do not pair up: 1 image in .* without a partner \(000002.source.png\)"):
        open_pairs(tar, options=options)
    assert any("do not pair up" in warning for warning in check(tar, options).warnings)
    table = as_parquet(tmp_path / "a", {"source": images(), "target": partners})
    with pytest.raises(
        InputError, match=r"000000002.b.png holds no encoded image \(row 2 of a.parquet, column target\)"
    ):
        open_pairs(table, options=options)
    alone = as_parquet(tmp_path / "b", {"source": images()})
    with pytest.raises(InputError, match="has a column source and none target, of its partners: it has source"):
        open_pairs(alone, options=options)
    mixed = as_tar(tmp_path / "c", {"source": images(), "target": images(100), "image": images(50)})
    with pytest.raises(InputError, match=r"6 images in .* are of neither side .*: name them .source. and .target."):
        open_pairs(mixed, options=options)


@pytest.mark.slow
@FORMS
@pytest.mark.parametrize("kind", ["captions", "pairs"])
def test_a_run_on_them_goes_on_to_the_last_bit(kind: str, write: Write, tmp_path: Path, zerosum: Any) -> None:
    columns: Columns = {"source": images(), "target": images(100)}
    recipe: tuple[Any, ...] = ("--recipe", "pix2pix", "--width", 4, "--layers", 2)
    if kind == "captions":
        columns = {"image": images(), "text": [captioned(row) for row in range(COUNT)]}
        recipe = ("--recipe", "stackgan", "--width", 4)
    place = write(tmp_path / "a", columns)
    options = ("--size", 16, "--cache", tmp_path / "cache", *recipe, "--batch", 2, "--watch-every", 0)
    for name, lengths in (("straight", (4,)), ("stopped", (2, 4))):
        for rounds in lengths:
            said = zerosum("train", place, *options, "--rounds", rounds, "--run", tmp_path / name, "--go-on")
            assert said.code == 0, said.err
    assert_same_checkpoint(*(Run(tmp_path / name).checkpoint(4) for name in ("straight", "stopped")))
