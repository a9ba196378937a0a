import errno
import os
import shutil
import threading
import time

import numpy as np
import pytest

from zerosum.data.packing import cache, cache_files, making
from zerosum.data.spec import Spec
from zerosum.errors import StorageError
from zerosum.kinds import open_data


def refuse_progress(*news):
    raise AssertionError(f"nothing should be left to do, but was told of {news}")


def test_what_has_not_changed_is_reopened_without_looking_at_it(folder, options):
    root = folder({"a.png": (16, 16), "b.png": (16, 16)})
    told = []
    first = open_data(root, options=options(), progress=lambda *news: told.append(news))
    assert told == [("look", 2, 2), ("pack", 2, 2)]
    again = open_data(root, options=options(), progress=refuse_progress)
    assert np.array_equal(first.samples, again.samples)
    assert (first.fingerprint, first.notes, first.spec) == (again.fingerprint, again.notes, again.spec)


@pytest.mark.parametrize("change", ["content", "more", "fewer", "option"])
def test_every_change_makes_another_pack(folder, options, noise, change):
    root = folder({"a.png": (16, 16), "b.png": (16, 16)})
    first = open_data(root, options=options())
    match change:
        case "content":
            folder({"a.png": noise(16, 16)})
        case "more":
            folder({"c.png": (16, 16)})
        case "fewer":
            (root / "a.png").unlink()
    second = open_data(root, options=options(size="8") if change == "option" else options())
    assert first.fingerprint != second.fingerprint


def test_samples_are_mapped_and_cannot_be_changed_on_disk(folder, options):
    root = folder({"a.png": np.full((16, 16), 7, np.uint8)})
    data = open_data(root, options=options())
    assert isinstance(data.samples, np.memmap)
    data.samples[:] = 0
    assert (open_data(root, options=options()).samples == 7).all()


def test_a_batch_from_a_map_raises_no_warning(folder, options, recwarn):
    data = open_data(folder({"a/1.png": (16, 16, 3), "b/1.png": (16, 16, 3)}), options=options())
    batch = data.batch(np.array([1, 0, 1]))
    assert batch.image.shape == (3, 3, 16, 16)
    assert batch.label.tolist() == [1, 0, 1]
    assert np.array_equal(batch.image[0].permute(1, 2, 0).numpy(), data.samples[1])
    assert not [warning for warning in recwarn if "writable" in str(warning.message)]


def test_two_that_pack_at_once_do_not_harm_each_other(folder, options):
    root = folder({f"{number}.png": (40, 40, 3) for number in range(40)})
    results, start = [], threading.Barrier(3)

    def work():
        start.wait()
        results.append(open_data(root, options=options(size="16")))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({data.fingerprint for data in results}) == 1
    assert all(np.array_equal(data.samples, results[0].samples) for data in results)


