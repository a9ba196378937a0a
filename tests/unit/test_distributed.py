"""A world of one process; what two do together is in tests/distributed."""

from __future__ import annotations

import pytest
import torch

from zerosum import distributed
from zerosum.distributed import World


def test_without_torchrun_one_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    world = distributed.join(torch.device("cpu"))
    assert world == World(rank=0, size=1, local_rank=0)
    assert world.is_first
    assert not World(rank=1, size=2).is_first


def test_alone_everything_is_ones_own() -> None:
    world, value, weight = World(), torch.tensor([1.0, 2.0]), torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    world.average_gradients([weight])
    world.wait()
    assert world.average_(value) is value
    assert value.tolist() == [1.0, 2.0]
    assert weight.grad.tolist() == [1.0, 1.0]
    assert (world.any(True), world.any(False)) == (True, False)
    assert world.gather("mine") == ["mine"]


def test_leaving_a_world_of_one_is_harmless() -> None:
    distributed.leave()
    distributed.leave()
