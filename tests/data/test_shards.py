"""Images in tar and Parquet shards, where they lie: their samples, labels and splits are those of a folder."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.conftest import assert_same_checkpoint
from tests.cli.conftest import zerosum as zerosum  # a fixture
from tests.hub.conftest import hub as hub  # a fixture
from tests.hub.fake_hub import FakeHub
from zerosum.data.options import DataConfig
from zerosum.data.sources import tar_shards
from zerosum.data.sources.shards import numbered, shards_at
from zerosum.data.spec import Spec
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds import images
from zerosum.run.directory import Run

CLASSES = ("cat", "dog", "eel")
COUNT = 20


def encoded(index: int) -> bytes:
    pixels = np.random.default_rng(index).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer := io.BytesIO(), "png")
    return buffer.getvalue()


def write_tar(place: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(place, "w") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same images as class folders."""
    for index in range(COUNT):
        place = tmp_path / "folder" / CLASSES[index % 3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index:03d}.png").write_bytes(encoded(index))
    return tmp_path / "folder"


@pytest.fixture
def options(tmp_path: Path) -> DataConfig:
    return DataConfig(cache=str(tmp_path / "cache"))


def assert_of_folder(found: images.ImageDataset, folder: Path, options: DataConfig) -> None:
    """Each image is there once, with its label."""
    expected = images.open(folder, options=options)
    assert found.spec == expected.spec
    assert found.labels is not None
    assert expected.labels is not None
    pairs = [
        sorted((sample.tobytes(), int(label)) for sample, label in zip(each.samples, each.labels, strict=True))
        for each in (found, expected)
    ]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize("by", ["cls", "json"])
def test_shards_of_webdataset_are_read_with_their_classes(
    by: str, folder: Path, tmp_path: Path, options: DataConfig
) -> None:
    (tmp_path / "shards").mkdir()
    for shard in range(2):
        members: dict[str, bytes] = {}
        for index in range(shard, COUNT, 2):
            name = CLASSES[index % 3]
            members[f"{index:06d}.png"] = encoded(index)
            members[f"{index:06d}.{by}"] = name.encode() if by == "cls" else json.dumps({"label": name}).encode()
        write_tar(tmp_path / "shards" / f"a-{shard:03d}.tar", members)
    for source in (tmp_path / "shards", tmp_path / "shards" / "a-{000..001}.tar", tmp_path / "shards" / "a-*.tar"):
        found = images.open(source, options=options)
        assert_of_folder(found, folder, options)
    assert "Labels of 3 classes came along in the shards." in found.notes
    assert not any("Left out" in note for note in found.notes)
    assert len(list((tmp_path / "cache" / "packed").iterdir())) == 2  # one of the shards however they are named
    with pytest.raises(InputError, match=r"Of 4 shards .* 2 are missing, such as .*a-002.tar"):
        images.open(tmp_path / "shards" / "a-{000..003}.tar", options=options)


@pytest.mark.parametrize("lacking", [{}, {"b.cls": b" \n"}, {"b.json": b'{"caption": "a cat"}'}])
def test_classes_that_some_images_lack_are_left_aside_and_it_is_said(
    lacking: dict[str, bytes], tmp_path: Path, options: DataConfig
) -> None:
    write_tar(tmp_path / "a.tar", {"a.png": encoded(0), "a.cls": b"1", "b.png": encoded(1), **lacking})
    found = images.open(tmp_path / "a.tar", options=options)
    assert found.labels is None
    assert "Classes in the shards are left aside, because 1 image of 2 have none (such as b.png)." in found.notes


def test_of_members_of_one_name_the_last_counts_and_it_is_said(tmp_path: Path, options: DataConfig) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for content in (encoded(0), encoded(1)):
            about = tarfile.TarInfo("a.png")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    found = images.open(tmp_path / "a.tar", options=options)
    assert np.array_equal(found.samples[0], np.asarray(Image.open(io.BytesIO(encoded(1)))))
    assert "1 name in the shards stand for two files or more (such as a.png)" in " ".join(found.notes)


