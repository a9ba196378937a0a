"""DCGAN's sizes and labels."""

from __future__ import annotations

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.errors import InputError
from zerosum.networks.dcgan import halvings


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1, 64, 64), (4, 4, 4)),
        ((3, 96, 96), (4, 6, 6)),
        ((1, 8, 8), (1, 4, 4)),
        ((1, 28, 56), (2, 7, 14)),
        ((2, 128, 32), (3, 16, 4)),
    ],
)
def test_an_image_is_halved_as_often_as_its_sides_allow(shape, expected):
    assert halvings(shape) == expected


@pytest.mark.parametrize("shape", [(1, 30, 30), (1, 100, 100), (1, 7, 7), (1, 144, 256), (3, 240, 256)])
def test_a_size_that_cannot_be_halved_is_refused_with_one_that_fits(shape):
    with pytest.raises(InputError, match=r"--size (\d+)x(\d+) would fit") as refusal:
        halvings(shape)
    sides = str(refusal.value).split("--size ")[1].split(" ")[0].split("x")
    assert halvings((1, int(sides[0]), int(sides[1])))[0] >= 1


def test_labels_are_drawn_from_their_ranges():
    playing = game("dcgan", (1, 16, 16))
    labels = playing.recipe._labels(1000, (0.7, 1.2))
    assert 0.7 <= labels.min() < 0.71 < 1.19 < labels.max() <= 1.2
    assert torch.equal(playing.recipe._labels(3, (0.9, 0.9)), torch.full((3,), 0.9))
