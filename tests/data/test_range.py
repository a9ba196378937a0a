"""The range of wide numbers is part of a run: that of the training data in every split and at every use."""

import json

import numpy as np
import pytest
from PIL import Image

import zerosum
from zerosum.data.batch import Domains, Pairs
from zerosum.data.check import check
from zerosum.data.packing.decode import PixelFormat, to_plain
from zerosum.data.packing.levels import levels_of
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.kinds.images import open as open_data
from zerosum.runtime.progress import Silent


def wide(top, dtype=np.uint16):
    """8x8 numbers from 0 to `top`."""
    return np.linspace(0, top, 64).reshape(8, 8).astype(dtype)


@pytest.fixture
def splits(folder):
    """Training images of up to 1,000, and others of up to 60,000: files of 16 bits, or of floating point."""

    def make(dtype):
        suffix = "tif" if dtype == np.float32 else "png"
        tops = {"train": 1000, "test": 60_000}
        return folder({f"{split}/{i}.{suffix}": wide(tops[split], dtype) for split in tops for i in range(2)})

    return make


@pytest.mark.parametrize(("dtype", "written"), [(np.uint16, "integer:0,1023"), (np.float32, "float:0,1000")])
def test_other_splits_have_the_range_of_the_training_data(splits, options, dtype, written):
    root = splits(dtype)
    train, test = open_data(root, options=options()), open_data(root, options=options(split="test"))
    assert train.spec.range == test.spec.range == written
    assert (test.samples[0] == 255).sum() > 60  # numbers beyond those of the training data are white
    again = open_data(root, options=options(range=written), progress=lambda *news: pytest.fail(str(news)))
    assert np.array_equal(again.samples, train.samples)


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
def test_the_splits_of_an_array_have_one_range(tmp_path, options, dtype):
    arrays = {f"x_{split}": np.stack([wide(top, dtype)] * 2) for split, top in (("train", 3000), ("test", 30))}
    np.savez(tmp_path / "a.npz", **arrays)
    test = open_data(tmp_path / "a.npz", options=options(split="test"))
    assert test.samples.max() <= 3
    assert test.spec.range == open_data(tmp_path / "a.npz", options=options()).spec.range


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("kind", [Pairs, Domains])
def test_two_sides_have_a_range_each(folder, options, kind, direction):
    root = folder(
        {f"A/{i}.png": wide(4000) for i in range(2)} | {f"B/{i}.tif": wide(0.5, np.float32) for i in range(2)}
    )
    data = open_as((kind,), root, options=options(direction=direction))
    a, b = "integer:0,4095", "float:0,1"
    assert data.spec.range == (f"{a}/{b}" if direction == "AtoB" else f"{b}/{a}")
    same = open_as(
        (kind,),
        root,
        options=options(direction=direction, range=data.spec.range),
        progress=lambda *n: pytest.fail(str(n)),
    )
    assert same.fingerprint == data.fingerprint
    asked = open_as((kind,), root, options=options(direction=direction, range="0,8000/0,2"))
    sources = asked.sources if kind is Pairs else asked.a
    limits = {"AtoB": (128, 64), "BtoA": (0, 255)}[direction]
    assert (sources.max(), asked.samples.max()) == limits


@pytest.mark.parametrize("form", ["png", "npy", "npz", "palette"])
def test_a_range_that_is_asked_for_holds_for_bytes_too(folder, tmp_path, options, form):
    labels = np.arange(64, dtype=np.uint8).reshape(8, 8) % 3
    match form:
        case "png":
            source = folder({"a.png": labels})
        case "palette":
            image = Image.fromarray(labels, "P")
            image.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2])
            source = folder({"a.png": image})
        case _:
            source = tmp_path / f"a.{form}"
            (np.save if form == "npy" else np.savez)(source, labels[None])
    data = open_data(source, options=options(range="0,2"))
    assert np.array_equal(data.samples[0, ..., 0], np.array([0, 128, 255])[labels])
    assert data.spec.range == "0,2"


