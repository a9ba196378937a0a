"""Crops, mirrors and turns: the law of a draw, what is cut out, and that no two purposes share a seed."""

from __future__ import annotations

import numpy as np
import pytest

from zerosum.data.jitter import CROP, NOISE, Draw, Jitter, View, generator, views
from zerosum.errors import InputError


def test_numbers_are_those_of_seed_position_purpose_and_side():
    draw = Draw(seed=3, position=100)
    value = draw.generator(5, CROP).random()
    assert value == np.random.Generator(np.random.PCG64(np.random.SeedSequence((3, 105, 1, 0)))).random()
    assert value == Draw(seed=3, position=104).generator(1, CROP).random()
    others = [Draw(seed=4, position=100).generator(5, CROP), draw.generator(6, CROP), draw.generator(5, NOISE)]
    others += [draw.generator(5, CROP, 1), draw.generator(4, CROP)]
    assert len({value, *(other.random() for other in others)}) == 6


def test_a_view_is_a_function_of_three_numbers():
    draw = Draw(seed=0, position=7, jitter=Jitter(enlarge=1.25, mirror=0.4))
    for index in range(40):
        left, top, toss = generator(0, 7 + index, CROP, 0).random(3)
        expected = View(left=0.2 * left, top=0.2 * top, side=0.8, mirrored=bool(toss < 0.4))
        view = draw.view(index)
        assert (view.left, view.top, view.side) == pytest.approx((expected.left, expected.top, expected.side))
        assert view.mirrored is expected.mirrored
    assert draw.view(0) != draw.view(0, side=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_crop_is_the_part_at_its_place_enlarged(channels):
    rows, columns = np.mgrid[0:40, 0:80]
    image = np.stack([rows * 4, columns * 2, rows + columns][:channels], 2).astype(np.uint8)
    found = View(left=0.5, top=0.25, side=0.5, mirrored=False).of(image)
    assert found.shape == image.shape
    # the middle of pixel (20, 20) of the enlargement lies at (10 + 10.25, 40 + 10.25), so 0.5 less by index
    assert found[20, 20, 0] == pytest.approx(4 * (10 + 9.75), abs=1)
    if channels == 3:
        assert found[20, 20, 1] == pytest.approx(2 * (40 + 9.75), abs=1)
        assert found[20, 60, 1] == pytest.approx(2 * (40 + 29.75), abs=1)


def test_mirrors_turn_left_and_right_and_a_whole_view_changes_nothing():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(View(left=0, top=0, side=1, mirrored=False).of(image), image)
    assert np.array_equal(View(left=0, top=0, side=1, mirrored=True).of(image), image[:, ::-1])
    wide = np.zeros((8, 8, 1), np.uint8)
    wide[:, :4] = 200
    assert View(left=0, top=0, side=0.9, mirrored=True).of(wide)[4, 7] == 200


def test_a_share_of_the_draws_is_turned_by_each_quarter_alike():
    draw = Draw(seed=0, position=0, jitter=Jitter(rotate=0.75))
    turns = [draw.view(index).turns for index in range(2000)]
    assert np.bincount(turns) / 2000 == pytest.approx([0.25] * 4, abs=0.03)
    assert not any(Draw(seed=0, position=0, jitter=Jitter(mirror=0.5)).view(index).turns for index in range(100))


def test_squares_are_turned_by_quarters_and_other_images_by_a_half_after_the_mirror():
    square, wide = np.arange(16).reshape(4, 4, 1).astype(np.uint8), np.arange(12).reshape(3, 4, 1).astype(np.uint16)
    for turns in (1, 2, 3):
        view = View(left=0, top=0, side=1, mirrored=True, turns=turns)
        assert np.array_equal(view.of(square), np.rot90(square[:, ::-1], turns))
        assert np.array_equal(view.of(wide), wide[::-1])


def test_views_vary_each_image_by_its_own_draw():
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    plain = Draw(seed=1, position=2)
    assert views(images, plain) is images
    draw = Draw(seed=1, position=2, jitter=Jitter(enlarge=1.5, mirror=0.5, rotate=0.5))
    for side in (0, 1):
        found = views(images, draw, side)
        for index, image in enumerate(images):
            assert np.array_equal(found[index], draw.view(index, side).of(image))


@pytest.mark.parametrize(
    "wrong",
    [{"enlarge": 0.9}, {"enlarge": 4.1}, {"mirror": -0.1}, {"mirror": 1.1}, {"rotate": -0.1}, {"rotate": 1.1}],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError, match=f"--{next(iter(wrong))}"):
        Jitter(**wrong).checked()


@pytest.mark.parametrize(
    "right", [{}, {"enlarge": 1.0}, {"enlarge": 4.0}, {"mirror": 0.0}, {"mirror": 1.0}, {"rotate": 1.0}]
)
def test_the_ends_of_a_range_are_taken(right):
    assert Jitter(**right).checked() == Jitter(**right)
    assert Jitter() == Jitter(enlarge=1.0, mirror=0.0)
