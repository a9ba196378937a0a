"""The smallest values of rows, against torch.topk."""

from __future__ import annotations

import pytest
import torch

from zerosum.metrics import smallest as module
from zerosum.metrics.smallest import smallest


@pytest.mark.parametrize("width", [1, 2, 63, 64, 65, 200, 1000, 6000])
@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("levels", [2**24, 3])
def test_they_are_those_of_a_whole_sort(width, k, levels, monkeypatch):
    monkeypatch.setattr(module, "LONG", 70)
    table = torch.randint(levels, (7, width + 3), generator=torch.Generator().manual_seed(width)).float()[:, 1:-2]
    table[:, ::7] = torch.inf
    values, places = smallest(table, k)
    assert torch.equal(values, table.sort(1).values[:, :k])
    assert torch.equal(table.gather(1, places), values)
    assert all(len(row.unique()) == len(row) for row in places)