@pytest.mark.parametrize("asked", ["3", "5,1", "a,b", "0,inf", "nan,1", "0,1,2", "odd:0,1", "0,1/0,1/0,1", "2,2"])
def test_what_is_no_range_is_refused(folder, options, asked):
    with pytest.raises(InputError, match="--range"):
        open_data(folder({"a.png": (8, 8)}), options=options(range=asked))


def test_points_have_no_range(options):
    with pytest.raises(InputError, match="made of points"):
        open_data("ring8", options=options(range="0,1"))


def test_a_run_keeps_the_range_and_uses_it_for_new_images(folder, tmp_path):
    root = folder({f"{i}.png": wide(top) for i, top in enumerate((200, 4000, 300, 500))})
    settings = {"recipe": "pix2pix", "degrade": "gray", "width": 4, "layers": 1, "rounds": 1, "size": "16"}
    run = zerosum.train(root, run=tmp_path / "run", progress=Silent(), **settings)
    kept = json.loads((run.path / "run.json").read_text())
    assert kept["spec"]["range"] == kept["data_options"]["range"] == "integer:0,4095"
    assert zerosum.load(run.path).spec.range == "integer:0,4095"
    Image.fromarray(wide(60_000)).save(root / "new.png")
    (root / "new.png").replace(root / "3.png")
    zerosum.resume(run.path, rounds=2, progress=Silent())  # the range stays, and so the data are still the run's
    with pytest.raises(InputError, match="--range"):
        zerosum.resume(run.path, range="0,1", progress=Silent())


def test_kinds_of_number_that_training_did_not_meet_have_a_range_of_each_image():
    plan = PixelFormat(height=8, width=8, channels=1, scales={})
    for top in (900, 9000):
        assert np.asarray(to_plain(Image.fromarray(wide(top)), plan)).max() in range(100, 256)


def test_bytes_doubled_to_sixteen_bits_are_bytes_again(folder, options):
    dark = np.arange(64, dtype=np.uint8).reshape(8, 8) // 8
    root = folder({"a.png": dark, "b.png": dark.astype(np.uint16) * 257})
    data = open_data(root, options=options())
    assert np.array_equal(data.samples[0], data.samples[1])


@pytest.mark.parametrize(
    ("array", "warned"),
    [
        (np.random.default_rng(0).integers(0, 2, (20, 16, 16), np.uint8), "--range 0,1"),
        (np.random.default_rng(0).integers(0, 3, (20, 16, 16), np.int16), "nearly black"),
        (np.random.default_rng(0).integers(250, 256, (20, 16, 16), np.uint8), "nearly white"),
        (np.where(np.eye(16) > 0, -9999, np.random.default_rng(0).random((20, 16, 16))), "no data"),
        (np.where(np.eye(16) > 0, 1e9, np.random.default_rng(0).integers(0, 3000, (20, 16, 16))), "no data"),
        (np.random.default_rng(0).integers(0, 2, (20, 16, 16)).astype(bool), None),
        (np.random.default_rng(0).integers(0, 2, (20, 16, 16), np.uint8) * np.uint8(255), None),
        (np.random.default_rng(0).random((20, 16, 16)), None),
        (np.random.default_rng(0).integers(0, 256, (20, 16, 16), np.uint8), None),
        (np.full((20, 16, 16), 7, np.uint8), None),
    ],
)
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_few_levels_are_warned_of_before_training_and_by_check(tmp_path, options, array, warned, form):
    source = tmp_path / f"a.{form}"
    (np.save if form == "npy" else np.savez)(source, array)
    for said in (check(source, options()).warnings, open_data(source, options=options()).notes):
        found = [sentence for sentence in said if "Few levels" in sentence]
        assert bool(found) == (warned is not None)
        assert warned is None or warned in found[0]


def test_opacity_is_no_level():
    half = np.zeros((2, 8, 8, 2), np.uint8)
    half[..., 0] = np.arange(64).reshape(8, 8) % 3
    half[..., 1] = 255
    assert levels_of([half]).warnings([])
