"""--fit tiles: images are cut at full resolution, pairs at the same places; notes say how many tiles came of what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.data.batch import Images, Pairs, Points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.kinds import open_data as open_images
from zerosum.tasks import TRANSLATE
from zerosum.training.preview import preview_batch

PAIRED: Any = SimpleNamespace(task=TRANSLATE, data=(Pairs,))
"""What a preview asks of a recipe that translates."""


def rows(dataset):
    return [np.asarray(sample) for sample in dataset.samples]


def test_tiles_are_the_images_own_pixels_half_a_tile_apart_and_flush_with_its_ends(folder, options, noise):
    image = noise(13, 8, 3)
    dataset = open_images(folder({"a.png": image}), options=options(size="8", fit="tiles"))
    found = rows(dataset)
    assert [np.array_equal(tile, image[top : top + 8]) for tile, top in zip(found, (0, 4, 5), strict=True)] == [
        True
    ] * 3
    assert dataset.notes[0] == "3 tiles of 8x8 cut out of 1 image at full resolution, overlapping by half."


def test_every_pixel_lies_in_a_tile_and_nothing_is_scaled(folder, options):
    image = np.zeros((51, 43, 3), dtype=np.uint8)
    image[..., 0], image[..., 1] = np.arange(51)[:, None], np.arange(43)
    found = rows(open_images(folder({"a.png": image}), options=options(size="16x12", fit="tiles")))
    seen = {(int(red), int(green)) for tile in found for red, green, _ in tile.reshape(-1, 3)}
    assert seen == {(row, column) for row in range(51) for column in range(43)}
    assert len({tile.tobytes() for tile in found}) == len(found)


def test_images_smaller_than_a_tile_are_left_out_and_counted(folder, options):
    source = folder({"a.png": (20, 20, 3), "low.png": (15, 40, 3), "thin.png": (40, 15, 3)})
    dataset = open_images(source, options=options(size="16", fit="tiles"))
    assert len(dataset) == 4
    assert dataset.notes[:2] == (
        "4 tiles of 16x16 cut out of 1 image at full resolution, overlapping by half.",
        "Left out because smaller than a tile of 16x16: 2 images.",
    )


def test_where_no_image_holds_a_tile_the_largest_that_would_fit_is_named(folder, options):
    source = folder({"a.png": (20, 30, 3), "b.png": (12, 12, 3)})
    with pytest.raises(InputError, match=r"holds a tile of 64x64 pixels: --size 20 would fit"):
        open_images(source, options=options(size="64", fit="tiles"))


def test_tiles_have_the_labels_of_their_images_and_corrupt_images_are_not_counted(folder, options):
    source = folder({"cat/a.png": (8, 12, 3), "dog/b.png": (8, 8, 3), "dog/c.png": b"no image"})
    dataset = open_images(source, options=options(size="8", fit="tiles", corrupt="skip"))
    assert dataset.labels.tolist() == [0, 0, 1]
    assert dataset.notes[0].startswith("3 tiles of 8x8 cut out of 2 images")


def test_photographs_are_not_shrunk_while_they_are_decoded(folder, options):
    image = np.zeros((64, 64), dtype=np.uint8)
    image[::2] = 255
    found = rows(open_images(folder({"a.jpg": image}), options=options(size="8", fit="tiles")))
    assert len(found) == 15 * 15
    assert np.ptp(found[0].astype(int)) > 200


def test_sources_are_made_from_tiles(folder, options, noise):
    pairs = open_as(
        (Pairs,), folder({"a.png": noise(24, 40, 3)}), options=options(size="16", fit="tiles", degrade="downscale:4")
    )
    assert pairs.spec == Spec(shape=(3, 16, 16), kind="pairs", source_shape=(3, 4, 4))
    assert len(pairs) == 2 * 4


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_small_and_large_images_are_cut_at_the_same_places(folder, options, noise, direction):
    large = {f"{index}.png": noise(4 * 9, 4 * (8 + index), 3) for index in range(3)}
    small = {name: np.ascontiguousarray(image[::4, ::4]) for name, image in large.items()}
    first, second = folder(small, "small"), folder(large, "large")
    first, second = (first, second) if direction == "AtoB" else (second, first)
    pairs = open_as((Pairs,), first, options=options(size="24", fit="tiles", target=str(second), direction=direction))
    assert pairs.spec == Spec(shape=(3, 24, 24), kind="pairs", source_shape=(3, 6, 6))
    batch = pairs.batch(np.arange(len(pairs)))
    assert len(batch) == 2 * (2 + 2 + 3)
    assert torch.equal(batch.source, batch.target[:, :, ::4, ::4])


@pytest.mark.parametrize(
    ("large", "size", "sentence"),
    [
        ((33, 32, 3), "16", "exactly 4 times its source"),
        ((32, 32, 3), "20", "--size 16x16 would fit"),
        ((32, 32, 3), "31", "--size 24x24 would fit"),
        ((32, 32, 3), "48", "No target holds a tile of 48x48 pixels: --size 32 would fit"),
        ((6, 6, 3), "8", "exactly as large as its source"),
    ],
)
def test_pairs_that_have_no_common_places_are_refused(folder, options, large, size, sentence):
    first, second = folder({"a.png": (8, 8, 3)}, "small"), folder({"a.png": large}, "large")
    with pytest.raises(InputError, match=sentence):
        open_as((Pairs,), first, options=options(size=size, fit="tiles", target=str(second)))


def test_halves_of_side_by_side_images_are_cut_alike(folder, options, noise):
    half = noise(20, 18, 3)
    source = folder({"a.png": np.concatenate([half, 255 - half], 1)})
    pairs = open_as((Pairs,), source, options=options(size="16", fit="tiles"))
    batch = pairs.batch(np.arange(4))
    assert len(pairs) == 4
    assert torch.equal(batch.source, 255 - batch.target)


def test_previews_show_tiles_of_several_images_that_are_not_trained_on(folder, options, noise):
    source = folder({f"{split}/{index}.png": noise(32, 32, 3) for split in ("train", "test") for index in range(4)})
    asked = options(size="16", fit="tiles", degrade="downscale:2")
    dataset = open_as((Pairs,), source, options=asked)
    shown, measured, _ = preview_batch(PAIRED, dataset, asked, most=4)
    assert measured == "held_out"
    apart = open_as((Pairs,), source, options=options(size="16", fit="tiles", degrade="downscale:2", split="test"))
    images = [image.transpose(2, 0, 1) for image in rows(apart)]
    places = [next(i for i, image in enumerate(images) if np.array_equal(image, row)) for row in shown.target.numpy()]
    assert [place // 9 for place in places] == [0, 1, 2, 3]
    trained = {row.tobytes() for row in rows(dataset)}
    assert not trained & {row.tobytes() for row in rows(apart)}


def test_arrays_and_points_are_not_cut(options):
    for batch, source in ((Images, "digits"), (Points, "ring8")):
        with pytest.raises(InputError, match="--fit tiles"):
            open_as((batch,), source, options=options(fit="tiles"))
