"""Samples at latents that a person chose: sums and differences of those of seeds, or ones kept in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from zerosum.errors import InputError
from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import CHUNK, SAMPLES, draw_labels
from zerosum.latent import slerp
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing
from zerosum.tasks import GenerativeRecipe, require_latents


def sample_at(recipe: Recipe, latents: Tensor, *, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Generate (N, *shape) samples in [-1, 1] at latents (N, Z), on the CPU.

    Args:
        recipe: in evaluation mode.
        latents: (N, Z).
        seed: of all that is random beside the latents, and of the label, one for all, where none is chosen.
        chosen: controls of the recipe's `sample`; one that changes how latents are drawn is of no use to given ones.

    Raises:
        InputError: the recipe has no latents, or no such control.
    """
    model = require_latents(recipe)
    require_known(chosen, controls(recipe))
    with rng.fork(recipe.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        return map_latents(model, latents, seed=seed, chosen=chosen)


def map_latents(model: GenerativeRecipe, latents: Tensor, *, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Do what `sample_at` does, in the random state at hand."""
    label = draw_labels(model.spec, 1, seed) if model.takes_labels and "label" not in chosen else None
    made = []
    for piece in latents.split(CHUNK):
        labels = {} if label is None else {"labels": label.expand(len(piece), *label.shape[1:])}
        made.append(model.sample(len(piece), latent=piece, **chosen, **labels).float().cpu())
    return torch.cat(made)


def has_styles(model: GenerativeRecipe) -> bool:
    """Whether a recipe has `mapping(latents, labels)` to styles (N, S), and `synthesis(styles)` to samples."""
    return all(callable(getattr(model, name, None)) for name in ("mapping", "synthesis"))


def truncates_latents(model: GenerativeRecipe, chosen: Mapping[str, Any]) -> bool:
    """Whether the control `truncation` is chosen, and bounds the latents of a recipe as they are drawn."""
    return model.latent_bound(chosen) is not None and not has_styles(model)


def draw_latents(model: GenerativeRecipe, n: int, chosen: Mapping[str, Any]) -> Tensor:
    """Draw (n, Z) latents as `sample` does with these controls: truncated where that is chosen."""
    if truncates_latents(model, chosen):
        return cast(Any, model).latents(n, None, model.latent_bound(chosen))
    return model.prior(n)


def latent_of_seed(recipe: Recipe, seed: int) -> Tensor:
    """Return the latent (1, Z) of the first sample that a seed makes."""
    with rng.fork(recipe.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        return require_latents(recipe).prior(CHUNK)[:1].cpu()


def combined(recipe: Recipe, expression: str) -> Tensor:
    """Return the latent (1, Z) of sums and differences of those of seeds, such as "3-7+12".

    With a normal prior, the sum of several is rescaled to the prior's root mean square norm, sqrt(Z), about which its
    draws lie; with another prior it stays as it is.

    Source: Radford et al. 2016, section 6.3.2 (https://arxiv.org/abs/1511.06434)

    Raises:
        InputError: it is no such expression, it comes to nothing, or the recipe has no latents.
    """
    model = require_latents(recipe)
    terms = parse_terms(expression)
    total = torch.stack([sign * latent_of_seed(model, seed) for sign, seed in terms]).sum(0)
    if len(terms) == 1 or not has_normal_prior(model):
        return total
    if float(total.norm()) < 1e-6:
        raise InputError(f"--latent {expression} comes to nothing: give seeds that do not cancel each other.")
    return normalize(total, dim=1) * total.shape[1] ** 0.5


def has_normal_prior(model: GenerativeRecipe) -> bool:
    """Whether latents are drawn from a normal distribution, between whose draws one goes along great circles."""
    return model.between is slerp


def parse_terms(expression: str) -> list[tuple[int, int]]:
    """Read (sign, seed) of each term.

    >>> parse_terms("3-7 + 12")
    [(1, 3), (-1, 7), (1, 12)]

    Raises:
        InputError: it is something else.
    """
    plain = "".join(expression.split())
    if not re.fullmatch(r"[+-]?[0-9]{1,18}([+-][0-9]{1,18})*", plain):
        raise InputError(f"--latent is {expression}, and seeds with + and - between are expected, such as 3-7+12.")
    return [(-1 if sign == "-" else 1, int(seed)) for sign, seed in re.findall(r"([+-]?)([0-9]+)", plain)]


def write_latent(latent: Tensor, path: Path) -> Path:
    """Write latents (N, Z) as .npy, float32.

    Raises:
        StorageError: the disk refuses.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        np.save(file, latent.detach().float().cpu().numpy(), allow_pickle=False)
    return path


def read_latents(path: Path, recipe: Recipe) -> Tensor:
    """Read latents (N, Z) of a recipe from a .npy file.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    width = latent_of_seed(recipe, 0).shape[1]
    wanted = f"a .npy of (N, {width}) latents of this model, as zerosum invert writes"
    if not path.is_file():
        what = "is no file" if path.exists() else "is not there"
        raise InputError(f"--latent-file {path} {what}: give {wanted}.")
    try:
        found = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, BadZipFile):  # numpy's words on it are of pickles
        raise InputError(f"--latent-file {path} is no .npy of numbers: give {wanted}.") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.shape[1:] != (width,) or not len(found):
        held = f"{found.dtype} values of shape {found.shape}" if isinstance(found, np.ndarray) else "several arrays"
        raise InputError(f"--latent-file {path} holds {held}, and (N, {width}) latents are expected of this model.")
    with np.errstate(over="ignore"):
        values = found.astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"--latent-file {path} holds values that are not finite numbers.")
    return torch.from_numpy(values)