@pytest.mark.parametrize("labels", [None, "folders"])
@pytest.mark.parametrize("above", ["", "lego/"])
@pytest.mark.parametrize("places", [("train",), ("train-0", "train-1"), ("a-0", "a-1")])
def test_folders_in_shards_are_classes_with_one_number_in_all_splits(
    places: tuple[str, ...], above: str, labels: str | None, tmp_path: Path, options: DataConfig
) -> None:
    options, source = replace(options, labels=labels), tmp_path / "shards"
    source.mkdir()
    for place in places:
        write_tar(source / f"{place}.tar", {f"{above}{name}/0.png": encoded(ord(name)) for name in "bc"})
    named = places[0].startswith("train")
    if named:
        write_tar(source / "test.tar", {f"{above}{name}/0.png": encoded(ord(name)) for name in "abc"})
    found = images.open(source, options=options)
    classes = ("a", "b", "c") if named else ("b", "c")
    assert (found.spec.classes, len(found)) == (classes, 2 * len(places))
    assert found.labels is not None
    of = {encoded_at.tobytes(): classes[label] for encoded_at, label in zip(found.samples, found.labels, strict=True)}
    assert of == {np.asarray(Image.open(io.BytesIO(encoded(ord(name))))).tobytes(): name for name in "bc"}
    if named:
        held_out = images.open(source, options=replace(options, split="test"))
        assert (held_out.spec.classes, held_out.labels.tolist()) == (classes, [0, 1, 2])  # type: ignore[union-attr]


@pytest.mark.parametrize("places", [("train-0", "train-1"), ("train",), ("a-0", "a-1")])
@pytest.mark.parametrize("names", [("0.png", "1.png"), ("cat/0.png", "1.png"), ("cat/0.png", "cat/1.png")])
def test_shards_without_classes_have_no_labels(
    names: tuple[str, ...], places: tuple[str, ...], tmp_path: Path, options: DataConfig
) -> None:
    (source := tmp_path / "shards").mkdir()
    for place in places:
        write_tar(source / f"{place}.tar", {name: encoded(at) for at, name in enumerate(names)})
    found = images.open(source, options=options)
    assert (found.labels, len(found)) == (None, 2 * len(places))
    assert "The data have no labels." in found.notes
    with pytest.raises(InputError, match="is no folder of class folders"):
        images.open(source, options=replace(options, labels="folders"))


@pytest.mark.parametrize("above", ["", "lego/"])
def test_folders_of_splits_in_several_shards_are_splits(above: str, tmp_path: Path, options: DataConfig) -> None:
    (source := tmp_path / "shards").mkdir()
    for shard in range(2):
        places = [f"{split}/{name}" for split, names in (("train", "bc"), ("test", "abc")) for name in names]
        write_tar(source / f"{shard}.tar", {f"{above}{place}/{shard}.png": encoded(0) for place in places})
    for split, count, labels in (("train", 4, [1, 1, 2, 2]), ("test", 6, [0, 0, 1, 1, 2, 2])):
        found = images.open(source, options=replace(options, split=split))
        assert (found.spec.classes, len(found)) == (("a", "b", "c"), count)
        assert found.labels.tolist() == labels  # type: ignore[union-attr]


