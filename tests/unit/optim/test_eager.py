"""Optimizers without torch's compiler: the same steps and states as torch's, and no import of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zerosum.optim.adam import Adam
from zerosum.optim.eager import RMSprop

PLAYED = """
import sys
from zerosum.cli import main
assert main(sys.argv[1:]) == 0
print("torch._dynamo" in sys.modules)
"""


def steps(optimizer: Optimizer, weight: Tensor) -> Tensor:
    for step in range(3):
        optimizer.zero_grad()
        (weight * torch.arange(6.0).view(2, 3)).sin().sum().backward()
        optimizer.step()
        if step == 1:
            optimizer.load_state_dict(optimizer.state_dict())
    return weight.detach()


@pytest.mark.parametrize(("ours", "torchs"), [(Adam, torch.optim.Adam), (RMSprop, torch.optim.RMSprop)])
def test_steps_and_states_are_torchs_to_the_last_bit(ours: type[Optimizer], torchs: type[Optimizer]) -> None:
    weights = [nn.Parameter(torch.linspace(-1, 1, 6).view(2, 3)) for _ in range(2)]
    optimizers = [kind([weight], lr=0.1) for kind, weight in zip((ours, torchs), weights, strict=True)]
    moved = [steps(*each) for each in zip(optimizers, weights, strict=True)]
    assert bool((moved[0] == moved[1]).all())
    states = [optimizer.state_dict() for optimizer in optimizers]
    assert states[0]["param_groups"] == states[1]["param_groups"]
    assert states[0]["state"].keys() == states[1]["state"].keys()


def test_a_step_counts_in_a_hook_and_keeps_no_graph() -> None:
    weight, seen = nn.Parameter(torch.ones(2)), []
    optimizer = Adam([weight], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    weight.sum().backward()
    optimizer.step()
    assert seen == [True]
    assert weight.is_leaf


def test_a_training_does_not_import_torchs_compiler() -> None:
    small = ["--width", "4", "--batch", "4", "--rounds", "1", "--run", "run"]
    words = [sys.executable, "-c", PLAYED, "train", "digits", "--recipe", "wgan", *small]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
