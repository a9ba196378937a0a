"""Data are the same if their content is: neither names of folders nor times count, and no rewriting escapes."""

import os
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from zerosum.data.batch import Pairs
from zerosum.data.packing import identity, sweep
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.kinds.images import open as open_data


def refuse_progress(*news):
    raise AssertionError(f"nothing should be left to do, but was told of {news}")


def gray(level, shape=(8, 8)):
    return np.full(shape, level, np.uint8)


def rewrite(path, write):
    """Write a file anew and give it back its times, as rsync -a, tar and touch -r do."""
    before = path.stat()
    write(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_an_image_rewritten_with_its_old_size_and_time_gives_new_pixels(folder, options):
    root = folder({"a.bmp": gray(10), "b.bmp": gray(20)})
    assert open_data(root, options=options()).samples[0].max() == 10
    rewrite(root / "a.bmp", lambda path: Image.fromarray(gray(200)).save(path))
    assert open_data(root, options=options()).samples[0].max() == 200


def test_an_image_exchanged_for_another_file_gives_new_pixels(folder, options):
    root = folder({"a.bmp": gray(10), "other/b.bmp": gray(90)})
    assert open_data(root / "other", options=options()).samples.max() == 90
    os.utime(root / "a.bmp", ns=(1, 1))
    os.utime(root / "other/b.bmp", ns=(1, 1))
    (root / "a.bmp").replace(root / "other/b.bmp")
    assert open_data(root / "other", options=options()).samples.max() == 10


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_array_rewritten_with_its_old_size_and_time_is_another(tmp_path, options, suffix):
    path = tmp_path / f"a.{suffix}"
    save = {"npy": np.save, "npz": lambda path, array: np.savez(path, images=array)}[suffix]
    save(path, gray(10, (6, 8, 8)))
    first = open_data(path, options=options()).fingerprint
    rewrite(path, lambda path: save(path, gray(11, (6, 8, 8))))
    second = open_data(path, options=options())
    assert second.samples.max() == 11
    assert second.fingerprint != first


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_pair_rewritten_with_its_old_size_and_time_gives_new_pixels(folder, options, side):
    root = folder({f"{each}/{number}.bmp": gray(10 + number) for each in "AB" for number in range(2)})
    before = open_as((Pairs,), root, options=options())
    rewrite(root / side / "1.bmp", lambda path: Image.fromarray(gray(250)).save(path))
    after = open_as((Pairs,), root, options=options())
    assert after.fingerprint != before.fingerprint
    assert (after.sources if side == "A" else after.samples).max() == 250


@pytest.mark.parametrize("form", ["folder", "npy", "npz"])
def test_a_touch_and_a_copy_change_nothing(folder, options, tmp_path, form):
    array = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    source = folder({f"{number}.png": image for number, image in enumerate(array)}) if form == "folder" else None
    if source is None:
        source = tmp_path / f"a.{form}"
        np.save(source, array) if form == "npy" else np.savez(source, array)
    first = open_data(source, options=options())
    for path in source.iterdir() if form == "folder" else [source]:
        path.touch()
    again = open_data(source, options=options(), progress=refuse_progress)
    copy = tmp_path / f"copy-{source.name}"
    (shutil.copytree if form == "folder" else shutil.copy)(source, copy)
    copied = open_data(copy, options=options(), progress=refuse_progress)
    assert first.fingerprint == again.fingerprint == copied.fingerprint


def test_files_that_stay_are_read_once(folder, options, monkeypatch, tmp_path):
    root = folder({f"{number}.png": (8, 8) for number in range(5)})
    read = []
    digest = identity.digest_of
    monkeypatch.setattr(identity, "digest_of", lambda path: (read.append(os.path.basename(path)), digest(path))[1])
    monkeypatch.setattr(identity, "RACY_NS", 0)
    open_data(root, options=options())
    assert len(read) == 5
    Image.fromarray(gray(7)).save(root / "3.png")
    open_data(root, options=options())
    assert read[5:] == ["3.png"]
    open_data(root, options=options(size="16"))
    assert len(read) == 6


def test_a_file_that_has_just_changed_is_read_again(folder, options, monkeypatch):
    root = folder({"a.png": (8, 8)})
    open_data(root, options=options())
    read = []
    digest = identity.digest_of
    monkeypatch.setattr(identity, "digest_of", lambda path: (read.append(path), digest(path))[1])
    open_data(root, options=options())
    assert len(read) == 1


def test_members_of_an_archive_are_told_apart_by_their_content(folder, options, tmp_path):
    root = folder({"a.bmp": gray(10), "b.bmp": gray(20)})
    for level, names in ((10, ("a.bmp", "b.bmp")), (20, ("b.bmp", "a.bmp"))):
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            for name, stored in zip(names, ("a.bmp", "b.bmp"), strict=True):
                archive.write(root / name, stored)
        os.utime(tmp_path / "photos.zip", ns=(1, 1))
        assert open_data(tmp_path / "photos.zip", options=options()).samples[0].max() == level


def test_the_least_recently_used_go_when_the_cache_outgrows_its_bound(folder, options, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "RECENT_SECONDS", 3600)
    root = folder({"a.png": (64, 64, 3)})
    for number, size in enumerate(("16", "32", "48")):
        open_data(root, options=options(size=size))
        for entry in sweep.entries(tmp_path / "cache"):
            if entry.kind == "packed" and entry.used > 1e9:
                os.utime(entry.files[0] / "seal.json", (1000 + number, 1000 + number))
    open_data(root, options=options(size="16"))  # used again: now it is the newest
    packs = {entry.files[0].name: entry for entry in sweep.entries(tmp_path / "cache") if entry.kind == "packed"}
    oldest = sorted(packs.values(), key=lambda entry: entry.used)
    sweep.sweep(tmp_path / "cache", bound=sum(entry.size for entry in packs.values()) - 1)
    left = {entry.files[0].name for entry in sweep.entries(tmp_path / "cache") if entry.kind == "packed"}
    assert left == set(packs) - {oldest[0].files[0].name}
    sweep.sweep(tmp_path / "cache", bound=0)
    assert oldest[-1].files[0].exists()  # within the hour
    assert not oldest[1].files[0].exists()


def test_the_cache_is_listed_and_cleared(folder, options, tmp_path, monkeypatch):
    root = folder({"a.png": (16, 16, 3)})
    open_data(root, options=options())
    (tmp_path / "cache/downloads").mkdir()
    (tmp_path / "cache/downloads/mnist.gz").write_bytes(b"x" * 2_000_000)
    listing = "\n".join(sweep.describe_cache(tmp_path / "cache"))
    assert f"1 sample of 3x16x16 from {root}" in listing
    assert "which stay: 2 MB" in listing
    assert "Removed" in sweep.clear(tmp_path / "cache")
    assert sweep.entries(tmp_path / "cache") == []
    assert (tmp_path / "cache/downloads/mnist.gz").exists()
    monkeypatch.setenv("ZEROSUM_CACHE_GB", "a lot")
    with pytest.raises(InputError, match="give a number of gigabytes"):
        sweep.bound_of(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE_GB", "1.5")
    assert sweep.bound_of(tmp_path) == 1.5e9
