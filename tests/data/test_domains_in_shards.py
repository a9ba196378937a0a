"""Two unpaired domains in tar and Parquet shards, and one sentence where there are not two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import zerosum as zerosum  # a fixture
from tests.data.test_shards import encoded, write_tar
from tests.data.test_shards_of_kinds import FORMS, Write
from zerosum.data.options import DataConfig
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds.domains import DomainDataset, open_domains
from zerosum.kinds.pairs import open_pairs

A, B = tuple(range(5)), tuple(range(100, 103))


@pytest.fixture
def options(tmp_path: Path) -> DataConfig:
    return DataConfig(cache=str(tmp_path / "cache"))


def seen(samples: np.ndarray) -> list[int]:
    """Return the numbers of the images, in order."""
    known = {image(number).tobytes(): number for number in (*A, *B, 200, 201)}
    return sorted(known[sample.tobytes()] for sample in samples)


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def assert_domains(found: DomainDataset, a: tuple[int, ...] = A, b: tuple[int, ...] = B) -> None:
    assert seen(found.a) == list(a)
    assert seen(found.samples) == list(b)


@FORMS
def test_two_classes_are_two_domains_in_either_direction(write: Write, tmp_path: Path, options: DataConfig) -> None:
    labels = ["horse"] * len(A) + ["zebra"] * len(B)
    place = write(tmp_path / "a", {"image": [encoded(number) for number in (*A, *B)], "label": labels})
    found = open_domains(place, options=options)
    assert_domains(found)
    assert "horse and zebra are the classes of the shards." in found.notes
    back = DataConfig(cache=options.cache, direction="BtoA")
    assert_domains(open_domains(place, options=back), B, A)
    assert_domains(open_domains(place, options=options))  # from packs that are there


@FORMS
def test_images_named_for_their_side_are_domains_without_partners(
    write: Write, tmp_path: Path, options: DataConfig
) -> None:
    few = min(len(A), len(B))
    sides = {"source": [encoded(number) for number in A[:few]], "target": [encoded(number) for number in B]}
    assert_domains(open_domains(write(tmp_path / "a", sides), options=options), A[:few])
    members = {f"{number}.{'a' if number in A else 'b'}.png": encoded(number) for number in (*A, *B)}
    write_tar(tmp_path / "b.tar", members)
    found = open_domains(tmp_path / "b.tar", options=options)
    assert_domains(found)
    assert "a and b are the images named so." in found.notes


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("folders", [("trainA", "trainB"), ("photos", "paintings")])
def test_folders_in_shards_are_domains(
    shards: int, folders: tuple[str, str], tmp_path: Path, options: DataConfig
) -> None:
    (tmp_path / "shards").mkdir()
    first, second = sorted(folders)
    for shard in range(shards):
        members = {
            f"{folder}/{row}.png": encoded(number)
            for folder, numbers in ((first, A[shard::shards]), (second, B[shard::shards]))
            for row, number in enumerate(numbers)
        }
        write_tar(tmp_path / "shards" / f"{shard}.tar", members)
    found = open_domains(tmp_path / "shards", options=options)
    assert_domains(found)
    assert f"{first} and {second} are the folders in the shards." in found.notes


def test_splits_of_one_archive_are_packed_apart(tmp_path: Path, options: DataConfig) -> None:
    members = {f"train/{number}.{'a' if number in A else 'b'}.png": encoded(number) for number in (*A, *B)}
    members |= {"test/0.a.png": encoded(200), "test/0.b.png": encoded(201)}
    write_tar(tmp_path / "a.tar", members)
    held_out = DataConfig(cache=options.cache, split="test")
    assert_domains(open_domains(tmp_path / "a.tar", options=options))
    assert_domains(open_domains(tmp_path / "a.tar", options=held_out), (200,), (201,))
    with pytest.raises(NoSuchSplit):
        open_domains(tmp_path / "a.tar", options=DataConfig(cache=options.cache, split="val"))
    paired = {f"{split}/{n}.{side}.png": encoded(n) for split, n in (("train", 1), ("test", 2)) for side in "ab"}
    write_tar(tmp_path / "b.tar", paired)
    for split, number in ((options, 1), (held_out, 2)):
        assert seen(open_pairs(tmp_path / "b.tar", options=split).samples) == [number]


def test_each_domain_may_have_shards_of_its_own(tmp_path: Path, options: DataConfig) -> None:
    for name, numbers in (("a", A), ("b", B)):
        write_tar(tmp_path / f"{name}.tar", {f"{number}.png": encoded(number) for number in numbers})
    both = DataConfig(cache=options.cache, target=str(tmp_path / "b.tar"))
    assert_domains(open_domains(tmp_path / "a.tar", options=both))


def test_what_are_not_two_domains_is_said(tmp_path: Path, options: DataConfig, zerosum: Any) -> None:
    write_tar(tmp_path / "a.tar", {f"{number}.png": encoded(number) for number in A})
    with pytest.raises(InputError, match="has neither classes nor folders, not two domains: expected two classes"):
        open_domains(tmp_path / "a.tar", options=options)
    members = {f"{number}.png": encoded(number) for number in A}
    write_tar(tmp_path / "b.tar", members | {f"{number}.cls": str(number).encode() for number in A})
    with pytest.raises(InputError, match="has the classes 0, 1, 2 and 2 more, not two domains"):
        open_domains(tmp_path / "b.tar", options=options)
    said = zerosum("train", tmp_path / "b.tar", "--recipe", "cyclegan", "--run", tmp_path / "run")
    assert said.code == 2
    assert "not two domains" in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_cyclegan_trains_on_them(tmp_path: Path, zerosum: Any) -> None:
    members = {f"{'AB'[number > 50]}/{number}.png": encoded(number) for number in (*A, *B)}
    write_tar(tmp_path / "a.tar", members)
    options = (
        "--recipe",
        "cyclegan",
        "--width",
        4,
        "--layers",
        2,
        "--batch",
        1,
        "--rounds",
        2,
        "--cache",
        tmp_path / "cache",
    )
    said = zerosum("train", tmp_path / "a.tar", *options, "--size", 16, "--run", tmp_path / "run", "--watch-every", 0)
    assert said.code == 0, said.err
