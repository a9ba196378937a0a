"""Metrics of shapes against closed forms and a search by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from zerosum.errors import InputError
from zerosum.metrics import shapes


def box(low: tuple[int, int, int], high: tuple[int, int, int], side: int = 12) -> torch.Tensor:
    grid = torch.zeros(1, side, side, side)
    grid[0, low[0] : high[0], low[1] : high[1], low[2] : high[2]] = 1
    return grid


def test_boxes_that_overlap_by_half_have_a_third_in_common():
    whole, moved, empty = box((2, 2, 2), (6, 6, 6)), box((4, 2, 2), (8, 6, 6)), torch.zeros(1, 12, 12, 12)
    found = shapes.intersection_over_union(torch.cat([whole, empty]), torch.cat([whole, moved, empty]))
    assert found.tolist() == [pytest.approx([1, 1 / 3, 0]), pytest.approx([0, 0, 1])]


def test_chamfer_distances_are_those_of_a_search_among_surface_cells():
    random = np.random.default_rng(0)
    a, b = (torch.from_numpy(random.random((3, 9, 9, 9)) < 0.05) for _ in range(2))
    found = shapes.chamfer_distances(a, b)
    for i in range(3):
        for j in range(3):
            p, q = (np.argwhere(shapes.surfaces(grid[k : k + 1])[0].numpy()) for grid, k in ((a, i), (b, j)))
            there, back = cKDTree(q).query(p)[0], cKDTree(p).query(q)[0]
            assert float(found[i, j]) == pytest.approx(((there**2).mean() + (back**2).mean()) / 81, rel=1e-5)
    assert shapes.chamfer_distances(a, torch.zeros(1, 9, 9, 9))[0, 0] == 2, "an empty shape is as far as can be"


def test_a_surface_is_what_has_an_empty_neighbour():
    assert int(shapes.surfaces(box((2, 2, 2), (7, 7, 7))).sum()) == 5**3 - 3**3
    assert int(shapes.surfaces(torch.ones(1, 4, 4, 4)).sum()) == 4**3 - 2**3


def test_sets_that_are_alike_and_sets_that_are_apart():
    points = torch.arange(6.0)[:, None]
    among = torch.cdist(points, points)
    assert shapes.nearest_neighbour_accuracy(among, among, among + 10) == 1.0
    assert shapes.nearest_neighbour_accuracy(among, among, among) == 0.0, "copies are nearer than any other"
    copies = shapes.compare_sets(among)
    assert (copies.coverage, copies.distance) == (1.0, 0.0)
    assert shapes.compare_sets(among[:1]).coverage == pytest.approx(1 / 6), "one shape covers one"


def test_the_largest_part_of_what_falls_apart():
    two = box((0, 0, 0), (3, 3, 3)) + box((6, 6, 6), (7, 7, 7))
    assert shapes.largest_parts(torch.cat([two, torch.zeros_like(two)])).tolist() == pytest.approx([27 / 28, 0])


def test_grids_of_two_sizes_are_refused():
    with pytest.raises(InputError, match="give grids of one size"):
        shapes.chamfer_distances(torch.zeros(1, 4, 4, 4), torch.zeros(1, 5, 5, 5))
