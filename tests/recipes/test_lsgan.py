"""LSGAN's losses as the recipe plays them, and the network that they act on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.recipes.conftest import game
from zerosum.data.batch import Points


class Fixed(nn.Module):
    """Outputs set values, whatever it is given, one call after the other."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = list(values)
        self.outputs: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.outputs.append(torch.full((len(x),), self.values.pop(0)).requires_grad_())
        return self.outputs[-1]


def losses(targets: tuple[float, float, float], real: float, fake: float) -> tuple[float, float, float]:
    """Return the losses of both players on outputs of `real` and `fake`, and the generator's gradient at the output."""
    playing: Any = game("lsgan", (2,), batch=1)
    recipe, batch = playing.recipe, playing.draw()
    object.__setattr__(recipe.config, "targets", targets)
    recipe.discriminator = Fixed(real, fake, fake)
    d = recipe.discriminator_loss(batch, samples=batch.real).total()
    g = recipe.generator_loss(batch).total()
    (gradient,) = torch.autograd.grad(g, recipe.discriminator.outputs[-1])
    return d.item(), g.item(), gradient.sum().item()


@pytest.mark.parametrize(
    ("targets", "real", "fake", "expected"),
    [
        ((0.0, 1.0, 1.0), 2.0, -1.0, (1.0, 2.0, -2.0)),
        ((-1.0, 1.0, 0.0), 2.0, -1.0, (0.5, 0.5, -1.0)),
        ((0.0, 1.0, 1.0), 0.0, 0.0, (0.5, 0.5, -1.0)),
        ((0.0, 1.0, 1.0), 0.5, 0.5, (0.25, 0.125, -0.5)),
        ((-1.0, 1.0, 0.0), 0.0, 0.0, (1.0, 0.0, 0.0)),
    ],
)
def test_the_losses_have_the_values_of_the_closed_form(targets, real, fake, expected):
    assert losses(targets, real, fake) == pytest.approx(expected)


def test_the_best_output_is_the_mean_of_the_targets_by_density():
    # D* = (b p + a q) / (p + q), eq. 4, where data lie at two places in shares of .8 and .2, samples in .2 and .8
    recipe: Any = game("lsgan", (2,)).recipe
    places = torch.eye(2)
    real, fake = (places.repeat_interleave(torch.tensor(counts), 0) for counts in ([8, 2], [2, 8]))
    recipe.discriminator = nn.Linear(2, 1, bias=False)
    recipe.discriminator.weight.data = torch.tensor([[0.8, 0.2]])
    loss = recipe.discriminator_loss(Points(point=real), samples=fake).total()
    (gradient,) = torch.autograd.grad(loss, recipe.discriminator.weight)
    assert gradient.abs().max() < 1e-6
    assert loss.item() == pytest.approx(0.8 * 0.2**2 + 0.2 * 0.8**2)


@pytest.mark.parametrize("shape", [(1, 16, 16), (2,)])
def test_the_discriminator_ends_without_an_activation(shape):
    recipe: Any = game("lsgan", shape).recipe
    last = [module for module in recipe.discriminator.modules() if not list(module.children())][-1]
    assert isinstance(last, nn.Conv2d | nn.Linear)
