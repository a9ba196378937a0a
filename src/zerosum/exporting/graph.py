"""Graphs of recipes: functions of tensors alone, all randomness among their inputs, by what a recipe is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from zerosum.data.masks import NUMBERS, masks
from zerosum.errors import InputError
from zerosum.exporting.inputs import Draw, Function, Graph, Input
from zerosum.exporting.sentences import painting
from zerosum.inference.controls import controls
from zerosum.inference.generate import draw_labels
from zerosum.latent import lerp
from zerosum.layers.dropout import Dropout, supplied
from zerosum.recipe import Recipe
from zerosum.tasks import (
    AGE,
    GENERATE,
    INPAINT,
    PAINT,
    TRANSLATE,
    UPSCALE,
    GenerativeRecipe,
    TranslationRecipe,
    require_latents,
)


def graphs(recipe: Recipe) -> tuple[Graph, ...]:
    """Return the graphs of a recipe in evaluation mode: one, or one for each choice of network.

    Raises:
        InputError: the recipe is for something that has no graph, or its samples have no latents.
    """
    if recipe.task.name not in BUILDERS:
        raise InputError(
            f"This run {recipe.task.does}, which an exported file cannot do. Type instead: {recipe.task.typed('RUN')}"
        )
    return BUILDERS[recipe.task.name](recipe)


def _generation(recipe: Recipe) -> tuple[Graph, ...]:
    model = require_latents(recipe)
    return (_styles(model) if hasattr(model, "synthesis") else _latents(model),)


def _latents(model: GenerativeRecipe) -> Graph:
    """Return the map from latents, and labels where there are some, to samples."""
    decode = model.decoder()

    def function(latent: Tensor, labels: Tensor | None = None) -> Tensor:
        return decode(latent, labels)

    inputs = (_latent(model), *_labels(model))
    return Graph(name="", module=Function(model, function), inputs=inputs, output="sample", free_size=False)


def _styles(model: Any) -> Graph:
    """Return the map of a recipe with styles, with truncation and mixing as inputs."""
    layers, average = model.generator.synthesis.layers, model.generator.mapping.average

    def function(
        latent: Tensor, beside: Tensor, mix: Tensor, truncation: Tensor, labels: Tensor | None = None
    ) -> Tensor:
        early, late = (model.mapping(one, labels)[:, None].expand(-1, layers, -1) for one in (latent, beside))
        styles = torch.where(torch.arange(layers)[None, :, None] < mix, early, late)
        return model.synthesis(lerp(average, styles, truncation))

    latent = _latent(model)
    inputs = (
        latent,
        Input(**{**vars(latent), "name": "beside", "meaning": "Latents whose styles the layers from `mix` on take."}),
        Input(
            name="mix",
            shape=(),
            draw=lambda n: torch.tensor(float(layers - 1)),
            batched=False,
            default=float(layers),
            meaning=f"Layer, counted from 1, from which on the styles are those of `beside`; {layers} for none.",
        ),
        Input(
            name="truncation",
            shape=(),
            draw=lambda n: torch.tensor(0.9),
            batched=False,
            default=1.0,
            meaning="How far styles lie from their mean, as a share: below 1, more typical samples of less variety.",
        ),
        *_labels(model),
    )
    return Graph(name="", module=Function(model, function), inputs=inputs, output="sample", free_size=False)


def _translations(recipe: Any) -> tuple[Graph, ...]:
    return tuple(_translation(recipe, name, chosen) for name, chosen in _choices(recipe))


def _translation(recipe: TranslationRecipe, name: str, chosen: dict[str, Any]) -> Graph:
    """Return the map from sources to results, the masks of dropout that also acts at use among its inputs."""
    shape = recipe.spec.source_shape or recipe.spec.shape
    noise = _noise(recipe, shape, chosen)

    def function(source: Tensor, *drawn: Tensor) -> Tensor:
        if not drawn:
            return recipe.translate(source, **chosen)
        with supplied(drawn):
            return recipe.translate(source, **chosen)

    free = not noise
    source = Input(
        name="source",
        shape=shape,
        draw=_images(shape),
        multiple=recipe.size_multiple if free else None,
        meaning="Images in [-1, 1].",
    )
    module = Function(recipe, function)
    return Graph(name=name, module=module, inputs=(source, *noise), output="result", free_size=free)


def _inpainting(recipe: Any) -> tuple[Graph, ...]:
    """Return the map from images and masks to images without holes."""
    shape = recipe.spec.shape
    image = Input(name="image", shape=shape, draw=_images(shape), meaning="Images in [-1, 1].")
    mask = Input(
        name="mask",
        shape=(1, *shape[1:]),
        draw=lambda n: masks("mixed", torch.rand(n, NUMBERS), (shape[1], shape[2])),
        meaning="1 where pixels are missing, 0 where they are known.",
    )
    module = Function(recipe, recipe.complete)
    return (Graph(name="", module=module, inputs=(image, mask), output="result", free_size=False),)


def _latent(model: GenerativeRecipe) -> Input:
    """Return the input for latents, drawn from the recipe's prior."""
    width = model.prior(2).shape[1]
    return Input(name="latent", shape=(width,), draw=model.prior, meaning="Latents, as the prior draws them.")


