"""Feature matching (Salimans et al. 2016): samples are to have the data's mean features in the discriminator.

Source: Salimans et al. 2016, section 3.1 (https://arxiv.org/abs/1606.03498).

Differs from the paper: the term is added to the generator's own loss, which the paper replaces by it; the features are
what the last layer with weights that the samples pass takes, where the authors' code takes a layer before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class FeatureMatching(Stabiliser):
    """Squared distance between the mean features of real and of generated samples, in the generator's loss.

    The generated samples are those that the loss itself shows to each discriminator, in one batch; where it does so
    several times, as it does in unrolled games, the last time counts, with the weights that the discriminator then has.
    The mean is over the whole batch, so that it is not divided.

    Args:
        value: weight of the term.
    """

    divisible = False

    def __init__(self, value: float = 1.0) -> None:
        super().__init__(value)
        self._watching = False
        self._entered: dict[nn.Module, Tensor] = {}
        self._calls: dict[nn.Module, tuple[nn.Module, Tensor, dict[str, Tensor], tuple[Any, ...], dict[str, Any]]] = {}

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the discriminators and their layers that have weights."""
        for network in discriminators_of(recipe, self.name):
            layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.modules.conv._ConvNd)]
            if not layers:
                raise InputError(f"--stabilise {self.name} found no dense or convolutional layer: leave it out.")
            for layer in layers:
                layer.register_forward_pre_hook(self._enter)
            network.register_forward_hook(self._leave, with_kwargs=True)

    def before(self, name: str, game: Game[Any]) -> None:
        """Watch what the generator shows to the discriminators."""
        self._watching = game.players[name].role == "generator"

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return |E f(x) - E f(G(z))|^2, summed over features and discriminators (section 3.1)."""
        distances = []
        for network, real in zip(game.recipe.discriminators(), game.recipe.real_inputs(batch), strict=True):
            if network in self._calls:
                layer, fake, weights, more, named = self._calls[network]
                self._entered = {}
                functional_call(network, weights, (real, *more), named)
                distances.append(squared_distance(self._entered[layer], fake))
        self._watching, self._entered, self._calls = False, {}, {}
        return {"feature_matching": self.value * sum(distances[1:], distances[0])} if distances else {}

    def _enter(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._watching:
            self._entered.pop(layer, None)
            self._entered[layer] = inputs[0]

    def _leave(self, network: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Tensor) -> None:
        if self._watching and inputs[0].requires_grad:  # in a generator's move only what it made does
            layer, features = [(layer, x) for layer, x in self._entered.items() if x.requires_grad][-1]
            self._calls[network] = layer, features, dict(network.named_parameters()), inputs[1:], named
            self._entered = {}


def squared_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return |E real - E fake|^2 of features (N, ...) and (M, ...), in float32: ().

    >>> import torch
    >>> squared_distance(torch.tensor([[0.0, 0.0], [2.0, 2.0]]), torch.tensor([[4.0, 1.0]])).item()
    9.0
    """
    return (real.float().mean(0) - fake.float().mean(0)).square().sum()
