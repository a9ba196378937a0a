"""Two and four processes play the game of one, with every recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.distributed import play_every
from tests.distributed.test_two_processes import torchrun
from tests.recipes.conftest import SMALL
from zerosum import recipes
from zerosum.runtime.distributed import World

pytestmark = pytest.mark.slow
PROCESSES = (2, 4)


@pytest.fixture(scope="module", params=PROCESSES)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    out = tmp_path_factory.mktemp("every")
    code, said = torchrun("tests.distributed.play_every", out, processes=request.param, timeout=900)
    assert code == 0, said
    return out, request.param


@pytest.fixture(scope="module")
def alone() -> dict[str, tuple[dict[str, torch.Tensor], bool]]:
    return {}


@pytest.mark.parametrize("name", list(SMALL))
def test_processes_stay_together_and_play_the_game_of_one(
    name: str, played: tuple[Path, int], alone: dict[str, tuple[dict[str, torch.Tensor], bool]]
) -> None:
    out, processes = played
    first, *others = (safetensors.torch.load_file(out / f"{name}-{rank}.safetensors") for rank in range(processes))
    for other in others:
        assert all(torch.equal(first[key], other[key]) for key in first)
    if name not in alone:
        alone[name] = play_every.rounds(name, World())
    expected, equal = alone[name]
    if equal:
        for key, value in expected.items():
            torch.testing.assert_close(first[key], value, rtol=1e-3, atol=1e-4)


def test_all_recipes_are_here() -> None:
    assert set(SMALL) == set(recipes.names())
