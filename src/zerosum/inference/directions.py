"""Directions in which samples change most: principal components of a generator's first activations, in its latents.

Source: Härkönen et al. 2020, GANSpace, section 2 (https://arxiv.org/abs/2004.02546): the components of a layer's
activations over many latents, regressed back to the latents; of a network with a mapping, the components of its styles.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from zerosum.errors import InputError, StorageError
from zerosum.features.extractor import identity_of
from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import CHUNK, SAMPLES, draw_labels
from zerosum.inference.latents import draw_latents, has_styles, map_latents
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing
from zerosum.tasks import GenerativeRecipe, condition, require_latents

LATENTS = 2000
MOST = 20
"""Directions that are kept."""

COLUMNS = 7
"""Samples along a direction, the middle one where it starts."""


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Principal components, the largest first."""

    moves: Tensor
    """(K, Z), or (K, S) of styles: by how much to move for one standard deviation of each component."""

    explained: Tensor
    """(K,): share of the variance."""


def directions(recipe: Recipe, *, label: str | int | None, seed: int, folder: Path) -> Directions:
    """Return the directions of a model, from a file in a folder where they were computed before.

    Args:
        recipe: in evaluation mode.
        label: of all samples, where the model has labels; by default the one that `seed` draws.
        seed: of that label; the latents are always the same ones.
        folder: where the file is kept, named by the digest of the weights and the label.

    Raises:
        InputError: the recipe has no latents or no such label.
    """
    model = require_latents(recipe)
    one = _label(model, label, seed)
    key = identity_of(dict(model.state_dict()), type(model).__name__, LATENTS, None if one is None else one.tolist())
    path = folder / f"{key}.safetensors"
    try:
        return Directions(**safetensors.torch.load_file(path))
    except (OSError, SafetensorError, TypeError):  # not there, or damaged
        found = compute_directions(model, one)
    try:
        with replacing(path) as partial:
            partial.write_bytes(safetensors.torch.save(vars(found)))
    except StorageError as error:
        logging.getLogger("zerosum").warning(error)
    return found


def compute_directions(model: GenerativeRecipe, label: Tensor | None) -> Directions:
    """Compute the directions of a model for a label () or (A,): at most 20, and no more than a latent has values."""
    with rng.fork(model.device, seed=rng.derived(0, "directions")), torch.no_grad():
        latents = torch.cat([model.prior(CHUNK) for _ in range(LATENTS // CHUNK)])
        features = _styles(model, latents, label) if has_styles(model) else _first_activations(model, latents, label)
    features, latents = features.double().cpu(), latents.double().cpu()
    features = features - features.mean(0)
    scores, explained = _components(features)
    count = min(MOST, latents.shape[1], len(explained))
    back = features if has_styles(model) else latents - latents.mean(0)
    moves = scores[:, :count].T @ back / len(back)
    largest = moves.gather(1, moves.abs().argmax(1, keepdim=True))
    moves = moves * torch.where(largest < 0, -1.0, 1.0)  # which end is which is arbitrary, and the same every time
    return Directions(moves=moves.float().contiguous(), explained=explained[:count].float().contiguous())


def along(
    recipe: Recipe, found: Directions, number: int, *, rows: int, strength: float, seed: int, chosen: Mapping[str, Any]
) -> Tensor:
    """Generate rows of seven samples from -strength to strength standard deviations along one direction.

    Args:
        recipe: in evaluation mode.
        found: its directions.
        number: which of them, from 1.
        rows: samples that are moved, the first ones of the seed.
        strength: how far, in standard deviations of the component.
        seed: of the latents, and of the label, one for all, where none is chosen.
        chosen: controls of the recipe's `sample`; of a recipe with styles `label` alone.

    Returns:
        (rows * 7, *shape) in [-1, 1] on the CPU, row after row.

    Raises:
        InputError: there is no such direction, a strength beyond float32, or a control that does not apply.
    """
    model = require_latents(recipe)
    require_known(chosen, controls(recipe))
    if not 1 <= number <= len(found.moves):
        raise InputError(f"--direction is {number}, and this model has directions 1 to {len(found.moves)}.")
    if strength > torch.finfo(torch.float32).max:
        raise InputError(f"--strength is {strength:g}, by which no latent can be moved: give less, such as 2.")
    steps = torch.linspace(-strength, strength, COLUMNS)[:, None] * found.moves[number - 1]
    with rng.fork(model.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        latents = torch.cat([draw_latents(model, CHUNK, chosen) for _ in range(-(-rows // CHUNK))])[:rows].cpu()
        if not has_styles(model):
            moved = (latents[:, None] + steps).flatten(0, 1)
            return map_latents(model, moved, seed=seed, chosen=chosen)
        if left := [name for name in chosen if name != "label"]:
            raise InputError(f"--direction moves the styles of this model as they are: leave out --{left[0]}.")
        styles = _styles(model, latents.to(model.device), _label(model, chosen.get("label"), seed)).cpu()
        moved = (styles[:, None] + steps).flatten(0, 1)
        pieces = [model.synthesis(piece.to(model.device)) for piece in moved.split(CHUNK)]  # type: ignore[operator]
        return torch.cat([piece.float().cpu() for piece in pieces])


def _components(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the whitened scores (N, K) of centred features (N, F), and the shares of variance (K,)."""
    n, width = features.shape
    if width < n:
        values, vectors = torch.linalg.eigh(features.T @ features / n)
        scores = features @ vectors
    else:
        values, scores = torch.linalg.eigh(features @ features.T / n)
    order = values.argsort(descending=True)
    values, scores = values[order].clamp(min=0), scores[:, order]
    kept = values > 1e-9 * values.sum()
    scores = scores[:, kept]
    return scores / scores.square().mean(0).sqrt(), (values / values.sum())[kept]


def _styles(model: GenerativeRecipe, latents: Tensor, label: Tensor | None) -> Tensor:
    labels = None if label is None else label.to(model.device).expand(len(latents), *label.shape)
    return model.mapping(latents, labels)  # type: ignore[operator]


class _ReachedError(Exception):
    """The first layer has been computed, and the rest is not needed."""


def _first_activations(model: GenerativeRecipe, latents: Tensor, label: Tensor | None) -> Tensor:
    """Compute what the first dense or convolutional layer makes of latents (N, Z): (N, F)."""
    given = {} if label is None else {"labels": label.expand(CHUNK, *label.shape)}
    model.sample(CHUNK, latent=latents[:CHUNK], **given)  # what a recipe prepares once does not count
    reached: list[Tensor] = []

    def stop(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        reached.append(output.flatten(1))
        raise _ReachedError

    hooks = [module.register_forward_hook(stop) for module in model.modules() if _is_layer(module)]
    try:
        for piece in latents.split(CHUNK):
            try:
                model.sample(CHUNK, latent=piece, **given)
            except _ReachedError:
                continue
            raise InputError("This model's generator has no dense or convolutional layer, so it has no directions.")
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(reached)


def _is_layer(module: nn.Module) -> bool:
    """Whether a module is a dense or convolutional layer: one with a matrix of weights, and no table of rows."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim >= 2 and not isinstance(module, nn.Embedding)


def _label(model: GenerativeRecipe, label: str | int | None, seed: int) -> Tensor | None:
    """Return the label of all samples, () or (A,); None for a model without."""
    if not model.takes_labels:
        return None
    return draw_labels(model.spec, 1, seed)[0] if label is None else condition(model.spec, label)
