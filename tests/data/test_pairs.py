"""Pairs: side by side, by name, or made by spoiling; varied alike, and drawn by position alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.batch import Pairs
from zerosum.data.degrade import Degradation, ways
from zerosum.data.jitter import CROP, FIXED_NOISE, NOISE, ORDER, Draw, Jitter, View, generator
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.tasks import TRANSLATE
from zerosum.training.preview import preview_batch

PAIRED: Any = SimpleNamespace(task=TRANSLATE, data=(Pairs,))
"""What a preview asks of a recipe that translates."""

BOTH = Jitter(enlarge=1.25, mirror=0.5, rotate=0.5)


def opened(source, options, **asked):
    return open_as((Pairs,), source, options=options(**asked))


def drawn(dataset, count, *, jitter=BOTH, seed=0, position=0):
    stream = Stream(dataset, seed=seed, position=position, jitter=jitter)
    try:
        return stream.draw(count)
    finally:
        stream.close()


@pytest.fixture
def joined(folder, noise):
    """Six side-by-side images: the right half is the negative of the left."""
    halves = [noise(16, 16, 3) for _ in range(6)]
    return folder({f"{index}.png": np.concatenate([half, 255 - half], 1) for index, half in enumerate(halves)})


def test_side_by_side_images_are_cut_in_halves_before_anything_is_scaled(joined, options):
    pairs = opened(joined, options)
    assert pairs.spec == Spec(shape=(3, 16, 16), kind="pairs", source_shape=(3, 16, 16))
    batch = pairs.batch(np.arange(6))
    assert torch.equal(batch.source, 255 - batch.target)
    first = np.asarray(Image.open(joined / "0.png"))
    assert np.array_equal(batch.source[0].permute(1, 2, 0).numpy(), first[:, :16])
    assert "left half is the source" in pairs.notes[0]


def test_nothing_of_one_half_bleeds_into_the_other(folder, options):
    image = np.zeros((32, 64, 3), dtype=np.uint8)
    image[:, 32:] = 255
    pairs = opened(folder({"a.png": image}), options, size="16")
    batch = pairs.batch(np.arange(1))
    assert batch.source.max() == 0
    assert batch.target.min() == 255


def test_the_direction_says_which_half_is_the_source(joined, options):
    forth, back = opened(joined, options), opened(joined, options, direction="BtoA")
    rows = np.arange(6)
    assert torch.equal(forth.batch(rows).source, back.batch(rows).target)
    assert forth.fingerprint != back.fingerprint
    assert "left half is the target" in back.notes[0]


def test_two_folders_are_matched_by_name_whatever_the_ending(folder, options):
    levels = {f"{name}": np.full((8, 8), 10 * number, dtype=np.uint8) for number, name in enumerate("abc", 1)}
    sources = folder({f"{name}.png": image for name, image in levels.items()}, "sources")
    targets = folder({f"{name}.bmp": image + 1 for name, image in levels.items()}, "targets")
    batch = opened(sources, options, target=str(targets)).batch(np.arange(3))
    assert batch.source[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert torch.equal(batch.target, batch.source + 1)


@pytest.mark.parametrize(("one", "other"), [("A", "B"), ("trainA", "trainB"), ("source", "target")])
def test_folders_of_the_usual_names_within_one_are_matched(folder, options, one, other):
    root = folder({f"{side}/{name}.png": (8, 8, 3) for side in (one, other) for name in "ab"})
    pairs = opened(root, options)
    assert len(pairs) == 2
    assert one in pairs.notes[0]


def test_a_gray_source_may_have_a_target_in_colour(folder, options):
    root = folder({"A/a.png": (8, 8), "B/a.png": (8, 8, 3)})
    assert opened(root, options).spec == Spec(shape=(3, 8, 8), kind="pairs", source_shape=(1, 8, 8))


def test_images_without_partners_are_named(folder, options):
    root = folder({"A/a.png": (8, 8), "A/b.png": (8, 8), "B/a.png": (8, 8), "B/z.png": (8, 8)})
    with pytest.raises(InputError, match=r"1 image of A without a partner in B \(A/b.png\).*B/z.png"):
        opened(root, options)


def test_two_images_of_one_name_are_refused(folder, options):
    root = folder({"A/a.png": (8, 8), "A/a.bmp": (8, 8), "B/a.png": (8, 8)})
    with pytest.raises(InputError, match="go by one name"):
        opened(root, options)


def test_partners_of_different_shape_are_refused(folder, options):
    root = folder({"A/a.png": (8, 8), "B/a.png": (8, 16)})
    with pytest.raises(InputError, match=r"8x8 .* and its partner B/a\.png 8x16"):
        opened(root, options)


@pytest.mark.parametrize("size", [(16, 16), (16, 33), (32, 16)])
def test_images_that_are_no_pair_side_by_side_are_refused(folder, options, size):
    with pytest.raises(InputError, match="no pair side by side: give the targets with --target"):
        opened(folder({"a.png": (*size, 3)}), options)


def test_images_that_are_no_pairs_are_told_once_and_not_offered_to_be_skipped(folder, options):
    with pytest.raises(InputError) as caught:
        opened(folder({f"{number}.png": (16 + number, 16 + number, 3) for number in range(5)}), options)
    assert str(caught.value).count("no pair side by side") == 1
    assert "--corrupt" not in str(caught.value)


def test_a_side_without_images_is_named(folder, options):
    root = folder({"trainA/a.png": (8, 8), "testA/a.png": (8, 8), "testB/a.png": (8, 8)})
    with pytest.raises(InputError, match="images in trainA but none in trainB"):
        opened(root, options)


def test_pairs_with_a_corrupt_image_are_left_out_together(folder, options):
    sides = {f"{side}/{name}.png": (8, 8) for side in "AB" for name in "abc"}
    root = folder({**sides, "B/b.png": b"no image"})
    with pytest.raises(InputError, match=r"B/b\.png is no image"):
        opened(root, options)
    pairs = opened(root, options, corrupt="skip")
    assert len(pairs) == 2
    assert any("1 pair (A/b.png)" in note for note in pairs.notes)
    batch = pairs.batch(np.arange(2))
    third = np.asarray(Image.open(root / "B/c.png"))
    assert np.array_equal(batch.target[1, 0].numpy(), third)


def test_pairs_with_an_image_that_cannot_be_packed_are_left_out_together(folder, options):
    sides = {f"{side}/{name}.tif": np.full((8, 8), ord(name), np.float32) for side in "AB" for name in "abcdef"}
    void = np.full((8, 8), np.nan, np.float32)
    small = {"A/b.tif": (3, 3), "B/c.tif": (3, 3), "A/d.tif": void, "B/e.tif": void}
    pairs = opened(folder({**sides, **small}), options, corrupt="skip", range="0,255")
    assert any("4 pairs" in note for note in pairs.notes)
    batch = pairs.batch(np.arange(len(pairs)))
    assert [sorted(set(side.flatten().tolist())) for side in (batch.source, batch.target)] == [[97, 102]] * 2
    assert torch.equal(batch.source, batch.target)


def test_a_crop_and_a_mirror_are_the_same_for_both_images_of_a_pair(joined, options):
    pairs = opened(joined, options)
    batch = drawn(pairs, 200)
    difference = (batch.source.int() - (255 - batch.target.int())).abs()
    assert difference.max() <= 1  # of rounding
    plain = drawn(pairs, 200, jitter=Jitter())
    assert not torch.equal(batch.source, plain.source)


def test_half_of_the_draws_are_mirrored(joined, options):
    pairs = opened(joined, options)
    plain = drawn(pairs, 300, jitter=Jitter())
    turned = drawn(pairs, 300, jitter=Jitter(mirror=0.5))
    kept = (turned.source == plain.source).flatten(1).all(1)
    assert torch.equal(turned.source[~kept], plain.source[~kept].flip(3))
    assert 115 < int(kept.sum()) < 185


@pytest.mark.parametrize("degrade", [None, "noise"])
def test_what_is_drawn_depends_on_seed_and_position_alone(joined, options, degrade):
    pairs = opened(joined, options, degrade=degrade)
    whole = drawn(pairs, 24)
    stream = Stream(pairs, seed=0, position=7, jitter=BOTH)
    pieces = [stream.draw(batch) for batch in (3, 1, 5)]
    stream.close()
    for name in ("source", "target"):
        joined_pieces = torch.cat([getattr(piece, name) for piece in pieces])
        assert torch.equal(joined_pieces, getattr(whole, name)[7:16])
    assert not torch.equal(drawn(pairs, 24, seed=1).target, whole.target)


def test_a_jitter_out_of_bounds_is_refused(joined, options):
    for jitter, flag in ((Jitter(enlarge=0.5), "--enlarge"), (Jitter(mirror=2), "--mirror")):
        with pytest.raises(InputError, match=flag):
            Stream(opened(joined, options), seed=0, jitter=jitter)


def test_a_view_of_the_whole_image_is_the_image(noise):
    image = noise(12, 9, 3)
    still = Draw(seed=0, position=0, jitter=Jitter()).view(0)
    assert np.array_equal(still.of(image), image)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_a_crop_treats_all_channels_alike(noise, channels):
    view = View(left=0.1, top=0.2, side=0.7, mirrored=True)
    image = noise(12, 9, channels)
    apart = [view.of(image[..., [channel]]) for channel in range(channels)]
    assert np.array_equal(view.of(image), np.concatenate(apart, axis=-1))


def test_no_two_purposes_share_random_numbers():
    purposes = ORDER, CROP, NOISE, FIXED_NOISE
    first = {generator(0, 5, purpose, side).integers(2**62) for purpose in purposes for side in (0, 1)}
    assert len(first) == 8


@pytest.mark.parametrize("name", sorted(ways()))
def test_every_degradation_makes_a_source_of_the_shape_it_says(name, noise):
    way = Degradation.read(name)
    for channels in (1, 3):
        image = noise(32, 48, channels)
        spoilt = way(image, np.random.default_rng(0))
        expected = way.shape((channels, 32, 48))
        assert spoilt.dtype == np.uint8
        assert (spoilt.shape[2], *spoilt.shape[:2]) == expected
        assert np.array_equal(spoilt, way(image, np.random.default_rng(0)))
        same = spoilt.shape == image.shape and np.array_equal(spoilt, image)
        assert same == (name == "gray" and channels == 1)


def test_degradations_do_what_they_say(noise):
    white = np.full((32, 32, 3), 255, dtype=np.uint8)
    assert (Degradation.read("gray")(white, np.random.default_rng(0)) == 255).all()
    assert (Degradation.read("edges")(white, np.random.default_rng(0)) == 255).all()
    covered = (Degradation.read("mask:0.25")(white, np.random.default_rng(0)) == 128).all(2)
    assert covered.sum() == 16 * 16
    rows, columns = covered.any(1).nonzero()[0], covered.any(0).nonzero()[0]
    assert len(rows) == np.ptp(rows) + 1 == len(columns) == np.ptp(columns) + 1 == 16
    flat = np.full((128, 128, 1), 128, dtype=np.uint8)
    assert Degradation.read("noise:0.1")(flat, np.random.default_rng(0)).std() == pytest.approx(25.5, rel=0.05)
    step = np.zeros((16, 16, 1), dtype=np.uint8)
    step[:, 8:] = 255
    lines = Degradation.read("edges")(step, np.random.default_rng(0))[..., 0]
    assert lines[:, 7:9].max() < 50
    assert lines[:, :4].min() == lines[:, 12:].min() == 255
    red = np.zeros((4, 4, 3), dtype=np.uint8)
    red[..., 0] = 255
    assert Degradation.read("gray")(red, np.random.default_rng(0))[0, 0, 0] == 76  # 0.299 of 255


@pytest.mark.parametrize("asked", ["fog", "gray:2", "downscale:1", "downscale:2.5", "mask:0", "noise:x", "blur:"])
def test_a_degradation_that_does_not_exist_or_make_sense_is_refused(asked):
    with pytest.raises(InputError, match="--degrade"):
        Degradation.read(asked)


@pytest.mark.parametrize("degrade", ["downscale:2", "blur:1", "gray", "edges"])
@pytest.mark.parametrize("channels", [2, 4, 5])
def test_the_last_channel_of_an_array_is_no_opacity(degrade, channels, options, noise, tmp_path):
    """Each channel is spoilt as if it stood alone, and gray is of all of them."""
    images = noise(3, 16, 16, channels)
    np.save(tmp_path / "a.npy", images)
    source = opened(tmp_path / "a.npy", options, degrade=degrade).batch(np.arange(3)).source
    if degrade in ("gray", "edges"):
        np.save(tmp_path / "b.npy", np.rint(images.mean(3)).astype(np.uint8))
        assert torch.equal(source, opened(tmp_path / "b.npy", options, degrade=degrade).batch(np.arange(3)).source)
        return
    for channel in range(channels):
        np.save(tmp_path / "b.npy", images[..., channel])
        alone = opened(tmp_path / "b.npy", options, degrade=degrade).batch(np.arange(3)).source
        assert torch.equal(source[:, channel], alone[:, 0])


@pytest.mark.parametrize("degrade", ["downscale:2", "gray"])
def test_the_opacity_of_image_files_weighs_their_colours(degrade, folder, options):
    hidden = np.zeros((8, 8, 4), dtype=np.uint8)
    hidden[:, ::2] = 200, 200, 200, 255  # what is invisible is black
    source = opened(folder({"a.png": hidden}), options, degrade=degrade).batch(np.arange(1)).source
    expected = 200 if degrade == "downscale:2" else hidden[0, 0, 0]
    assert (source[0, 0, :, 0] == expected).all()
    assert len(source[0]) == (4 if degrade == "downscale:2" else 1)


def test_pairs_are_made_from_any_images(folder, options):
    root = folder({f"{name}.png": (16, 16, 3) for name in "abc"})
    pairs = opened(root, options, degrade="downscale:4")
    assert pairs.spec == Spec(shape=(3, 16, 16), kind="pairs", source_shape=(3, 4, 4))
    batch = pairs.batch(np.arange(3))
    assert batch.source.shape == (3, 3, 4, 4)
    means = [image.float().mean((2, 3)) for image in (batch.source, batch.target)]
    torch.testing.assert_close(*means, rtol=0.1, atol=10)
    with pytest.raises(InputError, match="--size 15x15 would fit"):
        opened(root, options, degrade="downscale:3", size="16")
    fitted = opened(root, options, degrade="downscale:3")
    assert (fitted.spec.shape, fitted.spec.source_shape) == ((3, 15, 15), (3, 5, 5))
    assert "Images are scaled from 16x16 to cover 15x15 (height x width, Lanczos)." in fitted.notes


def test_a_fixed_batch_is_spoilt_the_same_way_every_time_and_a_drawn_one_anew(folder, options):
    pairs = opened(folder({"a.png": (16, 16, 3)}), options, degrade="noise")
    rows = np.zeros(1, dtype=np.int64)
    assert torch.equal(pairs.batch(rows).source, pairs.batch(rows).source)
    batch = drawn(pairs, 2, jitter=Jitter())  # the same image, twice
    assert torch.equal(batch.target[0], batch.target[1])
    assert not torch.equal(batch.source[0], batch.source[1])


@pytest.mark.parametrize(
    "asked", [{"degrade": "gray", "target": "x"}, {"degrade": "gray", "direction": "BtoA"}, {"labels": "folders"}]
)
def test_options_that_contradict_each_other_are_refused(joined, options, asked):
    with pytest.raises(InputError, match="leave"):
        opened(joined, options, **asked)


def test_previews_come_from_a_split_that_is_not_trained_on(folder, options):
    root = folder({f"{split}/{name}.png": (8, 16, 3) for split in ("train", "val") for name in "ab"})
    asked = options()
    pairs = open_as((Pairs,), root, options=asked)
    batch, measured, note = preview_batch(PAIRED, pairs, asked, most=64)
    assert (len(batch), measured) == (8, "held_out")
    assert "not trained on" in note
    held = np.asarray(Image.open(root / "val/a.png"))
    assert np.array_equal(batch.source[0].permute(1, 2, 0).numpy(), held[:, :8])


def test_previews_come_from_the_training_images_where_there_are_no_others(joined, options):
    asked = options()
    batch, measured, note = preview_batch(PAIRED, open_as((Pairs,), joined, options=asked), asked, most=4)
    assert (len(batch), measured) == (4, "training")
    assert "training images" in note
