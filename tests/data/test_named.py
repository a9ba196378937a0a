import gzip
import hashlib
import http.server
import io
import os
import struct
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from zerosum.data.sources import builtin
from zerosum.data.sources.download import fetch
from zerosum.errors import InputError
from zerosum.kinds import open_data

REAL = os.environ.get("ZEROSUM_DATA", "")
needs_real_data = pytest.mark.skipif(not Path(REAL, "mnist").is_dir(), reason="ZEROSUM_DATA names no folder with mnist")


@pytest.fixture
def server(tmp_path):
    """A web server of one folder, on this machine: (folder, address)."""
    root = tmp_path / "served"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield root, f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()
        thread.join()


def cifar_archive(path, per_batch=3):
    """A miniature of the binary archive: the records of each batch, (n, 3073) uint8, by batch name."""
    generator = np.random.default_rng(0)
    batches = {}
    with tarfile.open(path, "w:gz") as archive:
        for name in [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]:
            records = generator.integers(0, 256, (per_batch, 3073), dtype=np.uint8)
            records[:, 0] %= 10
            batches[name] = records
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = records.nbytes
            archive.addfile(member, io.BytesIO(records.tobytes()))
    return batches


def test_digits_come_at_32_and_at_any_size_asked_for(options):
    data = open_data("digits", options=options())
    assert len(data) == 1797
    assert data.spec.shape == (1, 32, 32)
    assert data.spec.classes == tuple("0123456789")
    assert open_data("digits", options=options(size="8")).spec.shape == (1, 8, 8)
    assert open_data("Digits", options=options(size="16")).spec.shape == (1, 16, 16)


def test_digits_at_8_are_the_originals_stretched_to_255(options):
    from sklearn.datasets import load_digits

    data = open_data("digits", options=options(size="8"))
    original = load_digits().images
    assert np.abs(data.samples[..., 0] * (16 / 255) - original).max() < 0.04
    assert data.samples.max() == 255


def test_digits_are_the_same_where_scikit_learn_keeps_them_elsewhere(options, monkeypatch):
    expected = open_data("digits", options=options())
    monkeypatch.setattr(builtin, "find_spec", lambda name: None)
    assert open_data("digits", options=options()).fingerprint == expected.fingerprint


def test_digits_are_one_set_and_write_no_file(options, tmp_path):
    with pytest.raises(InputError, match="digits has no split test"):
        open_data("digits", options=options(split="test"))
    first, again = open_data("digits", options=options()), open_data("digits", options=options())
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != open_data("digits", options=options(labels="none")).fingerprint
    assert not (tmp_path / "cache").exists()


def test_the_binary_archive_of_cifar_is_read_in_order(tmp_path):
    batches = cifar_archive(tmp_path / "c.tar.gz")
    train, test = builtin.read_cifar(tmp_path / "c.tar.gz", "train"), builtin.read_cifar(tmp_path / "c.tar.gz", "test")
    assert train.samples.shape == (15, 32, 32, 3)
    record = batches["data_batch_2.bin"][1]
    assert np.array_equal(train.samples[4], record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
    assert train.labels[4] == record[0]
    assert len(test.samples) == 3
    assert test.classes[0] == "airplane"


def test_a_damaged_cifar_archive_is_refused(tmp_path):
    cifar_archive(tmp_path / "c.tar.gz")
    content = (tmp_path / "c.tar.gz").read_bytes()
    (tmp_path / "c.tar.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="is damaged"):
        builtin.read_cifar(tmp_path / "c.tar.gz", "train")


def test_cifar_as_an_array_file_says_that_it_is_a_part(tmp_path, options, noise, monkeypatch):
    asked = options()
    (tmp_path / "kept" / "cifar10").mkdir(parents=True)
    labels = np.arange(10)
    np.savez(
        tmp_path / "kept/cifar10/part.npz", x_train=noise(10, 32, 32, 3), y_train=labels, class_names=builtin.CIFAR
    )
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path / "kept"))
    data = open_data("cifar10", options=asked)
    assert data.spec.shape == (3, 32, 32)
    assert any("10 images, JPEG copies of a part of cifar10" in note for note in data.notes)


def test_files_that_are_not_the_published_ones_are_refused(tmp_path, options, monkeypatch):
    asked = options()
    (tmp_path / "kept/fashion_mnist").mkdir(parents=True)
    for file in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        content = struct.pack(">4I", 0x803, 1, 28, 28) + bytes(784)
        (tmp_path / "kept/fashion_mnist" / file).write_bytes(gzip.compress(content))
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path / "kept"))
    with pytest.raises(InputError, match=r"train-images.* is not the .* published for fashion-mnist"):
        open_data("fashion-mnist", options=asked)


def test_every_published_file_has_its_digest():
    for name in ("mnist", "fashion-mnist", "cifar10"):
        about = builtin.published(name)
        assert len(about.classes) == 10
        assert all(len(digest) == 32 for digest in about.md5.values())
        assert len(about.md5) == (1 if name == "cifar10" else 4)


def matching(content):
    """A check that accepts this content only."""

    def check(path):
        if hashlib.md5(path.read_bytes()).digest() != hashlib.md5(content).digest():
            raise InputError(f"{path.name} is not the published file")

    return check


def test_a_download_reports_its_progress_and_is_in_place_whole(server, tmp_path):
    root, address = server
    content = bytes(range(256)) * 4000
    (root / "a.bin").write_bytes(content)
    told = []
    urls = [f"{address}missing.bin", f"{address}a.bin"]
    fetch(urls, tmp_path / "to/a.bin", check=matching(content), advice="", progress=lambda *news: told.append(news))
    assert (tmp_path / "to/a.bin").read_bytes() == content
    assert told[-1] == ("download", len(content), len(content))
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["a.bin"]


def test_a_download_that_is_not_the_published_file_leaves_nothing(server, tmp_path):
    root, address = server
    (root / "a.bin").write_bytes(b"forged")
    with pytest.raises(InputError, match="not the published file"):
        fetch([f"{address}a.bin"], tmp_path / "to/a.bin", check=matching(b"true"), advice="put it there.")
    assert list((tmp_path / "to").iterdir()) == []


def test_without_a_network_the_error_says_where_to_put_the_files(tmp_path, options, monkeypatch):
    asked = options()
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(InputError) as caught:
        open_data("mnist", options=asked)
    sentence = str(caught.value)
    assert "cannot be downloaded" in sentence
    assert f"into {tmp_path / 'cache/downloads/mnist'}" in sentence
    assert "train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz" in sentence
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path / "mine"))
    with pytest.raises(InputError, match="mine/cifar10"):
        open_data("cifar10", options=asked)


def test_published_sets_have_no_other_splits(options):
    with pytest.raises(InputError, match="mnist has no split val"):
        open_data("mnist", options=options(split="val"))


@needs_real_data
def test_mnist_keeps_28_and_pads_to_32(options, monkeypatch):
    asked = options(split="test"), options(split="test", size="32")
    monkeypatch.setenv("ZEROSUM_DATA", REAL)
    plain, padded = (open_data("mnist", options=each) for each in asked)
    assert plain.spec.shape == (1, 28, 28)
    assert len(plain) == 10_000
    assert np.bincount(plain.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.array_equal(padded.samples[:, 2:30, 2:30], plain.samples)
    assert padded.samples[:, :2].max() == padded.samples[:, :, 30:].max() == 0
    assert any("padded with zeros to 32x32" in note for note in padded.notes)
