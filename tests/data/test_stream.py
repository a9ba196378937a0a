import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.kinds.images import ImageDataset


def numbered(count):
    """Images that carry their own row number."""
    rows = np.arange(count)
    samples = np.zeros((count, 4, 4, 2), dtype=np.uint8)
    samples[:, 0, 0, 0], samples[:, 0, 0, 1] = rows % 256, rows // 256
    return ImageDataset(
        samples=samples,
        labels=rows,
        spec=Spec(shape=(2, 4, 4), classes=tuple(map(str, rows))),
        source="numbered",
        fingerprint="",
        notes=(),
    )


def walk(dataset, batches, **where):
    stream = Stream(dataset, **where)
    try:
        drawn = [stream.draw(batch) for batch in batches]
    finally:
        stream.close()
    for batch in drawn:
        assert torch.equal(batch.label, batch.image[:, 0, 0, 0].long() + 256 * batch.image[:, 1, 0, 0].long())
    return torch.cat([batch.label for batch in drawn]).tolist()


def test_an_epoch_holds_every_sample_once():
    drawn = walk(numbered(300), [50] * 12, seed=3)
    assert sorted(drawn[:300]) == sorted(drawn[300:]) == list(range(300))
    assert drawn[:300] != drawn[300:]
    assert drawn[:300] != list(range(300))


def test_the_seed_decides_the_order():
    assert walk(numbered(100), [100], seed=0) == walk(numbered(100), [100], seed=0)
    assert walk(numbered(100), [100], seed=0) != walk(numbered(100), [100], seed=1)


@settings(max_examples=25, deadline=None)
@given(batches=st.lists(st.integers(1, 40), min_size=1, max_size=8), start=st.integers(0, 60))
def test_the_order_depends_on_the_position_alone_whatever_the_batch_sizes(batches, start):
    dataset = numbered(23)
    whole = walk(dataset, [start + sum(batches)], seed=5)
    assert walk(dataset, batches, seed=5, position=start) == whole[start:]


def test_two_processes_draw_the_halves_of_what_one_would():
    dataset, batches = numbered(30), [8, 8, 4, 26, 8]
    one, left, right = (
        Stream(dataset, seed=1),
        Stream(dataset, seed=1, world=2),
        Stream(dataset, seed=1, rank=1, world=2),
    )
    for batch in batches:
        halves = [left.draw(batch).label, right.draw(batch).label]
        assert torch.equal(torch.cat(halves), one.draw(batch).label)
        assert left.position == right.position == one.position
    for stream in (one, left, right):
        stream.close()


def test_without_prefetch_the_same_is_drawn_on_the_callers_thread():
    dataset, batches = numbered(30), [8, 8, 40, 8]
    assert walk(dataset, batches, seed=4, prefetch=False) == walk(dataset, batches, seed=4)
    gathered = []
    kept = dataset.batch
    object.__setattr__(
        dataset, "batch", lambda *rows, draw: gathered.append(threading.current_thread()) or kept(*rows, draw=draw)
    )
    walk(dataset, batches, seed=4, prefetch=False)
    assert gathered == [threading.current_thread()] * len(batches)


def test_a_restart_at_the_position_continues_the_walk_although_a_batch_was_gathered_ahead():
    dataset = numbered(40)
    stream = Stream(dataset, seed=2)
    stream.draw(16)
    assert stream.position == 16
    again = walk(dataset, [10, 30], seed=2, position=stream.position)
    assert torch.cat([stream.draw(10).label, stream.draw(30).label]).tolist() == again
    stream.close()


def test_a_batch_larger_than_the_data_straddles_epochs():
    drawn = walk(numbered(7), [20], seed=0)
    assert sorted(drawn[:7]) == sorted(drawn[7:14]) == list(range(7))


def test_a_position_that_is_set_is_where_the_walk_goes_on():
    dataset = numbered(40)
    stream = Stream(dataset, seed=2)
    first = stream.draw(8).label
    stream.position = 0
    assert torch.equal(stream.draw(8).label, first)
    stream.close()


@pytest.mark.parametrize("batch", [0, -2, 3])
def test_a_batch_that_processes_cannot_share_is_refused(batch):
    stream = Stream(numbered(10), seed=0, world=2)
    with pytest.raises(InputError, match="multiple of 2"):
        stream.draw(batch)
    assert stream.position == 0
    stream.close()


def test_images_come_as_a_channels_last_view():
    batch = numbered(10).batch(np.array([3, 1]))
    assert batch.image.shape == (2, 2, 4, 4)
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.image.dtype == torch.uint8
    assert batch.label.tolist() == [3, 1]
