"""Spectral normalisation (Miyato et al. 2018): every layer of the discriminator stretches no direction by more than 1.

Source: Miyato et al. 2018, section 2.1 (https://arxiv.org/abs/1802.05957).
"""

from __future__ import annotations

from zerosum.errors import InputError
from zerosum.layers.equalised import EqualisedConv2d, EqualisedLinear
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of


class SpectralNorm(Stabiliser):
    """The weights of the discriminators' layers are divided by their largest singular value; there is no strength.

    It is estimated by one step of power iteration a call. A batch that is differentiated in pieces makes more calls,
    and its estimate is a little ahead.
    """

    def __init__(self, value: float = 1.0) -> None:
        super().__init__(value)
        if value != 1:
            raise InputError(f"The stabiliser {self.name} has no strength, and got {value}: give its name alone.")

    def prepare(self, recipe: Recipe) -> None:
        """Normalise the discriminators' layers.

        Raises:
            InputError: they have an equalised learning rate, whose scale would undo it.
        """
        discriminators_of(recipe, self.name)
        for network in recipe.discriminator_parts():
            if any(isinstance(layer, EqualisedConv2d | EqualisedLinear) for layer in network.modules()):
                raise InputError(
                    f"--stabilise {self.name} is undone by the equalised learning rate of the discriminator of "
                    f"{type(recipe).__name__}: leave it out."
                )
            apply_spectral_norm(network)
