"""Images of more than 8 bits a channel keep their levels, from the file to the pack and from the game to a file."""

import io
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.batch import Images, as_uint8, to_float, to_uint8, to_uint16
from zerosum.data.degrade import Degradation
from zerosum.data.jitter import Draw, Jitter, views
from zerosum.data.packing.decode import PixelFormat
from zerosum.data.packing.rows import render
from zerosum.data.packing.wide_png import png
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.images import open as open_data
from zerosum.kinds.images import save
from zerosum.kinds.pairs import open_pairs

LEVELS = 4096


def gradient():
    """All levels of 12 bits, once each: (64, 64) uint16."""
    return np.arange(LEVELS, dtype=np.uint16).reshape(64, 64)


def colour(height=12, width=10, channels=3):
    return np.random.default_rng(0).integers(0, 65536, (height, width, channels)).astype(np.uint16)


def wide_tiff(pixels):
    """An uncompressed little-endian TIFF of 16 bits in each of three channels."""
    height, width, channels = pixels.shape
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 0), (259, 3, 1, 1), (262, 3, 1, 2)]
    tags += [(273, 4, 1, 0), (277, 3, 1, channels), (278, 3, 1, height), (279, 4, 1, pixels.nbytes), (284, 3, 1, 1)]
    end = 8 + 2 + 12 * len(tags) + 4
    tags = [(*tag[:3], {258: end, 273: end + 6}.get(tag[0], tag[3])) for tag in tags]
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return head + bytes(4) + struct.pack("<3H", 16, 16, 16) + pixels.astype("<u2").tobytes()


def as_game(dataset):
    return dataset.batch(np.arange(len(dataset))).to(torch.device("cpu")).real


@pytest.mark.parametrize("form", ["png", "tif", "npy"])
def test_all_levels_of_a_gradient_come_out_of_the_pack_and_of_a_saved_sample(folder, tmp_path, options, form):
    source = folder({f"a.{form}": gradient()}) if form != "npy" else tmp_path / "a.npy"
    if form == "npy":
        np.save(source, gradient()[None])
    data = open_data(source, options=options())
    assert (data.spec.bits, data.spec.range, data.samples.dtype) == (16, "integer:0,4095", np.dtype("<u2"))
    assert len(np.unique(data.samples)) == LEVELS
    assert any("16-bit numbers keep 16 bits" in note for note in data.notes)
    image = as_game(data)
    assert (image.dtype, image.min().item(), image.max().item()) == (torch.float32, -1, 1)
    for name in ("made", "one.png", "all.tif", "all.npy"):
        (written,) = save(image, tmp_path / name, {"seed": "1"}, data.spec)
        found = np.load(written)[0] if name == "all.npy" else np.asarray(Image.open(written))
        assert found.dtype == np.uint16
        assert np.array_equal(found, gradient())


def test_sixteen_bits_reach_a_game_as_the_same_numbers_whatever_their_order_in_memory():
    values = torch.arange(65536, dtype=torch.int32).to(torch.uint16).reshape(1, 64, 512, 2).permute(0, 3, 1, 2)
    moved = Images(image=values).to(torch.device("cpu"), torch.channels_last).image
    assert torch.equal(moved, to_float(values))
    assert torch.equal(to_uint16(moved), values)
    expected = (values.to(torch.float64) / 32767.5 - 1).float()
    assert (moved - expected).abs().max() < 2e-7
    assert torch.equal(as_uint8(values), to_uint8(moved))


@pytest.mark.parametrize(
    ("numbers", "depth", "bits"),
    [
        (np.arange(4096), "auto", 16),
        (np.arange(4096), 8, 8),
        (np.arange(256) * 16, "auto", 8),
        (np.arange(256), "auto", 8),
        (np.arange(256), 16, 16),
        (np.arange(257) * 255, "auto", 16),
        (np.linspace(0, 1, 4096, dtype=np.float32), "auto", 16),
        (np.arange(256, dtype=np.float32) / 255, "auto", 8),
        (np.linspace(0, 254.7, 4096, dtype=np.float32), "auto", 8),
        (np.arange(4096) % 2 == 0, "auto", 8),
        ((np.arange(4096) % 256).astype(np.uint8), 16, 16),
    ],
)
def test_numbers_that_fill_more_than_256_levels_keep_16_bits(tmp_path, options, numbers, depth, bits):
    stored = numbers if numbers.dtype.kind in "fb" or numbers.dtype == np.uint8 else numbers.astype(np.uint16)
    np.save(tmp_path / "a.npy", np.resize(stored, (2, 64, 64)))
    data = open_data(tmp_path / "a.npy", options=options(depth=depth))
    assert data.spec.bits == bits
    assert data.samples.dtype.itemsize * 8 == bits
    told = open_data(tmp_path / "a.npy", options=options(depth=bits), progress=lambda *n: None)
    assert np.array_equal(told.samples, data.samples)


