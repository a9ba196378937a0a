"""The controller of adaptive augmentation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.errors import InputError
from zerosum.loss import Loss
from zerosum.stabilisers.ada import Ada

IMAGES = (1, 16, 16)


def moved(played: Any, ada: Ada, real: float, times: int) -> None:
    for _ in range(times):
        ada.after("discriminator", Loss(log={"real": torch.full((32,), real)}), played)


def test_p_goes_up_by_the_images_drawn() -> None:
    played, ada = game("gan", IMAGES, batch=32), Ada()
    moved(played, ada, 2.0, 500)
    assert ada.p == pytest.approx(0.032), "125 changes"
    moved(played, ada, -1.0, 250)
    assert ada.p == pytest.approx(0.032 - 62 * 0.000256)
    moved(played, ada, -1.0, 300)
    assert ada.p == 0
    ada.after("generator", Loss(), played)


def test_p_stays_at_1_and_at_the_target() -> None:
    played, ada = game("gan", IMAGES, batch=32), Ada(0.5, images=256)
    ada.p = 0.9
    for _ in range(8):
        ada.after("discriminator", Loss(log={"real": torch.tensor([1.0] * 3 + [-1.0])}), played)
    assert ada.p == pytest.approx(0.9), "the mean sign is 0.5"
    moved(played, ada, 1.0, 4)
    assert ada.p == 1


def test_p_is_logged_and_kept() -> None:
    played = game("gan", IMAGES, stabilise="ada:0.001", rounds=12)
    (ada,) = played.recipe.stabilisers
    ada.images = 64
    real = []
    for _ in range(6):
        played.recipe.round(played)
        real.append(played.collect()["discriminator/ada_p"])
        played.end_round()
    assert real[:4] == [0, 0, 0, 0]
    assert real[4] == real[5] == ada.p
    state = ada.state_dict()
    assert (state["p"], len(state["signs"])) == (ada.p, 2)


def test_a_target_of_1_cannot_be_passed() -> None:
    with pytest.raises(InputError, match=r"got the target 1\.0: give a number between 0 and 1\."):
        Ada(1.0)
