"""Minibatch discrimination (Salimans et al. 2016): the discriminator compares the samples of a batch with each other.

A generator that makes one sample only, whatever its latents, is found out by samples that are too close.

Source: Salimans et al. 2016, section 3.2 (https://arxiv.org/abs/1606.03498).

Differs from the paper: the closeness enters the last layer, by weights that start at 0.
"""

from __future__ import annotations

from typing import Any

from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.minibatch_discrimination import WithCloseness
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.pac import Pac
from zerosum.stabilisers.requirements import discriminators_of, logit_layer


class MinibatchDiscrimination(Stabiliser):
    """The layer of each discriminator's logit takes how close a sample's features are to those of the others.

    Real and generated samples are compared apart. The closeness is of the whole batch, so that it is not divided.

    Args:
        value: number of kernels.
    """

    divisible = False

    def __init__(self, value: float = 100) -> None:
        super().__init__(value)
        if value != int(value):
            raise InputError(f"The stabiliser {self.name} got {value} kernels: give a whole number, such as 100.")
        self._layers: list[WithCloseness] = []

    def prepare(self, recipe: Recipe) -> None:
        """Replace the layer of the discriminators' logits, or of their features where they output none.

        Raises:
            InputError: a discriminator is one layer alone, or takes packs of samples.
        """
        for network in discriminators_of(recipe, self.name):
            place = logit_layer(network)
            if not place:
                raise InputError(f"--stabilise {self.name} found no hidden layer in the discriminator: leave it out.")
            layer = network.get_submodule(place)
            if any(isinstance(getattr(hook, "__self__", None), Pac) for hook in layer._forward_hooks.values()):
                raise InputError(
                    f"--stabilise {self.name} compares single samples, and this discriminator takes packs of them: "
                    "leave out pac or this."
                )
            parent, _, name = place.rpartition(".")
            wrapped = WithCloseness(layer, int(self.value))
            setattr(network.get_submodule(parent), name, wrapped)
            self._layers.append(wrapped)

    def before(self, name: str, game: Game[Any]) -> None:
        """Set how many samples are compared: a whole batch."""
        for layer in self._layers:
            layer.group = game.batch
