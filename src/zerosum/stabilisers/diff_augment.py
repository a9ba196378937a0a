"""Differentiable augmentation (Zhao et al. 2020): the discriminator is shown varied images alone, real and generated.

With few images a discriminator memorises them. Augmenting only the real ones would have the generator make
augmented ones; here both are varied, in both players' moves, and the generator's gradient goes through it.

Source: Zhao et al. 2020, section 3 (https://arxiv.org/abs/2006.10738).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.layers.augmentation import colour, cutout, translation
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, require_images


class DiffAugment(Stabiliser):
    """Colour, translation and cutout of all that the discriminators take in training, drawn anew for each image.

    Every image is varied; the value is by how much. Where a discriminator takes images joined to what they were made
    from, all of them move together, and the last channels, which are the image's, change their colour. Where sentences
    go with the images no colour changes, because sentences speak of them.

    Args:
        value: strength, up to 1: the factor of all ranges (brightness +-0.5, saturation 0 to 2, contrast 0.5 to 1.5,
            shifts of an eighth of the sides, a hole of half the sides).
    """

    def __init__(self, value: float = 1.0) -> None:
        super().__init__(value)
        if value > 1:
            raise InputError(f"The stabiliser {self.name} got the strength {value}: give a number above 0 and up to 1.")
        self._image_channels: tuple[int, ...] = ()
        self._colours = True

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the discriminators' inputs."""
        networks = discriminators_of(recipe, self.name)
        require_images(recipe, self.name)
        shapes = [shape for shape in (recipe.spec.shape, recipe.spec.source_shape) if shape is not None]
        self._image_channels = tuple(shape[0] for shape in shapes)
        self._colours = not recipe.spec.vocabulary
        for network in networks:
            network.register_forward_pre_hook(self._vary)

    def _vary(self, network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not network.training:
            return None
        x: Tensor = inputs[0]
        if self._colours:
            x = self._coloured(x)
        return cutout(translation(x, self.value), self.value), *inputs[1:]

    def _coloured(self, x: Tensor) -> Tensor:
        """Change the colours of the last channels, which are the image's."""
        joined = 0 if x.shape[1] in self._image_channels else max(0, x.shape[1] - self._image_channels[0])
        return torch.cat([x[:, :joined], colour(x[:, joined:], self.value)], 1)