@pytest.mark.parametrize("store", ["", "file://"])
def test_folders_of_shards_that_are_called_as_splits_are_splits(
    store: str, tmp_path: Path, options: DataConfig
) -> None:
    for index, place in enumerate(("train/0", "train/more/1", "valid/0", "test/0")):
        if store or "more" not in place:  # a store is listed to its depth
            (tmp_path / "bucket" / place).parent.mkdir(parents=True, exist_ok=True)
            write_tar(tmp_path / "bucket" / f"{place}.tar", {f"{n}.png": encoded(10 * index + n) for n in range(4)})
    source = f"{store}{tmp_path / 'bucket'}"
    for split, indices in (("train", [0, 10] if store else [0]), ("val", [20]), ("test", [30])):
        found = images.open(source, options=replace(options, split=split))
        expected = [np.asarray(Image.open(io.BytesIO(encoded(at + n)))) for at in indices for n in range(4)]
        assert np.array_equal(found.samples, np.stack(expected))
    assert len(images.open(f"{store}{tmp_path / 'bucket' / 'test'}", options=options)) == 4, "one folder is one set"
    write_tar(tmp_path / "bucket" / "other.tar", {"0.png": encoded(99)})
    notes = images.open(source, options=replace(options, cache=str(tmp_path / "another cache"))).notes
    assert "Left out because beside the shards of splits: 1 shard (such as other.tar)." in notes
    (tmp_path / "bucket" / "test" / "a.png").write_bytes(encoded(0))
    if not store:
        assert shards_at(source) == [], "a folder with images in one of its splits is one of images"


def test_a_tar_of_class_folders_is_read_as_the_folder(folder: Path, tmp_path: Path, options: DataConfig) -> None:
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(folder, ".")
    assert_of_folder(images.open(tmp_path / "all.tar", options=options), folder, options)
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as archive:
        archive.add(folder, ".")
    with pytest.raises(InputError, match="is no tar archive that can be read at random"):
        images.open(tmp_path / "packed.tar", options=options)


def test_a_changed_shard_is_packed_again(tmp_path: Path, options: DataConfig) -> None:
    prints = []
    for first in (0, 7):
        write_tar(tmp_path / "a.tar", {f"{i}.png": encoded(first + i) for i in range(3)})
        prints.append(images.open(tmp_path / "a.tar", options=options).fingerprint)
    assert prints[0] != prints[1]


def write_parquet(place: Path, indices: Sequence[int], *, withheld: bool = False, named: bool = True) -> bytes:
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    import pyarrow.parquet as parquet

    if not named:
        rows = {"jpg": [encoded(index) for index in indices], "cls": [CLASSES[index % 3] for index in indices]}
        parquet.write_table(arrow.table(rows), place)
        return place.read_bytes()
    names = {"info": {"features": {"label": {"names": list(CLASSES), "_type": "ClassLabel"}}}}
    rows = {
        "image": [{"bytes": encoded(index), "path": f"{index}.png"} for index in indices],
        "label": [-1 if withheld else index % 3 for index in indices],
    }
    table = arrow.table(rows).replace_schema_metadata({"huggingface": json.dumps(names)})
    parquet.write_table(table, place, row_group_size=4)
    return place.read_bytes()