def test_a_pack_interrupted_leaves_nothing(tmp_path):
    def interrupted():
        with making.new_pack(tmp_path, "key", (2, 2, 1)) as packing:
            packing.append(np.zeros((1, 2, 2, 1), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert cache.reopen(tmp_path, "key") is None
    assert list((tmp_path / "packed").iterdir()) == []


def test_the_first_of_two_packs_stands(tmp_path):
    for value in (1, 2):
        with making.new_pack(tmp_path, "key", (2, 2, 1)) as packing:
            packing.append(np.full((3, 2, 2, 1), value, np.uint8))
            packing.finish(labels=None, spec=Spec(shape=(1, 2, 2)), notes=())
    assert (cache.reopen(tmp_path, "key").samples == 1).all()
    assert [path.name for path in (tmp_path / "packed").iterdir()] == ["key"]


def test_the_fingerprint_is_that_of_the_content_whatever_the_pieces(tmp_path, noise):
    samples, labels, spec = noise(9, 4, 4, 3), np.arange(9), Spec(shape=(3, 4, 4), classes=tuple("abcdefghi"))
    for key, cuts in (("one", [9]), ("three", [2, 3, 9])):
        with making.new_pack(tmp_path, key, (4, 4, 3)) as packing:
            for rows in np.split(samples, cuts):
                packing.append(rows)
            packing.finish(labels=labels, spec=spec, notes=("A note.",))
    one, three = cache.reopen(tmp_path, "one"), cache.reopen(tmp_path, "three")
    assert one.fingerprint == three.fingerprint == cache.digest(samples, labels, spec)
    assert np.array_equal(three.samples, samples)
    assert three.labels.tolist() == labels.tolist()
    assert three.notes == ("A note.",)
    assert cache.digest(samples, labels[::-1], spec) != one.fingerprint


def test_what_a_killed_process_left_behind_is_swept_after_a_day(tmp_path):
    old, young = tmp_path / "packed" / ".making-a-1", tmp_path / "packed" / ".making-a-2"
    for scratch in (old, young):
        scratch.mkdir(parents=True)
    long_ago = time.time() - 2 * cache_files.STALE_SECONDS
    os.utime(old, (long_ago, long_ago))
    with making.new_pack(tmp_path, "key", (2, 2, 1)) as packing:
        packing.append(np.zeros((1, 2, 2, 1), np.uint8))
        packing.finish(labels=None, spec=Spec(shape=(1, 2, 2)), notes=())
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("part", ["samples.npy", "labels.npy", "pack.json", "seal.json"])
@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_damaged_pack_is_noticed_and_made_anew(folder, options, tmp_path, part, harm):
    root = folder({"a/1.png": (16, 16), "b/2.png": (16, 16)})
    first = open_data(root, options=options())
    expected, labels = np.array(first.samples), first.labels.tolist()
    (stored,) = (tmp_path / "cache/packed").iterdir()
    content = bytearray((stored / part).read_bytes())
    if harm == "flip":
        content[-3] ^= 64
    (stored / part).write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    if harm == "gone":
        (stored / part).unlink()
    again = open_data(root, options=options())
    assert np.array_equal(again.samples, expected)
    assert again.labels.tolist() == labels
    assert cache.MADE_AGAIN in again.notes
    assert cache.MADE_AGAIN not in open_data(root, options=options()).notes


def test_a_copied_cache_is_used_as_it_is(folder, options, tmp_path):
    root = folder({"a.png": (16, 16)})
    open_data(root, options=options())
    shutil.copytree(tmp_path / "cache", tmp_path / "copy")
    open_data(root, options=options(cache=str(tmp_path / "copy")), progress=refuse_progress)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "not permitted"),
        (errno.EROFS, "not permitted"),
        (errno.EIO, "repair"),
    ],
)
def test_what_the_disk_refuses_is_said_in_a_sentence(tmp_path, number, sentence):
    with pytest.raises(StorageError, match=sentence) as caught, making.new_pack(tmp_path, "key", (2, 2, 1)):
        raise OSError(number, os.strerror(number))
    assert "--cache" in str(caught.value)
    assert list((tmp_path / "packed").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_a_storage_error(folder, options, tmp_path, monkeypatch):
    root = folder({f"{number}.png": (64, 64, 3) for number in range(4)})

    def on_full_disk(prefix, dir):  # noqa: A002
        scratch = dir / f"{prefix}full"
        scratch.mkdir()
        (scratch / "samples.npy").symlink_to("/dev/full")
        return str(scratch)

    monkeypatch.setattr("tempfile.mkdtemp", on_full_disk)
    monkeypatch.setattr("zerosum.data.packing.begun_pack.claimed", lambda home, key: None)
    with pytest.raises(StorageError, match="the disk is full"):
        open_data(root, options=options())


def test_a_cache_that_cannot_be_made_is_a_storage_error(folder, options, tmp_path):
    (tmp_path / "a file").write_text("in the way")
    with pytest.raises(StorageError, match=r"Cannot store data in .*a file"):
        open_data(folder({"a.png": (16, 16)}), options=options(cache=str(tmp_path / "a file")))


def test_the_cache_is_where_the_environment_says(folder, options, tmp_path):
    open_data(folder({"a.png": (16, 16)}), options=options(cache=None))
    assert len(list((tmp_path / "environment-cache/packed").iterdir())) == 1


def test_the_source_is_written_down_as_an_absolute_path_or_a_name(folder, options):
    root = folder({"a.png": (16, 16)})
    assert open_data(root.name, options=options()).source == str(root)
    assert open_data("ring8", options=options()).source == "ring8"
