"""Losses: their sum, their pieces joined, and the means that are logged."""

from __future__ import annotations

import pytest
import torch
from torch import tensor

from zerosum.loss import Loss, LossMeter, merge
from zerosum.runtime.distributed import World


def test_the_sum_of_terms_is_in_single_precision_and_leaves_out_what_is_logged():
    loss = Loss(adversarial=tensor(256.0).bfloat16(), penalty=tensor(1.0), log={"distance": tensor(5.0)})
    assert loss.total().dtype == torch.float32
    assert loss.total().item() == 257.0  # bfloat16 has no 257
    assert Loss(adversarial=tensor(1.0).bfloat16()).total().dtype == torch.float32


def test_a_detached_loss_keeps_every_value_and_no_graph():
    x = torch.ones(2, requires_grad=True)
    loss = Loss(a=x.sum(), b=3 * x.sum(), log={"real": x}, outputs={"made": 2 * x}).detached()
    assert {name: value.item() for name, value in loss.items()} == {"a": 2.0, "b": 6.0}
    assert loss.log["real"].tolist() == [1.0, 1.0]
    assert loss.outputs["made"].tolist() == [2.0, 2.0]
    assert not any(value.requires_grad for g in (loss, loss.log, loss.outputs) for value in g.values())


def test_pieces_are_joined_by_their_shares_and_rows_in_order():
    def piece(value: float, *rows: float) -> Loss:
        log = {"real": tensor(rows), "distance": tensor(10 * value)}
        return Loss(a=tensor(value), b=tensor(-value), log=log, outputs={"made": 2 * tensor(rows)})

    whole = merge(iter([(0.75, piece(2.0, 1.0, 2.0, 3.0)), (0.25, piece(6.0, 4.0))]))
    assert {name: value.item() for name, value in whole.items()} == {"a": 3.0, "b": -3.0}
    assert whole.log["distance"].item() == 30.0
    assert whole.log["real"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert whole.outputs["made"].tolist() == [2.0, 4.0, 6.0, 8.0]
    alone = piece(2.0, 1.0)
    assert merge([(1.0, alone)]) is alone


def test_what_is_collected_are_means_over_moves_since_the_last_time():
    meter = LossMeter()
    meter.add("critic", Loss(a=tensor(1.0), b=tensor(2.0), log={"real": tensor([4.0, 8.0])}))
    meter.add("critic", Loss(a=tensor(3.0), b=tensor(6.0), log={"real": tensor([0.0, 4.0])}))
    meter.add("generator", Loss(adversarial=tensor(5.0)))
    meter.count("generator/gradient_norm", tensor(7.0))
    expected = {"critic/loss": 6.0, "critic/a": 2.0, "critic/b": 4.0, "critic/real": 4.0, "generator/loss": 5.0}
    assert meter.collect(World()) == pytest.approx({**expected, "generator/gradient_norm": 7.0})
    assert meter.collect(World()) == {}
    for value in (1.0, 2.0, 6.0):
        meter.count("x", tensor(value))
    assert meter.collect(World()) == {"x": 3.0}
