import gzip
import json
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum import kinds
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import open_data


def refusal(source, options):
    with pytest.raises(InputError) as caught:
        open_data(source, options=options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def saved(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    return tmp_path / "a.npy"


def zipped(tmp_path, **arrays):
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    return tmp_path / "a.npz"


def idx(array):
    header = struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_layout_is_told_by_the_axis_of_the_channels(tmp_path, options, noise, channels):
    last = noise(7, 10, 12, channels)
    data = open_data(saved(tmp_path, last), options=options())
    assert data.spec.shape == (channels, 10, 12)
    assert np.array_equal(data.samples, last)
    first = open_data(saved(tmp_path, np.moveaxis(last, -1, 1)), options=options())
    assert np.array_equal(first.samples, last)


def test_three_axes_are_gray_images(tmp_path, options, noise):
    images = noise(5, 8, 9)
    data = open_data(saved(tmp_path, images), options=options())
    assert data.spec.shape == (1, 8, 9)
    assert np.array_equal(data.samples[..., 0], images)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((5, 3, 8, 3), "either the second or the last axis"),
        ((5, 8, 8, 9), "expected 1 array of"),
        ((5, 8), "expected 1 array of"),
        ((0, 8, 8), "is empty"),
        ((5, 1, 1), "images of 1x1 pixels"),
        ((64, 64, 3), "images of 64x3 pixels"),
    ],
)
def test_a_shape_that_images_do_not_have_is_refused(tmp_path, options, shape, sentence):
    assert sentence in refusal(saved(tmp_path, np.zeros(shape, np.uint8)), options())


@pytest.mark.parametrize(
    ("low", "high", "kind", "ends", "sentence"),
    [
        (0, 65535, np.uint16, (0, 255), "0..65535 becomes 0..255"),
        (0, 1023, np.uint16, (0, 255), "0..1023 becomes 0..255"),
        (3, 200, np.int64, (3, 200), "fit 8 bits and keep their values"),
        (-100, 100, np.int16, (0, 255), "from -100 to 100"),
        (0.0, 1.0, np.float32, (0, 255), "0..1 becomes 0..255"),
        (-1.0, 1.0, np.float64, (0, 255), "-1..1 becomes 0..255"),
        (0.0, 255.0, np.float32, (0, 255), "0..255 becomes 0..255"),
        (-7.0, 3.0, np.float16, (0, 255), "from -7 to 3"),
        (False, True, np.bool_, (0, 255), "False and true"),
    ],
)
def test_wide_numbers_are_scaled_by_a_stated_rule(tmp_path, options, low, high, kind, ends, sentence):
    images = np.full((3, 8, 8), low, kind)
    images[1:] = high
    data = open_data(saved(tmp_path, images), options=options())
    assert (data.samples[0] == ends[0]).all()
    assert (data.samples[1:] == ends[1]).all()
    assert any(sentence in note for note in data.notes)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path, options, hole):
    images = np.zeros((3, 8, 8), np.float32)
    images[1, 2, 3] = hole
    assert "not finite" in refusal(saved(tmp_path, images), options())


def test_pickled_objects_are_never_read(tmp_path, options):
    objects = np.array([{"a": 1}], dtype=object)
    np.save(tmp_path / "o.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "o.npz", images=objects)
    for name in ("o.npy", "o.npz"):
        assert "Python objects, which are never read" in refusal(tmp_path / name, options())


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.gz"])
def test_damaged_files_are_refused(tmp_path, options, noise, name):
    whole = {
        "a.npy": lambda: saved(tmp_path, noise(9, 8, 8)),
        "a.npz": lambda: zipped(tmp_path, images=noise(9, 8, 8)),
        "a.gz": lambda: (tmp_path / "a.gz").write_bytes(idx(noise(9, 8, 8))),
    }
    whole[name]()
    content = (tmp_path / name).read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"not at all"):
        (tmp_path / name).write_bytes(damaged)
        assert str(tmp_path / name) in refusal(tmp_path / name, options())


