"""Data of very many files, or of very large ones: what is held in memory for each, and what is read again."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ImageFile import ImageFile

from tests.data.test_shards import write_tar
from zerosum.data import sizes
from zerosum.data.options import DataConfig
from zerosum.data.packing import identity
from zerosum.data.packing.scan import survey
from zerosum.data.sources import parquet, shards, tar_index
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.shards import Shard
from zerosum.data.sources.tar_shards import list_tars
from zerosum.errors import InputError
from zerosum.kinds import images

MEMBERS = 3000


def shard_of(place: Path, members: dict[str, bytes]) -> Shard:
    write_tar(place, members)
    return Shard(str(place))


def encoded(form: str, side: int = 16, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer := io.BytesIO(), form)
    return buffer.getvalue()


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most memory that some work holds: the least of three times, because imports and threads count too."""
    peaks = []
    for _ in range(3):
        tracemalloc.start()
        try:
            work()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


@pytest.fixture
def labelled(tmp_path: Path) -> Shard:
    """As many images as are worth an index, each beside its class."""
    members: dict[str, bytes] = {}
    for index in range(MEMBERS // 2):
        members[f"{index:06d}.png"] = b"."
        members[f"{index:06d}.json"] = json.dumps({"label": index % 3}).encode()
    return shard_of(tmp_path / "a.tar", members)


def test_a_tar_is_gone_through_once_in_little_memory(
    labelled: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[ImageFiles] = []
    peak = peak_bytes(lambda: tar_index._gone_through(labelled))
    assert peak / MEMBERS < 250, "headers of the archive are held"
    for name in ("open", "read"):
        monkeypatch.setattr(Shard, name, counting(getattr(Shard, name), reads := []))
        found.append(list_tars(tmp_path, [labelled], tmp_path / "cache"))
        assert len(reads) == (1 if name == "open" else 0)  # and then never, because the index is kept
    assert found[0].own == found[1].own
    assert found[0].own is not None
    assert found[0].own.classes == ("0", "1", "2")
    assert found[0].names == found[1].names
    assert found[1].open("000004.png").read() == b"."


def counting(function: Callable, calls: list[tuple]) -> Callable:
    def counted(*given: object, **named: object) -> object:
        calls.append(given)
        return function(*given, **named)

    return counted


def test_an_index_that_is_damaged_or_of_another_archive_is_made_again(labelled: Shard, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = list_tars(tmp_path, [labelled], cache).names
    places = [place for place in (cache / "identities").iterdir() if b"starts" in place.read_bytes()]
    assert len(places) == 1
    for content in (b"", b"PK\x03\x04", places[0].read_bytes()[:-100]):
        places[0].write_bytes(content)
        assert list_tars(tmp_path, [labelled], cache).names == expected
    shorter = {f"{index}.png": b".." for index in range(MEMBERS // 2)}
    assert list_tars(tmp_path, [shard_of(tmp_path / "a.tar", shorter)], cache).names == tuple(sorted(shorter))


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "tiff", "bmp", "gif"])
def test_of_a_large_image_in_a_shard_the_header_is_looked_at_alone(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, cache = encoded(form, 600), DataConfig(cache=str(tmp_path / "cache"))
    shard = shard_of(tmp_path / "a.tar", {f"0.{form}": content})
    assert len(content) > 2 * shards.HEAD_BYTES
    files = list_tars(tmp_path, [shard], tmp_path / "cache")
    monkeypatch.setattr(Shard, "read", counting(Shard.read, reads := []))
    monkeypatch.setattr(ImageFile, "load", counting(ImageFile.load, decoded := []))
    assert next(iter(survey(files).facts.values())).width == 600
    assert not decoded
    if form in ("jpeg", "bmp"):  # others are gone through for their frames, or for what follows the pixels
        assert [size for _, _, size in reads] == [shards.HEAD_BYTES]
    with files.open(f"0.{form}") as file:
        assert file.read() == content
        assert file.seek(-3, io.SEEK_END) == len(content) - 3
        assert file.read() == content[-3:]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / f"0.{form}").write_bytes(content)
    drawn = [images.open(tmp_path / name, options=cache).samples[0] for name in ("a.tar", "folder")]
    np.testing.assert_array_equal(*drawn)


def test_a_shard_cut_short_after_it_was_listed_is_said_to_be_so(tmp_path: Path) -> None:
    shard = shard_of(tmp_path / "a.tar", {"0.bmp": encoded("bmp", 600)})
    files = list_tars(tmp_path, [shard], tmp_path / "cache")
    with open(shard.place, "r+b") as file:
        file.truncate(100_000)
    with files.open("0.bmp") as file, pytest.raises(OSError, match="truncated"):
        Image.open(file).load()


class Entry:
    """An entry of a folder that counts what is asked of the disk."""

    asked = 0

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self.name, self.path, self.is_dir, self._entry = entry.name, entry.path, entry.is_dir, entry

    def stat(self) -> os.stat_result:
        Entry.asked += 1
        return self._entry.stat()


def test_a_folder_is_listed_without_asking_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(20):
        (tmp_path / f"{index:02d}.png").write_bytes(b"")
    scan, status = os.scandir, os.stat

    @contextmanager
    def scandir(path: str) -> Iterator[list[Entry]]:
        with scan(path) as entries:
            yield [Entry(entry) for entry in entries]

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "stat", counting(status, asked := []))
    assert len(list_folder(tmp_path).names) == 20
    assert Entry.asked + len(asked) < 5


def test_of_files_that_are_known_little_is_held(tmp_path: Path) -> None:
    names = [str(tmp_path / f"a-rather-long-name-{index:06d}.bin") for index in range(MEMBERS)]
    for index, name in enumerate(names):
        Path(name).write_bytes(index.to_bytes(4))
    first = identity.digests(names, tmp_path / "cache")
    assert len(set(first)) == MEMBERS
    peak = peak_bytes(lambda: identity.digests(names, tmp_path / "cache"))
    assert peak / MEMBERS < 1200, "numbers are held one by one"
    other = [*reversed(names[1:]), str(tmp_path / "lost")]
    assert identity.digests(other, tmp_path / "cache") == [*reversed(first[1:]), identity.UNREADABLE]


def test_headers_of_many_files_are_read_once_to_choose_a_recipe(
    folder: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "KEPT_FILES", 2)
    monkeypatch.setattr(sizes, "survey", counting(sizes.survey, calls := []))
    gray = np.zeros((40, 48), np.uint8)
    root, options = folder({"x/a.png": gray, "y/b.png": gray}), DataConfig(cache=str(tmp_path / "cache"))
    found = [sizes.expected(root, options) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] is not None
    assert (found[0].shape, found[0].classes, len(calls)) == ((1, 40, 48), ("x", "y"), 1)
    assert sizes.candidates(root, options)[1] == 2
    Image.new("RGB", (48, 40), "red").save(root / "x/a.png")
    again = sizes.expected(root, options)
    assert again is not None
    assert (again.shape, len(calls)) == ((3, 40, 48), 2)


def test_a_parquet_file_of_one_row_group_is_never_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra data is not installed")
    import pyarrow.parquet as pq

    contents = [np.random.default_rng(row).bytes(2000) for row in range(MEMBERS)]
    pq.write_table(arrow.table({"image": [{"bytes": content} for content in contents]}), tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "STRETCH_BYTES", 1 << 18)
    files = parquet.list_parquet(tmp_path, [Shard(str(tmp_path / "a.parquet"))], tmp_path / "cache")
    table = files.open.__closure__[0].cell_contents[files.names[0]][0]  # type: ignore[index]
    held = 0
    for row in [*range(MEMBERS), 7, 2500, 2, MEMBERS - 1]:
        assert files.open(files.names[row]).read() == contents[row]
        held = max(held, sum(rows.num_rows for _, rows in table._kept))
    assert held * 2000 <= parquet.KEPT * parquet.STRETCH_BYTES
    assert held < MEMBERS / 4
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="no Parquet file"):
        parquet.list_parquet(tmp_path, [Shard(str(tmp_path / "b.parquet"))], tmp_path / "cache")
