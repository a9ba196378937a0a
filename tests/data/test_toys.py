import numpy as np
import pytest

from zerosum.data.batch import Points
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.kinds import open_data


@pytest.mark.parametrize(("name", "count", "sigma"), [("ring8", 8, 0.01), ("grid25", 25, 0.05)])
def test_points_lie_about_distinct_centres_as_the_protocol_says(name, count, sigma):
    centres, spread = toys.modes(name)
    assert spread == sigma
    assert len(np.unique(centres.round(9), axis=0)) == count
    points, labels = toys.points(name, "train")
    assert points.shape == (100_000, 2)
    assert points.dtype == np.float32
    offset = points - centres[labels]
    assert offset.std(axis=0) == pytest.approx(sigma, rel=0.02)
    assert np.bincount(labels).min() > 0.9 * 100_000 / count


def test_the_ring_has_radius_one_and_begins_at_angle_zero():
    centres, _ = toys.modes("ring8")
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.ones(8))
    assert centres[0] == pytest.approx([1, 0])
    assert centres[2] == pytest.approx([0, 1])


def test_the_grid_spans_minus_four_to_four():
    centres, _ = toys.modes("grid25")
    assert sorted(map(tuple, centres)) == [(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]


def test_points_are_the_same_every_time_and_differ_between_splits(options):
    first, again = open_data("ring8", options=options()), open_data("ring8", options=options())
    test = open_data("ring8", options=options(split="test"))
    assert np.array_equal(first.samples, again.samples)
    assert first.fingerprint == again.fingerprint != test.fingerprint
    assert not np.array_equal(first.samples, test.samples)


def test_points_come_in_their_own_units(options):
    data = open_data("grid25", options=options())
    batch = data.batch(np.arange(1000))
    assert isinstance(batch, Points)
    assert batch.point.shape == (1000, 2)
    assert batch.point.abs().max() > 3.5
    assert data.spec.kind == "points"
    assert len(data.spec.classes) == 25


def test_labels_of_points_can_be_left_out(options):
    data = open_data("ring8", options=options(labels="none"))
    assert data.labels is None
    assert data.spec.classes == ()
    assert data.batch(np.arange(3)).label is None


@pytest.mark.parametrize("asked", [{"size": "8"}, {"channels": 3}, {"labels": "folders"}, {"split": "val"}])
def test_what_points_do_not_have_is_refused(options, asked):
    with pytest.raises(InputError, match="ring8"):
        open_data("ring8", options=options(**asked))


def test_an_unknown_mixture_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="ring8, grid25"):
        toys.modes("ring9")