def _labels(model: GenerativeRecipe) -> tuple[Input, ...]:
    """Return the input for labels where the recipe takes them."""
    if not model.takes_labels:
        return ()
    spec = model.spec
    meaning = "1 for each attribute that a sample has." if spec.attributes else "Numbers of classes, from 0."
    shape = (len(spec.attributes),) if spec.attributes else ()
    return (Input(name="labels", shape=shape, draw=lambda n: draw_labels(spec, n, 0), integer=True, meaning=meaning),)


def _choices(recipe: TranslationRecipe) -> Sequence[tuple[str, dict[str, Any]]]:
    """List the choices that a recipe's controls leave, each with its name: one graph each."""
    choices: list[tuple[str, dict[str, Any]]] = [("", {})]
    for name, parameter in controls(recipe).items():
        if getattr(parameter.annotation, "__origin__", None) is Literal:
            choices = [
                ("-".join(filter(None, [title, str(value)])), {**chosen, name: value})
                for title, chosen in choices
                for value in get_args(parameter.annotation)
            ]
    return choices


def _noise(recipe: TranslationRecipe, shape: tuple[int, ...], chosen: dict[str, Any]) -> tuple[Input, ...]:
    """Return the masks of dropout that a translation draws, in order."""
    found: list[tuple[tuple[int, ...], float]] = []

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if isinstance(module, Dropout) and module.training and module.kept < 1:
            found.append((tuple(given[0].shape[1:]), module.kept))

    hooks = [part.register_forward_pre_hook(note) for part in recipe.modules() if isinstance(part, Dropout)]
    with torch.no_grad():
        recipe.translate(torch.zeros(1, *shape), **chosen)
    for hook in hooks:
        hook.remove()
    return tuple(
        Input(
            name=f"noise_{number}",
            shape=size,
            draw=partial(_kept, size=size, kept=kept),
            kept=kept,
            meaning=f"Mask of dropout: {1 / kept:g} with probability {kept:g}, else 0.",
        )
        for number, (size, kept) in enumerate(found, 1)
    )


def _kept(n: int, *, size: tuple[int, ...], kept: float) -> Tensor:
    return (torch.rand(n, *size) < kept).float() / kept


def _images(shape: tuple[int, ...]) -> Draw:
    return lambda n: torch.rand(n, *shape) * 2 - 1


BUILDERS: dict[str, Callable[[Any], tuple[Graph, ...]]] = {
    GENERATE.name: _generation,
    AGE.name: _generation,
    TRANSLATE.name: _translations,
    UPSCALE.name: _translations,
    INPAINT.name: _inpainting,
    PAINT.name: painting,
}
"""What makes the graphs of a recipe, by its task."""
