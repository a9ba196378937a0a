"""Packs by their keys and fingerprints, and what stands in their files."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from zerosum.data.packing import cache, cache_files, making
from zerosum.data.spec import Spec
from zerosum.errors import StorageError


def test_a_key_depends_on_every_part_and_on_the_format(monkeypatch):
    keys = [cache.key_of(*parts) for parts in (("a", 1), ("a", 2), ("b", 1), ("a",), ("a", 1, None), (1, "a"))]
    assert len(set(keys)) == 6
    assert all(len(key) == 32 for key in keys)
    assert cache.key_of("a", 1) == keys[0]
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    assert cache.key_of("a", 1) != keys[0]


def test_a_fingerprint_depends_on_samples_labels_shape_and_classes():
    samples, labels = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1), np.array([0, 1])
    spec = Spec(shape=(1, 4, 4), classes=("a", "b"))
    found = [
        cache.digest(samples, labels, spec),
        cache.digest(samples[::-1], labels, spec),
        cache.digest(samples, labels[::-1], spec),
        cache.digest(samples, None, spec),
        cache.digest(samples, labels, Spec(shape=(4, 4, 1), classes=("a", "b"))),
        cache.digest(samples, labels, Spec(shape=(1, 4, 4), classes=("a", "c"))),
    ]
    assert len(set(found)) == len(found)
    assert all(len(digest) == 32 for digest in found)
    assert cache.digest(np.asfortranarray(samples), labels.astype(np.int32), spec) == found[0]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_pack_is_reopened_as_it_was_made(tmp_path, labelled):
    samples = np.arange(96, dtype=np.uint8).reshape(3, 4, 4, 2)
    labels = np.array([2, 0, 1], dtype=np.int32) if labelled else None
    spec = Spec(shape=(2, 4, 4), classes=("a", "b", "c") if labelled else ())
    with making.new_pack(tmp_path, "key", (4, 4, 2)) as packing:
        packing.append(samples[:1])
        packing.append(samples[1:])
        assert packing.count == 3
        packing.finish(labels=labels, spec=spec, notes=["one", "two"])
    found = cache.reopen(tmp_path, "key")
    assert np.array_equal(found.samples, samples)
    assert (found.labels is None) is not labelled
    if labelled:
        assert found.labels.tolist() == [2, 0, 1]
        assert found.labels.dtype == np.int64
    assert (found.spec, found.notes) == (spec, ("one", "two"))
    assert found.fingerprint == cache.digest(samples, labels, spec)
    assert cache.reopen(tmp_path, "other") is None
    assert (tmp_path / "packed" / "key").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EPERM, "not permitted"), (errno.EIO, os.strerror(5))],
)
def test_a_refusal_names_its_reason(tmp_path, number, sentence):
    assert sentence in str(cache_files.storage_error(tmp_path, OSError(number, os.strerror(number))))
    assert "odd: repair" in str(cache_files.storage_error(tmp_path, OSError("odd")))


def test_a_name_that_is_taken_by_something_else_is_an_error(tmp_path):
    (tmp_path / "packed" / "key").mkdir(parents=True)
    (tmp_path / "packed" / "key" / "foreign").touch()
    with pytest.raises(StorageError), making.new_pack(tmp_path, "key", (2, 2, 1)) as packing:
        packing.finish(labels=None, spec=Spec(shape=(1, 2, 2)), notes=())


def test_files_are_forced_to_the_disk_before_the_pack_appears(tmp_path, monkeypatch):
    forced = []
    sync = os.fsync
    monkeypatch.setattr(
        "os.fsync", lambda number: (forced.append(os.readlink(f"/proc/self/fd/{number}")), sync(number))
    )
    with making.new_pack(tmp_path, "key", (2, 2, 1)) as packing:
        packing.finish(labels=np.array([], np.int64), spec=Spec(shape=(1, 2, 2)), notes=())
        assert not (tmp_path / "packed" / "key").exists()
    assert [os.path.basename(name) for name in forced] == ["samples.npy", "labels.npy", "pack.json"]
