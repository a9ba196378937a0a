"""The image pool's statistics, and that its contents are part of the model."""

from __future__ import annotations

import torch

from zerosum.layers.image_pool import ImagePool


def numbered(start: int, count: int) -> torch.Tensor:
    """Images that carry their number."""
    return torch.arange(start, start + count, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone()


def numbers(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].int().tolist()


def test_a_pool_of_none_hands_everything_on():
    images = numbered(0, 3)
    assert torch.equal(ImagePool(0, (1, 2, 2))(images), images)


def test_images_are_handed_on_as_they_come_until_the_pool_is_full():
    pool = ImagePool(4, (1, 2, 2))
    assert numbers(pool(numbered(0, 3))) == [0, 1, 2]
    assert numbers(pool(numbered(3, 1))) == [3]
    assert numbers(pool.images) == [0, 1, 2, 3]


def test_a_full_pool_hands_on_old_images_half_of_the_time():
    pool = ImagePool(50, (1, 2, 2))
    pool(numbered(0, 50))
    old = sum(number < at for at in range(50, 2050) for number in numbers(pool(numbered(at, 1))))
    assert abs(old / 2000 - 0.5) < 0.04  # three and a half standard deviations


def test_an_image_that_is_handed_on_from_the_pool_has_left_it():
    pool = ImagePool(5, (1, 2, 2))
    seen: list[int] = []
    for at in range(0, 600, 3):
        seen += numbers(pool(numbered(at, 3)))
    inside = numbers(pool.images)
    assert len(set(inside)) == 5
    early = [number for number in seen[5:] if number >= 5]
    assert len(early) == len(set(early))  # none of those after the first five, shown as they came, is shown twice
    assert not set(early) & set(inside)


def test_each_sample_of_a_batch_is_decided_on_its_own():
    pool = ImagePool(8, (1, 2, 2))
    pool(numbered(0, 8))
    handed = numbers(pool(numbered(100, 64)))
    new = sum(number == 100 + index for index, number in enumerate(handed))
    assert 16 <= new <= 48


def test_what_is_handed_on_is_a_copy_and_has_no_gradient():
    pool = ImagePool(2, (1, 2, 2))
    images = numbered(1, 2).requires_grad_()
    first = pool(images * 1)
    assert not first.requires_grad
    first.zero_()
    assert numbers(pool.images) == [1, 2]


def test_a_restored_pool_goes_on_with_the_same_images():
    one, other = ImagePool(6, (1, 2, 2)), ImagePool(6, (1, 2, 2))
    one(numbered(0, 9))
    other.load_state_dict(one.state_dict())
    assert int(other.count) == 6
    torch.manual_seed(3)
    expected = one(numbered(9, 20))
    torch.manual_seed(3)
    assert torch.equal(other(numbered(9, 20)), expected)
    assert torch.equal(one.images, other.images)