def test_a_pack_of_shards_that_were_read_in_another_way_is_not_taken(
    tmp_path: Path, options: DataConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        write_tar(tmp_path / f"{number}.tar", {f"{index}.png": encoded(index) for index in range(3)})
    packs = tmp_path / "cache" / "packed"
    for reading, expected in ((1, 1), (1, 1), (2, 2)):
        monkeypatch.setattr(tar_shards, "READING", reading)
        assert len(images.open(tmp_path / "{0..1}.tar", options=options)) == 6
        assert len([*packs.iterdir()]) == expected


def test_parquet_is_read_with_its_classes_and_splits(folder: Path, tmp_path: Path, options: DataConfig) -> None:
    data = tmp_path / "set" / "data"
    data.mkdir(parents=True)
    (tmp_path / "set" / "README.md").write_text("a card")
    write_parquet(data / "train-00000-of-00002.parquet", range(11))
    write_parquet(data / "train-00001-of-00002.parquet", range(11, COUNT))
    write_parquet(data / "test-00000-of-00001.parquet", range(100, 105))
    assert_of_folder(images.open(tmp_path / "set", options=options), folder, options)
    assert len(images.open(tmp_path / "set", options=DataConfig(cache=options.cache, split="test"))) == 5
    with pytest.raises(NoSuchSplit, match="has no split val: its shards are of test, train"):
        images.open(tmp_path / "set", options=DataConfig(cache=options.cache, split="val"))
    files = images.open(tmp_path / "set", options=DataConfig(cache=options.cache, pack="files"))
    assert files.fingerprint == images.open(tmp_path / "set", options=options).fingerprint


def write_classes(place: Path, indices: Sequence[int]) -> bytes:
    """Write a shard whose classes are known by its images alone; image n has class n % 3."""
    if place.suffix == ".parquet":
        return write_parquet(place, indices, named=False)
    members = {f"{i}.png": encoded(i) for i in indices} | {f"{i}.cls": CLASSES[i % 3].encode() for i in indices}
    write_tar(place, members)
    return place.read_bytes()


def assert_classes(source: str | Path, options: DataConfig, expected: dict[str, list[str]]) -> None:
    """Each split has all classes, and its images those that are expected."""
    for split, classes in expected.items():
        found = images.open(source, options=replace(options, split=split))
        assert found.spec.classes == CLASSES
        assert found.labels is not None
        assert [CLASSES[label] for label in found.labels] == classes


@pytest.mark.parametrize("ending", [".tar", ".parquet"])
def test_a_class_has_one_number_in_all_splits(ending: str, tmp_path: Path, options: DataConfig) -> None:
    data, store = tmp_path / "set", fsspec.filesystem("memory")
    data.mkdir()
    for split, indices in {"train": (1, 2), "test": (2, 4), "validation": (3, 5)}.items():
        content = write_classes(data / f"{split}-0{ending}", indices)
        store.pipe_file(f"/bucket/one{ending[1:]}/{split}-0{ending}", content)
    expected = {"train": ["dog", "eel"], "test": ["eel", "dog"], "val": ["cat", "eel"], "validation": ["cat", "eel"]}
    for source in (data, f"memory://bucket/one{ending[1:]}"):
        assert_classes(source, options, expected)


@pytest.mark.parametrize("ending", [".tar", ".parquet"])
def test_a_class_that_another_split_has_got_since_is_counted(ending: str, tmp_path: Path, options: DataConfig) -> None:
    for split, indices in {"train": (1, 2), "test": (2, 4)}.items():
        write_classes(tmp_path / f"{split}{ending}", indices)
    assert images.open(tmp_path / f"*{ending}", options=options).spec.classes == ("dog", "eel")
    write_classes(tmp_path / f"test{ending}", (0, 2))
    assert_classes(tmp_path / f"*{ending}", options, {"train": ["dog", "eel"], "test": ["cat", "eel"]})


def test_a_label_beyond_the_names_of_classes_is_a_class(tmp_path: Path, options: DataConfig) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    import pyarrow.parquet as parquet

    write_parquet(tmp_path / "a.parquet", range(4))
    table = parquet.read_table(tmp_path / "a.parquet")
    parquet.write_table(table.set_column(1, "label", arrow.array([0, 1, 2, 7])), tmp_path / "a.parquet")
    found = images.open(tmp_path / "a.parquet", options=options)
    assert (found.spec.classes, found.labels.tolist()) == ((*CLASSES, "7"), [0, 1, 2, 3])  # type: ignore[union-attr]


def test_withheld_labels_are_no_class(tmp_path: Path, options: DataConfig) -> None:
    write_parquet(tmp_path / "a.parquet", range(6), withheld=True)
    assert images.open(tmp_path / "a.parquet", options=options).labels is None


def test_parquet_without_images_says_what_it_has(tmp_path: Path, options: DataConfig) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    import pyarrow.parquet as parquet

    parquet.write_table(arrow.table({"text": ["a"], "stars": [1]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"has no column of images: expected one of image, .* it has text, stars"):
        images.open(tmp_path / "a.parquet", options=options)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is no Parquet file that can be read"):
        images.open(tmp_path / "b.parquet", options=options)


def test_shards_of_an_object_store_are_read_at_random(folder: Path, tmp_path: Path, options: DataConfig) -> None:
    store = fsspec.filesystem("memory")
    for shard in range(2):
        indices = range(shard, COUNT, 2)
        members = {f"{i}.png": encoded(i) for i in indices} | {f"{i}.cls": CLASSES[i % 3].encode() for i in indices}
        write_tar(tmp_path / "a.tar", members)
        store.pipe_file(f"/bucket/a-{shard}.tar", (tmp_path / "a.tar").read_bytes())
    store.pipe_file("/bucket/t/train-0.parquet", write_parquet(tmp_path / "a.parquet", range(COUNT)))
    for source in ("memory://bucket/a-{0..1}.tar", "memory://bucket/a-*.tar", "memory://bucket/t"):
        found = images.open(source, options=options)
        assert found.source == source
        assert_of_folder(found, folder, options)
    for wrong, said in (("memory://bucket/none-*.tar", "There are no"), ("nowhere://a/b.tar", "cannot be opened")):
        with pytest.raises(InputError, match=said):
            images.open(wrong, options=options)


def test_capitals_in_an_ending_do_not_matter(folder: Path, tmp_path: Path, options: DataConfig) -> None:
    members = {f"{name.parent.name}/{name.name}": name.read_bytes() for name in sorted(folder.rglob("*.png"))}
    (tmp_path / "shards").mkdir()
    write_tar(tmp_path / "shards" / "A.TAR", members)
    for source in (tmp_path / "shards", tmp_path / "shards" / "A.TAR", f"{tmp_path}/shards/*.TAR"):
        assert images.open(source, options=options).spec.classes == CLASSES


@pytest.mark.parametrize("said", ["mtime", "modificationTime", "sha", None])
def test_a_file_of_a_store_that_was_written_anew_is_read_anew(
    said: str | None, tmp_path: Path, options: DataConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fsspec.filesystem("memory")
    real = type(store).info
    versions = iter(range(100, 200))

    def info(self: Any, path: str, **given: Any) -> dict[str, Any]:
        found = {name: value for name, value in real(self, path, **given).items() if name != "created"}
        return found | ({} if said is None else {said: str(version)})

    monkeypatch.setattr(type(store), "info", info)
    means = []
    for level in (10, 200):
        version = next(versions)
        Image.fromarray(np.full((16, 16), level, np.uint8)).save(buffer := io.BytesIO(), "bmp")
        write_tar(tmp_path / "a.tar", {"a.bmp": buffer.getvalue()})
        store.pipe_file("/bucket/anew.tar", (tmp_path / "a.tar").read_bytes())
        means.append(images.open("memory://bucket/anew.tar", options=options).samples.mean())
    assert means == [10, 200]


def test_a_data_set_of_the_hub_is_read_at_a_commit(
    hub: FakeHub, folder: Path, tmp_path: Path, options: DataConfig
) -> None:
    content = write_parquet(tmp_path / "a.parquet", range(COUNT))
    old = hub.commit("ada/animals", {"data/train-00000-of-00001.parquet": content, "README.md": b"a card"})
    other = write_parquet(tmp_path / "a.parquet", range(50, 60))
    hub.commit("ada/animals", {"data/train-00000-of-00001.parquet": other})
    assert len(images.open("hf:ada/animals", options=options)) == 10
    found = images.open(f"hf:ada/animals@{old}", options=options)
    assert found.source == f"hf:ada/animals@{old}"
    assert_of_folder(found, folder, options)
    hub.requests.clear()
    images.open(f"hf:ada/animals@{old}", options=options)
    assert not any("resolve" in request for request in hub.requests)  # it is there already
    with pytest.raises(InputError, match="There is no data set ada/none on the Hub"):
        images.open("hf:ada/none", options=options)


def test_of_a_data_set_of_the_hub_nothing_is_downloaded_for_a_split_that_it_lacks(
    hub: FakeHub, options: DataConfig
) -> None:
    hub.commit("ada/lone", {f"data/train-0000{number}-of-00002.parquet": b"PAR1" for number in range(2)})
    for split in ("test", "val"):
        with pytest.raises(NoSuchSplit, match=f"hf:ada/lone has no split {split}: its shards are of train"):
            images.open("hf:ada/lone", options=replace(options, split=split))
    assert not any("resolve" in request for request in hub.requests)


def test_of_a_data_set_of_the_hub_folders_say_splits_too(hub: FakeHub, tmp_path: Path, options: DataConfig) -> None:
    splits = {"train": [1, 2], "test": [2, 4, 5]}
    content = {
        f"default/{split}/0000.parquet": write_parquet(tmp_path / "a.parquet", indices, named=False)
        for split, indices in splits.items()
    }
    hub.commit("ada/converted", content)
    for split, indices in splits.items():
        assert len(images.open("hf:ada/converted", options=replace(options, split=split))) == len(indices)


def test_of_a_data_set_of_the_hub_the_classes_of_other_splits_are_read_where_they_lie(
    hub: FakeHub, tmp_path: Path, options: DataConfig
) -> None:
    splits = {"train": [1, 2], "test": [2, 4], "validation": [3, 5]}
    content = {
        f"data/{split}-00000-of-00001.parquet": write_parquet(tmp_path / "a.parquet", indices, named=False)
        for split, indices in splits.items()
    }
    hub.commit("ada/unnamed", content)
    assert_classes("hf:ada/unnamed", options, {"train": ["dog", "eel"], "test": ["eel", "dog"]})
    assert {file.name.partition("-")[0] for file in tmp_path.rglob("cache/**/*-of-*.parquet")} == {"train", "test"}


@pytest.mark.parametrize("ending", [".tar", ".parquet"])
def test_samples_are_written_as_shards_that_are_read_again(ending: str, tmp_path: Path, options: DataConfig) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="the extra data is not installed")
    levels = np.random.default_rng(0).integers(0, 256, (5, 3, 16, 16))
    samples = torch.from_numpy(levels).float() / 127.5 - 1
    out = tmp_path / f"samples{ending}"
    found = images.save(samples, out, {"seed": "7", "label": "dog"}, Spec(shape=(3, 16, 16)))
    assert found == [out]
    first = out.read_bytes()
    images.save(samples, out, {"seed": "7", "label": "dog"}, Spec(shape=(3, 16, 16)))
    assert out.read_bytes() == first
    read = images.open(out, options=options)
    assert np.array_equal(np.moveaxis(read.samples, -1, 1), levels)
    assert (read.spec.classes, read.labels.tolist()) == (("dog",), [0] * 5)  # type: ignore[union-attr]
    if ending == ".tar":
        with tarfile.open(out) as archive:
            assert json.load(archive.extractfile("000003.json")) == {"seed": 7, "label": "dog", "index": 3}  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_run_on_shards_goes_on_to_the_last_bit(folder: Path, tmp_path: Path, zerosum: Any) -> None:
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(folder, ".")
    options = ("--pack", "files", "--cache", tmp_path / "cache", "--recipe", "dcgan", "--width", 4, "--batch", 8)
    for name, lengths in (("straight", (4,)), ("stopped", (2, 4))):
        for rounds in lengths:
            more = ("--rounds", rounds, "--run", tmp_path / name, "--go-on")
            said = zerosum("train", tmp_path / "all.tar", *options, *more)
            assert said.code == 0, said.err
    ends = [Run(tmp_path / name).checkpoint(4) for name in ("straight", "stopped")]
    assert_same_checkpoint(*ends)
    assert zerosum("sample", tmp_path / "straight", "-n", 3, "--out", tmp_path / "made.tar").code == 0
    assert len(images.open(tmp_path / "made.tar", options=DataConfig(cache=str(tmp_path / "cache")))) == 3


def test_a_folder_of_images_beside_a_tar_is_a_folder_of_images(folder: Path) -> None:
    write_tar(folder / "backup.tar", {"a.png": b""})
    assert shards_at(folder) == []
    assert numbered("a-{0..1}-{08..09}.tar") == ["a-0-08.tar", "a-0-09.tar", "a-1-08.tar", "a-1-09.tar"]
