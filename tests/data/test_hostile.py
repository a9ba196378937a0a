"""Damaged, hostile and vanishing data end in a sentence, whichever reader they meet."""

import gzip
import struct
import zipfile

import numpy as np
import pytest

import zerosum
from zerosum.cli import main
from zerosum.data.check import check
from zerosum.data.sources import arrays
from zerosum.errors import InputError
from zerosum.kinds.images import open as open_data
from zerosum.runtime.progress import Silent


def npy(header, body=bytes(256)):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body


@pytest.mark.parametrize(
    "content",
    [
        npy("{'descr': '|u1'\n"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (36893488147419103232, 8, 8), }\n"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 8, 8), }\n"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (4, 8, 8), }\n"),
        npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4, 8, 8), }\n"),
        npy("(" * 5000 + "\n"),
        b"\x93NUMPY\x09\x09",
        b"",
    ],
)
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_arrays_that_are_none_are_refused_in_a_sentence(tmp_path, options, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError):
        open_data(tmp_path / name, options=options())


def test_every_byte_of_an_archive_may_be_damaged(tmp_path, options, noise):
    np.savez(tmp_path / "a.npz", x_train=noise(3, 8, 8), y_train=np.arange(3))
    content = (tmp_path / "a.npz").read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(damaged)
        try:
            open_data(tmp_path / "b.npz", options=options())
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("array", [np.full((4, 8, 8), 2**64 - 1, np.uint64), np.full((4, 8, 8), -7e300)])
def test_numbers_of_any_size_have_a_range(tmp_path, options, array):
    np.save(tmp_path / "a.npy", array)
    assert len(np.unique(open_data(tmp_path / "a.npy", options=options()).samples)) == 1
    assert check(tmp_path / "a.npy", options()).samples == 4


@pytest.mark.parametrize("form", ["npz", "idx", "gz"])
def test_what_unpacks_to_more_than_there_is_memory_for_is_refused_at_once(tmp_path, options, monkeypatch, form):
    monkeypatch.setattr(arrays, "spendable", lambda: 1_000_000)
    head = struct.pack(">IIII", 0x803, 2000, 32, 32)
    path = tmp_path / {"npz": "a.npz", "idx": "a-images-idx3-ubyte", "gz": "a-images-idx3-ubyte.gz"}[form]
    match form:
        case "npz":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("images.npy", bytes(2_100_000))
        case "idx":
            path.write_bytes(head)
        case _:
            path.write_bytes(gzip.compress(head + bytes(2_048_000)))
    with pytest.raises(InputError, match="would unpack to 2 MB, more than there is memory for"):
        open_data(path, options=options())


def test_lengths_that_overflow_are_refused(tmp_path, options):
    (tmp_path / "a-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, 2**21, 2**22, 2**21))
    with pytest.raises(InputError):
        open_data(tmp_path / "a-images-idx3-ubyte", options=options())


def test_a_mapped_file_that_shrinks_ends_in_a_sentence(tmp_path, options, noise):
    np.save(tmp_path / "a.npy", noise(50, 8, 8))
    data = open_data(tmp_path / "a.npy", options=options())
    data.batch(np.arange(4))
    with (tmp_path / "a.npy").open("r+b") as file:
        file.truncate(500)
    with pytest.raises(InputError, match="has become shorter since it was opened"):
        data.batch(np.arange(4))
    (tmp_path / "a.npy").unlink()
    assert data.spec.shape == (1, 8, 8)


def test_a_run_goes_on_with_data_that_were_moved_and_with_no_others(folder, tmp_path, noise):
    root = folder({f"{i}.png": (8, 8) for i in range(4)})
    other = folder({f"{i}.png": noise(8, 8) for i in range(4)}, "other")
    settings = {"recipe": "gan", "generator_hidden": (4,), "discriminator_hidden": (4,), "batch": 2, "rounds": 1}
    run = zerosum.train(root, run=tmp_path / "run", progress=Silent(), **settings)
    moved = root.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="zerosum train DATA --resume"):
        zerosum.resume(run.path, rounds=2, progress=Silent())
    with pytest.raises(InputError, match="are not those of the run"):
        zerosum.resume(run.path, data=other, rounds=2, progress=Silent())
    zerosum.resume(run.path, data=moved, rounds=2, progress=Silent())
    zerosum.resume(run.path, rounds=3, progress=Silent())  # the new place is kept


def test_a_run_goes_on_with_targets_that_were_moved_and_with_no_others(folder, tmp_path, noise):
    root, names = folder({f"{i}.png": noise(16, 16, 3) for i in range(3)}), [f"{i}.png" for i in range(3)]
    targets, other = (folder({name: noise(16, 16, 3) for name in names}, place) for place in ("targets", "other"))
    small = {"recipe": "pix2pix", "width": 4, "layers": 2, "batch": 1, "rounds": 1}
    run = zerosum.train(root, run=tmp_path / "run", target=str(targets), progress=Silent(), **small)
    moved = targets.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"The target of the run, .*targets, .* --target PATH"):
        zerosum.resume(run.path, rounds=2, progress=Silent())
    with pytest.raises(InputError, match="are not those of the run"):
        zerosum.resume(run.path, target=str(other), rounds=2, progress=Silent())
    assert main(["train", "--resume", str(run.path), "--target", str(moved), "--rounds", "2"]) == 0
    zerosum.resume(run.path, rounds=3, progress=Silent())  # the new place is kept
    assert main(["train", "--resume", str(run.path), "--target", str(other), "--rounds", "4"]) == 2


def test_a_run_goes_on_with_a_table_of_labels_that_was_moved_and_with_no_other(folder, tmp_path, noise):
    root = folder({f"{i}.png": noise(8, 8) for i in range(4)})
    table = tmp_path / "table.csv"
    table.write_text("file,label,other\n" + "".join(f"{i}.png,{'ab'[i % 2]},{'ab'[i // 2]}\n" for i in range(4)))
    settings = {"recipe": "gan", "generator_hidden": (4,), "discriminator_hidden": (4,), "batch": 2, "rounds": 1}
    run = zerosum.train(root, run=tmp_path / "run", labels=str(table), progress=Silent(), **settings)
    moved = table.rename(tmp_path / "moved.csv")
    with pytest.raises(InputError, match=r"The labels of the run, .*table.csv, .* --labels PATH"):
        zerosum.resume(run.path, rounds=2, progress=Silent())
    with pytest.raises(InputError, match="are not those of the run"):
        zerosum.resume(run.path, labels=f"{moved}:other", rounds=2, progress=Silent())
    with pytest.raises(InputError, match=r"--labels is .* in the run and none was asked"):
        zerosum.resume(run.path, labels="none", rounds=2, progress=Silent())
    assert main(["train", "--resume", str(run.path), "--labels", str(moved), "--rounds", "2"]) == 0
    zerosum.resume(run.path, rounds=3, progress=Silent())


def test_two_sides_are_told_from_classes(folder, options):
    for names, said in ((("trainA", "trainB", "testA"), True), (("Source", "target"), True), (("cat", "dog"), False)):
        root = folder({f"{name}/a.png": (8, 8) for name in names}, "-".join(names))
        assert any("cyclegan" in warning for warning in check(root, options()).warnings) == said
