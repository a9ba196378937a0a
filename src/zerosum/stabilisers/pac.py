"""Packing (PacGAN, Lin et al. 2018): the discriminator takes several samples at once, of data or of the generator.

A lack of variety, which no sample shows alone, shows in a pack.

Source: Lin et al. 2018, section 3 (https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d
from zerosum.layers.virtual_batch_norm import REFERENCE, has_reference
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, require_logits, weight_layers


class Pac(Stabiliser):
    """Neighbours in a batch enter the discriminator together, their features or channels joined.

    The first layer is made anew for them, with weights that leave the deviation of its output as it was. Each sample
    has the logit of its pack, so that a zero-centred penalty on the samples' slopes weighs as many times as much. What
    the layers draw is drawn for packs, so that a batch is not divided.

    Args:
        value: samples in a pack, 2 to 4 in the paper; a batch is a multiple of it.
    """

    divisible = False

    def __init__(self, value: float = 2) -> None:
        super().__init__(value)
        if value != int(value) or value < 2:
            raise InputError(f"The stabiliser {self.name} got packs of {value}: give a whole number from 2, such as 2.")
        self.size = int(value)

    def prepare(self, recipe: Recipe) -> None:
        """Widen the first layer of the discriminators, and hook into the first and the last.

        Raises:
            InputError: labels are taken, logits have penalties of their own, or the networks do not allow it.
        """
        networks = discriminators_of(recipe, self.name)
        if recipe.takes_labels:
            raise InputError(
                f"--stabilise {self.name} packs samples of any class, and these have labels: leave it out."
            )
        if "penalty" in recipe.config.names() and recipe.objective == "wasserstein":
            raise InputError(
                f"--stabilise {self.name} gives a pack one logit, and {type(recipe).__name__} needs the slope of each "
                "sample's: leave it out."
            )
        for network in networks:
            require_logits(recipe, network, self.name)
            if has_reference(network) and REFERENCE % self.size:
                raise InputError(
                    f"--stabilise {self.name}:{self.size} does not divide the {REFERENCE} samples of virtual batch "
                    f"norm's reference: give {self.name}:2 or {self.name}:4."
                )
            self._widen(network, recipe)
        recipe.minibatch_group = math.lcm(recipe.minibatch_group, self.size)

    def _widen(self, network: nn.Module, recipe: Recipe) -> None:
        layers = weight_layers(network)
        (place, first), last = next(iter(layers.items())), next(reversed(layers.values()))
        refusal = InputError(
            f"--stabilise {self.name} cannot widen the first layer of the discriminator of {type(recipe).__name__}: "
            "leave it out, or name it before other stabilisers."
        )
        if type(first) not in (nn.Linear, nn.Conv2d, Conv2d) or len(layers) < 2 or first._forward_pre_hooks:
            raise refusal
        wide = self._widened(first)
        parent, _, name = place.rpartition(".")
        setattr(network.get_submodule(parent), name, wide)
        wide.register_forward_pre_hook(self._join)
        last.register_forward_hook(self._repeat)
        channels = getattr(first, "in_channels", recipe.spec.shape[0])
        if not _runs(network, torch.zeros(2 * self.size, channels, *recipe.spec.shape[1:])):
            raise refusal

    def _widened(self, layer: nn.Module) -> nn.Module:
        old: Any = layer
        bias = old.bias is not None
        if isinstance(layer, nn.Linear):
            wide: Any = nn.Linear(self.size * old.in_features, old.out_features, bias=bias)
        else:
            options = {"stride": old.stride, "padding": old.padding, "bias": bias}
            wide = type(layer)(self.size * old.in_channels, old.out_channels, old.kernel_size, **options)
        with torch.no_grad():
            wide.weight.normal_().mul_(old.weight.std() / math.sqrt(self.size))
            if bias:
                wide.bias.copy_(old.bias)
        return wide

    def _join(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x: Tensor = inputs[0]
        if len(x) % self.size:
            raise InputError(f"A batch of {len(x)} samples has no whole packs of {self.size}: change --batch.")
        return (x.reshape(len(x) // self.size, self.size * x.shape[1], *x.shape[2:]),)

    def _repeat(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        return output.repeat_interleave(self.size, 0)


@torch.no_grad()
def _runs(network: nn.Module, x: Tensor) -> bool:
    """Whether a network maps samples (N, *shape) to a row or more each."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        return len(network.eval()(x)) == len(x)
    except RuntimeError:
        return False
    finally:
        for module, training in modes:
            module.training = training
