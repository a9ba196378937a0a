"""Games on points learn: against the untrained model, against a stated bar, and against each other."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zerosum import recipes
from zerosum.data import toys
from zerosum.data.open import open as open_data
from zerosum.data.stream import Stream
from zerosum.game import Game

pytestmark = pytest.mark.slow


def play(data: str, name: str, rounds: int, seed: int = 0, **settings: Any) -> tuple[Game[Any], list[dict[str, float]]]:
    """Play a game on points; return it, with what it logged in each tenth."""
    kind, dataset = recipes.find(name), open_data(data)
    torch.manual_seed(seed)
    recipe = kind(kind.Config.read(settings), dataset.spec)
    game = Game(recipe, Stream(dataset, seed=seed))
    logged = []
    for round_ in range(rounds):
        recipe.round(game)
        game.end_round()
        if (round_ + 1) % (rounds // 10) == 0:
            logged.append(game.collect())
    return game, logged


def judge(data: str, game: Game[Any]) -> tuple[int, float]:
    """Return (modes with a sample within 3 sigma, share of 2,500 samples within 3 sigma): PacGAN's protocol."""
    centres, sigma = toys.modes(data)
    with game.averaged():
        distance, mode = torch.cdist(game.recipe.sample(2500), torch.as_tensor(centres, dtype=torch.float32)).min(1)
    return len(mode[distance < 3 * sigma].unique()), (distance < 3 * sigma).float().mean().item()
