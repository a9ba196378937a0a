"""Games are played with sums in one order, on the device that they are on."""

from __future__ import annotations

from contextlib import contextmanager

import torch

import zerosum
from zerosum.game import Game
from zerosum.runtime.progress import Silent
from zerosum.training import trainer


def test_every_round_is_played_while_sums_have_one_order(tmp_path, monkeypatch):
    within, rounds, end = [], [], Game.end_round

    @contextmanager
    def recorded(device):
        within.append(device)
        yield
        within.pop()

    monkeypatch.setattr(trainer, "deterministic", recorded)
    monkeypatch.setattr(Game, "end_round", lambda game: rounds.append(list(within)) or end(game))
    zerosum.train("ring8", recipe="gan", run=tmp_path / "run", progress=Silent(), rounds=2, batch=4, device="cpu")
    assert rounds == [[torch.device("cpu")]] * 2
