"""What stabilisers require of a recipe; each refusal is one sentence."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zerosum.config import flag
from zerosum.errors import InputError
from zerosum.recipe import Objective, Recipe


def discriminators_of(recipe: Recipe, name: str) -> tuple[nn.Module, ...]:
    """Return the networks that a stabiliser called `name` is to hook into.

    Raises:
        InputError: the recipe names none.
    """
    networks = recipe.discriminators()
    if not networks:
        raise InputError(
            f"--stabilise {name} needs a discriminator, and {type(recipe).__name__} names none: leave it out."
        )
    return networks


def require_images(recipe: Recipe, name: str) -> None:
    """Require that samples are images (C, H, W).

    Raises:
        InputError: they are not.
    """
    if len(recipe.spec.shape) != 3:
        raise InputError(f"--stabilise {name} varies images, and these data are {recipe.spec.kind}: leave it out.")


def require_objective(recipe: Recipe, name: str, *objectives: Objective) -> None:
    """Require that a recipe plays by one of some losses.

    Raises:
        InputError: it plays by another.
    """
    if recipe.objective not in objectives:
        wanted = " or ".join(filter(None, [", ".join(objectives[:-1]), objectives[-1]]))
        raise InputError(
            f"--stabilise {name} needs a game of the {wanted} loss, and {type(recipe).__name__} plays by "
            f"{f'the {recipe.objective} loss' if recipe.objective else 'a loss of its own'}: leave it out."
        )


def require_free_targets(recipe: Recipe, name: str) -> None:
    """Require the logistic loss with the targets 1 and 0, so that what is added to it changes them.

    Raises:
        InputError: another loss, or the recipe has settings for its targets.
    """
    discriminators_of(recipe, name)
    require_objective(recipe, name, "logistic")
    if "real_label" in recipe.config.names():
        raise InputError(
            f"--stabilise {name} changes the labels of the loss, and {type(recipe).__name__} has settings for them: "
            "give --real-label and --fake-label."
        )


def weight_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Return the dense and convolutional layers of a network by their places in it, in order."""
    kinds = nn.Linear | nn.modules.conv._ConvNd
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}


def logit_layer(network: nn.Module) -> str | None:
    """Return the place of the last dense or convolutional layer that samples pass on their way to a network's logit.

    That is the last one, or what the network names as `logit_layer` where others follow. None where it has none.
    """
    named = getattr(network, "logit_layer", None)
    return named if named is not None else next(reversed(weight_layers(network)), None)


def outputs_logits(network: nn.Module) -> bool:
    """Whether a network names the layer of its logit, or its last layer has one output, as far as there is one."""
    if getattr(network, "logit_layer", None) is not None:
        return True
    last: Any = next(reversed(weight_layers(network).values()), None)
    return last is None or getattr(last, "out_features", getattr(last, "out_channels", 1)) == 1


def first_output(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Return a discriminator's logits, the first of its outputs if it has several."""
    return output if isinstance(output, Tensor) else output[0]


def require_separate_logits(recipe: Recipe, name: str) -> None:
    """Require discriminators that output logits, each of one sample alone, so that a gradient is each sample's.

    Raises:
        InputError: one has batch norm, or outputs features.
    """
    for network in discriminators_of(recipe, name):
        require_logits(recipe, network, name)
        if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules()):
            settings = {"discriminator_norm", "critic_norm"} & {*recipe.config.names()}
            way = "".join(f"give {flag(each)} none, or " for each in settings)
            raise InputError(
                f"--stabilise {name} needs each logit to be of one sample, and the discriminator of "
                f"{type(recipe).__name__} has batch norm: {way}leave it out."
            )


def require_logits(recipe: Recipe, network: nn.Module, name: str) -> None:
    """Require that a discriminator outputs logits.

    Raises:
        InputError: it outputs features.
    """
    if not outputs_logits(network):
        raise InputError(
            f"--stabilise {name} needs a discriminator that outputs logits, and that of {type(recipe).__name__} "
            "outputs features: leave it out."
        )