def test_a_pack_of_another_depth_is_another_pack_and_a_chosen_depth_is_found_again(folder, options):
    root = folder({"a.png": gradient()})
    chosen = open_data(root, options=options())
    fail = {"progress": lambda *news: pytest.fail(str(news))}
    again = open_data(root, options=options(depth=16, range=chosen.spec.range), **fail)
    assert again.fingerprint == chosen.fingerprint
    reduced = open_data(root, options=options(depth=8))
    assert reduced.samples.dtype == np.uint8
    assert np.array_equal(as_uint8(as_shown(chosen)), as_shown(reduced))
    assert open_data(root, options=options(), **fail).spec.bits == 16


def as_shown(dataset):
    return torch.from_numpy(np.asarray(dataset.samples)).permute(0, 3, 1, 2)


def test_evaluation_gets_8_bits_of_real_images_as_of_generated_ones(folder, options):
    data = open_data(folder({"a.png": gradient()}), options=options())
    assert data.real(np.array([0])).dtype == torch.uint8
    assert torch.equal(data.real(np.array([0])), to_uint8(as_game(data)))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("form", ["png", "tif"])
def test_several_channels_of_16_bits_are_read_whole(tmp_path, options, channels, form):
    if form == "tif" and channels == 4:
        pytest.skip("the TIFF of these tests has three channels")
    pixels = colour(channels=channels)
    content = png(pixels, {}) if form == "png" else wide_tiff(pixels)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"a.{form}").write_bytes(content)
    data = open_data(tmp_path / "deep", options=options())
    assert (data.spec.bits, data.spec.range) == (16, None)
    assert np.array_equal(data.samples[0], pixels)
    assert "16 bits in each of several channels are kept: 1 image." in data.notes
    reduced = open_data(tmp_path / "deep", options=options(depth=8))
    assert np.array_equal(reduced.samples[0], pixels >> 8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pngs_of_16_bits_read_back_as_they_were_written(channels):
    pixels = colour(channels=channels)
    image = Image.open(io.BytesIO(png(pixels, {"run": "läufe ∞"})))
    assert image.info["run"] == "läufe ∞"
    found = np.asarray(image).reshape(12, 10, -1)
    found = found[..., [0, 3]] if channels == 2 else found  # Pillow reads gray with opacity as RGBA
    assert np.array_equal(found, pixels if channels == 1 else pixels >> 8)


def test_bytes_among_wide_numbers_keep_their_brightness(folder, options):
    wide, plain = np.full((8, 8), 40_000, np.uint16), np.arange(64, dtype=np.uint8).reshape(8, 8)
    wide.flat[:] = np.arange(64) * 997
    root = folder({"a.png": wide, "b.png": plain})
    data = open_data(root, options=options(depth=16))
    assert np.array_equal(data.samples[1, ..., 0], plain * np.uint16(257))


@pytest.mark.parametrize("size", ["16", "24x40", "96"])
def test_scaling_16_bits_agrees_with_8_bits(folder, options, size):
    smooth = np.asarray(Image.linear_gradient("L").resize((64, 48), Image.Resampling.BILINEAR)).astype(np.uint16) * 257
    root = folder({"a.png": smooth, "b.png": gradient()[:48]})
    deep, plain = (open_data(root, options=options(size=size, depth=depth)) for depth in (16, 8))
    assert np.abs(deep.samples / 257 - plain.samples).max() <= 1


@pytest.mark.parametrize(("have", "want"), [(1, 2), (1, 3), (1, 4), (2, 1), (3, 1), (3, 2), (3, 4), (4, 1), (4, 3)])
def test_channels_of_16_bits_change_as_those_of_8_do(tmp_path, options, have, want):
    np.save(tmp_path / "a.npy", colour(8, 8, have)[None])
    deep, plain = (open_data(tmp_path / "a.npy", options=options(channels=want, depth=d)) for d in (16, 8))
    assert deep.samples.shape == plain.samples.shape == (1, 8, 8, want)
    assert np.abs(deep.samples / 257 - plain.samples).max() <= 2


def test_crops_and_mirrors_of_16_bits_agree_with_those_of_8():
    images = np.kron(colour(4, 4, 2) // 2 + 16384, np.ones((6, 6, 1), np.uint16))[None]
    draw = Draw(seed=3, position=0, jitter=Jitter(enlarge=1.3, mirror=1))
    deep, plain = views(images, draw), views((images >> 8).astype(np.uint8), draw)
    assert (deep.dtype, deep.shape) == (np.uint16, plain.shape)
    assert np.abs(deep / 256 - plain).max() <= 2


@pytest.mark.parametrize("way", ["gray", "edges", "downscale:4", "blur:1.5", "noise:0.1", "mask:0.25"])
@pytest.mark.parametrize("alpha", [False, True])
def test_degradations_of_16_bits_agree_with_those_of_8(way, alpha):
    plain = np.asarray(Image.effect_mandelbrot((32, 32), (-2, -1.5, 1, 1.5), 40).convert("RGB"))
    spoil = Degradation.read(way)
    if alpha:
        plain = np.dstack([plain, np.full((32, 32), 200, np.uint8)])
        spoil = Degradation(spoil.name, spoil.strength, alpha=True)
    one, other = (spoil(image, np.random.default_rng(1)) for image in (plain, plain.astype(np.uint16) * 257))
    assert (other.dtype, other.shape) == (np.uint16, one.shape)
    assert np.abs(other / 257 - one).max() <= (12 if "blur" in way else 2)  # Pillow's blur is a sum of boxes


def test_the_two_sides_of_a_pair_have_one_depth(folder, options):
    files = {f"A/{i}.png": gradient() for i in range(2)} | {f"B/{i}.png": (64, 64) for i in range(2)}
    pairs = open_pairs(folder(files), options=options())
    assert pairs.spec.bits == 16
    assert pairs.sources.dtype == pairs.samples.dtype == np.uint16
    assert len(np.unique(pairs.sources)) == LEVELS


@pytest.mark.parametrize("channels", [3, 4])
def test_halves_of_16_bits_in_several_channels_are_read_whole(tmp_path, options, channels):
    (tmp_path / "pairs").mkdir()
    pixels = colour(height=12, width=24, channels=channels)
    (tmp_path / "pairs" / "a.png").write_bytes(png(pixels, {}))
    data = open_pairs(tmp_path / "pairs", options=options())
    assert data.spec == Spec(shape=(channels, 12, 12), kind="pairs", source_shape=(channels, 12, 12), bits=16)
    assert np.array_equal(data.sources[0], pixels[:, :12])
    assert np.array_equal(data.samples[0], pixels[:, 12:])
    reduced = open_pairs(tmp_path / "pairs", options=options(depth=8))
    assert np.array_equal(reduced.samples[0], pixels[:, 12:] >> 8)
    (tmp_path / "pairs" / "b.png").write_bytes(png(colour(height=12, width=11, channels=channels), {}))
    with pytest.raises(InputError, match=r"b\.png is 12x11 .* no pair side by side"):
        open_pairs(tmp_path / "pairs", options=options())


def test_white_is_zero_holds_at_16_bits(tmp_path):
    content = io.BytesIO()
    Image.fromarray(gradient()).save(content, "TIFF", tiffinfo={262: 0})
    plan = PixelFormat(height=64, width=64, channels=1, scales={}, bits=16)
    assert render(content, plan)[0, 0, 0] == 65535


@pytest.mark.parametrize(
    ("limits", "numbers", "whole"),
    [
        ("integer:0,4095", [0, 4095], True),
        ("0,1000", [0, 1000], True),
        ("float:-2,3", [-2.0, 3.0], False),
        ("integer:-500,3000", [-500, 3000], False),
        (None, [0, 65535], True),
    ],
)
def test_files_hold_the_numbers_of_the_range_where_they_can(tmp_path, limits, numbers, whole):
    spec = Spec(shape=(1, 1, 2), bits=16, range=limits)
    ends = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2)
    save(ends, tmp_path / "a.npy", {}, spec)
    assert np.load(tmp_path / "a.npy").flatten().tolist() == numbers
    save(ends, tmp_path / "a.png", {}, spec)
    assert np.asarray(Image.open(tmp_path / "a.png")).flatten().tolist() == (numbers if whole else [0, 65535])