def test_named_arrays_are_chosen_by_split(tmp_path, options, noise):
    path = zipped(
        tmp_path,
        x_train=noise(6, 8, 8, 3),
        y_train=np.array([0, 1, 2, 0, 1, 2]),
        x_test=noise(2, 8, 8, 3),
        y_test=np.array([[2], [0]]),
        class_names=np.array(["ant", "bee", "cow"]),
    )
    train, test = open_data(path, options=options()), open_data(path, options=options(split="test"))
    assert (len(train), len(test)) == (6, 2)
    assert train.spec.classes == test.spec.classes == ("ant", "bee", "cow")
    assert test.labels.tolist() == [2, 0]
    assert "choose --split train or test" in refusal(path, options(split="val"))
    assert open_data(path, options=options(labels="none")).labels is None


def test_images_and_labels_or_a_single_array_will_do(tmp_path, options, noise):
    data = open_data(zipped(tmp_path, images=noise(3, 8, 8), labels=np.array([7, 3, 7])), options=options())
    assert data.spec.classes == ("3", "7")
    assert data.labels.tolist() == [1, 0, 1]
    assert open_data(zipped(tmp_path, faces=noise(3, 8, 8)), options=options()).labels is None


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": (3, 8, 8), "b": (3, 8, 8)}, "holds a, b: expected x_train and y_train"),
        ({"images": (3, 8, 8), "labels": np.array([0, 1])}, r"has the shape \(2,\)"),
        ({"images": (3, 8, 8), "labels": np.eye(3, dtype=int)}, "one class number for each image"),
        ({"images": (3, 8, 8), "labels": np.array([0.0, 1, 2])}, "holds float64"),
        ({"images": (3, 8, 8), "labels": np.array([0, 1, 2]), "class_names": np.array(["x", "y"])}, "but 2 are named"),
        ({"images": (3, 8, 8), "labels": np.array([0, 1, -1]), "class_names": np.array(["x", "y"])}, "holds class -1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, options, arrays, sentence):
    made = {key: np.zeros(value, np.uint8) if isinstance(value, tuple) else value for key, value in arrays.items()}
    with pytest.raises(InputError, match=sentence):
        open_data(zipped(tmp_path, **made), options=options())


def test_labels_of_arrays_come_from_nowhere_else(tmp_path, options, noise):
    assert "an array brings its own labels" in refusal(saved(tmp_path, noise(3, 8, 8)), options(labels="folders"))


def test_arrays_are_resized_and_change_channels_as_files_do(tmp_path, options):
    images = np.zeros((3, 16, 32, 3), np.uint8)
    images[..., :] = (100, 50, 200)
    data = open_data(saved(tmp_path, images), options=options(size="8", channels=1))
    assert data.spec.shape == (1, 8, 8)
    assert (data.samples == round(0.299 * 100 + 0.587 * 50 + 0.114 * 200)).all()
    assert any("cut to the centre" in note for note in data.notes)
    assert any("Channels change from 3 to 1" in note for note in data.notes)


def test_an_idx_file_finds_its_labels_beside_it(tmp_path, options, noise):
    images = noise(4, 8, 8)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(idx(images))
    assert open_data(tmp_path / "train-images-idx3-ubyte.gz", options=options()).labels is None
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(gzip.decompress(idx(np.array([1, 0, 3, 1]))))
    data = open_data(tmp_path / "train-images-idx3-ubyte.gz", options=options())
    assert np.array_equal(data.samples[..., 0], images)
    assert data.spec.classes == ("0", "1", "3")


def test_a_folder_of_idx_files_is_read_by_split(tmp_path, options, noise):
    for start, count in (("train", 5), ("t10k", 3)):
        (tmp_path / f"{start}-images-idx3-ubyte.gz").write_bytes(idx(noise(count, 8, 8)))
        (tmp_path / f"{start}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count)))
    assert len(open_data(tmp_path, options=options())) == 5
    assert len(open_data(tmp_path, options=options(split="test"))) == 3
    assert "no split val" in refusal(tmp_path, options(split="val"))


def test_an_idx_file_of_another_kind_is_refused(tmp_path, options):
    (tmp_path / "a.gz").write_bytes(idx(np.arange(5)))
    assert "no idx file of bytes with 3 axes" in refusal(tmp_path / "a.gz", options())


def test_a_plain_array_file_is_used_where_it_lies(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "plain.npy", images)
    data = open_data(tmp_path / "plain.npy", options=DataConfig(cache=str(tmp_path / "cache")))
    assert np.array_equal(data.samples, images)
    assert isinstance(data.samples, np.memmap)
    assert not (tmp_path / "cache/packed").exists()
    np.save(tmp_path / "plain.npy", images[:5])
    again = open_data(tmp_path / "plain.npy", options=DataConfig(cache=str(tmp_path / "cache")))
    assert again.fingerprint != data.fingerprint


@pytest.mark.parametrize(
    "images",
    [
        np.random.default_rng(0).integers(0, 256, (6, 16, 12, 5), dtype=np.uint8),
        np.random.default_rng(0).integers(0, 4000, (6, 16, 12, 5), dtype=np.uint16),
        np.random.default_rng(0).random((6, 16, 12, 5), dtype=np.float32) - 0.25,
    ],
    ids=lambda images: str(images.dtype),
)
def test_a_folder_of_samples_holds_what_one_file_holds_and_can_be_opened_again(tmp_path, images):
    options = DataConfig(cache=str(tmp_path / "cache"), depth="auto")
    np.save(tmp_path / "data.npy", images)
    data = open_data(tmp_path / "data.npy", options=options)
    kind, samples = kinds.find("images"), torch.rand(3, 5, 16, 12) * 2 - 1
    (one,) = kind.save(samples, tmp_path / "one.npy", {}, data.spec)
    each = kind.save(samples, tmp_path / "each", {"seed": "7"}, data.spec)
    whole = np.load(one)
    assert whole.dtype == images.dtype
    assert [path.name for path in each] == [f"sample-000{number}.npy" for number in range(3)]
    for expected, path in zip(whole, each, strict=True):
        assert np.load(path).dtype == whole.dtype
        assert np.array_equal(np.load(path), expected)
    assert json.loads((tmp_path / "each" / "sample.json").read_text()) == {"seed": "7"}
    again, at_once = (open_data(tmp_path / name, options=options) for name in ("each", "one.npy"))
    assert again.spec == at_once.spec
    assert np.array_equal(again.samples, at_once.samples)


def test_arrays_of_a_folder_have_one_shape_and_no_shard_is_made_of_them(tmp_path):
    options = DataConfig(cache=str(tmp_path / "cache"))
    for name, side in (("a", 16), ("b", 18)):
        np.save(tmp_path / f"{name}.npy", np.zeros((16, side, 5), np.uint8))
    with pytest.raises(InputError, match=r"b\.npy has the shape \(16, 18, 5\) of uint8, and a\.npy \(16, 16, 5\)"):
        open_data(tmp_path, options=options)
    with pytest.raises(InputError, match="holds pictures, and these have 5 channels"):
        kinds.find("images").save(torch.zeros(2, 5, 16, 16), tmp_path / "s.tar", {}, Spec(shape=(5, 16, 16)))


@pytest.mark.parametrize("shapes", [[(30, 16, 16)], [(40, 16, 16), (40, 16, 16)]])
def test_arrays_of_many_gray_images_in_a_folder_are_not_taken_for_one_image_each(tmp_path, shapes):
    for number, shape in enumerate(shapes):
        np.save(tmp_path / f"{number}.npy", np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="no images"):
        open_data(tmp_path)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("size", [None, "8"])
def test_images_of_many_channels_keep_them_all(tmp_path, first, size):
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 7), dtype=np.uint8)
    np.save(tmp_path / "bands.npy", np.moveaxis(images, -1, 1) if first else images)
    data = open_data(tmp_path / "bands.npy", options=DataConfig(size=size, cache=str(tmp_path / "cache")))
    side = int(size or 16)
    assert data.spec.shape == (7, side, side)
    if size is None:
        assert np.array_equal(data.samples, images)
    else:
        gray = np.asarray(Image.fromarray(images[1, :, :, 5]).resize((8, 8), Image.Resampling.LANCZOS))
        assert np.array_equal(data.samples[1, :, :, 5], gray)
    with pytest.raises(InputError, match="leave it out"):
        open_data(tmp_path / "bands.npy", options=DataConfig(channels=3, cache=str(tmp_path / "cache")))
