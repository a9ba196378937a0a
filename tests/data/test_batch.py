"""What a batch becomes on its way into a game."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data.batch import Images, Pairs

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Captioned(Images):
    """Images with what is not pixels, though it is uint8 too."""

    caption: Tensor
    mask: Tensor


def test_pixels_are_scaled_and_other_bytes_keep_their_values() -> None:
    image = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    caption, mask = torch.tensor([[7, 200], [0, 1]], dtype=torch.uint8), (image > 0).byte()
    moved = Captioned(image=image, label=torch.tensor([1, 0]), caption=caption, mask=mask).to(CPU)
    assert moved.image.flatten().tolist() == [-1.0, 1.0]
    assert torch.equal(moved.caption, caption)
    assert torch.equal(moved.mask, mask)
    assert moved.label.tolist() == [1, 0]


def test_both_sides_of_pairs_are_pixels() -> None:
    image = torch.full((2, 1, 4, 4), 255, dtype=torch.uint8)
    moved = Pairs(source=image, target=image).to(CPU)
    assert moved.source.unique().tolist() == moved.target.unique().tolist() == [1.0]


def test_a_batch_is_split_into_pieces_of_nearly_equal_length_and_one_piece_is_itself():
    batch = Images(image=torch.arange(7.0).view(7, 1, 1, 1), label=torch.arange(7))
    assert [piece.label.tolist() for piece in batch.split(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    (whole,) = batch.split(1)
    assert whole is batch
