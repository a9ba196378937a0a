"""Generated samples, in chunks: the same for the same seed, made by one process or shared by several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.controls import controls as controls_of_recipe
from zerosum.inference.controls import require_known
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import draw_conditions, has_latents, require_latents

CHUNK = 16
"""Samples generated at once. Always whole chunks, so that a seed's first samples are the same however many follow."""

SAMPLES = "samples"
"""The purpose of a seed that latents are drawn by."""

TRANSLATED = 8
"""Images translated at once."""


def generate(
    recipe: Recipe, n: int, seed: int, *, controls: Mapping[str, Any] | None = None, chunk: int = CHUNK
) -> Tensor:
    """Generate (n, *shape) samples in [-1, 1], or in the data's units, on the CPU: those that `stream` yields.

    Raises:
        InputError: a control that the recipe does not have, or a value it refuses.
    """
    return torch.cat(list(stream(recipe, n, seed, controls=controls, chunk=chunk)))[:n]


def stream(
    recipe: Recipe,
    n: int,
    seed: int,
    *,
    controls: Mapping[str, Any] | None = None,
    chunk: int = CHUNK,
    rank: int = 0,
    world: int = 1,
) -> Iterator[Tensor]:
    """Yield n samples, up to `chunk` - 1 more, in float32 on the CPU, the same for the same seed on a CPU.

    The random state is the caller's again whenever a chunk is yielded.

    Args:
        recipe: in evaluation mode.
        n: samples altogether.
        seed: of the latents, and of the labels of a recipe whose `sample` takes them: these are drawn by the shares of
            the training data unless `controls` say which.
        controls: keywords of the recipe's `sample` that a person chose.
        chunk: samples generated at once: (chunk, *shape) each.
        rank: number of this process among those that share the work.
        world: how many they are. This one yields chunks rank, rank + world, ...: those that one process would make.

    Raises:
        InputError: a control that the recipe does not have, or a value it refuses.
    """
    chosen = dict(controls or {})
    require_known(chosen, controls_of_recipe(recipe))
    count = -(-n // chunk)
    drawn = recipe.takes_labels and "label" not in chosen
    labels = draw_labels(recipe.spec, count * chunk, seed).split(chunk) if drawn else ()

    def sample(index: int) -> Tensor:
        given = {"labels": labels[index]} if drawn else {}
        return recipe.sample(chunk, **chosen, **given).float().cpu()

    began = rng.derived(seed, SAMPLES)
    skipping = world > 1 and draws_latents_alone(recipe, chunk, sample)
    state = None
    for index in range(count):
        mine = index % world == rank
        with rng.fork(recipe.device, seed=began if state is None else None), torch.no_grad():
            if state is not None:
                rng.set_state(state, recipe.device)
            samples = require_latents(recipe).prior(chunk) if skipping and not mine else sample(index)
            state = rng.state(recipe.device)
        if mine:
            yield samples


def draw_labels(spec: Spec, n: int, seed: int) -> Tensor:
    """Draw (n,) int64 labels, or (n, A) attributes, by the shares of the training data, on a generator of their own.

    A seed's first labels are the same however many follow.

    >>> draw_labels(Spec(shape=(2,), classes=("cat", "dog"), class_counts=(0, 9)), 4, 0)
    tensor([1, 1, 1, 1])
    """
    generator = torch.Generator().manual_seed(rng.derived(seed, "labels"))
    return draw_conditions(spec, n, partial(torch.rand, dtype=torch.float64, generator=generator))


def translate(
    recipe: Recipe, dataset: Dataset, rows: np.ndarray, seed: int, *, rank: int = 0, world: int = 1
) -> Iterator[Tensor]:
    """Yield translations of the sources at (N,) rows of pairs or domains, 8 at once, in float32 on the CPU.

    Args:
        recipe: in evaluation mode.
        dataset: whose sources are translated.
        rows: which of them; where sources do not belong to results, of the results, and as many sources are drawn,
            none twice while there are others.
        seed: of each chunk's random state, which its place decides too.
        rank: number of this process among those that share the work, as for `stream`.
        world: how many they are.
    """
    drawn = (rows,) if len(dataset.lengths) == 1 else (_sources(dataset.lengths[0], len(rows), seed), rows)
    for start in range(rank * TRANSLATED, len(rows), world * TRANSLATED):
        batch = dataset.batch(*(each[start : start + TRANSLATED] for each in drawn)).to(recipe.device)
        with rng.fork(recipe.device, seed=rng.derived(seed, f"translations from {start}")), torch.no_grad():
            made, _ = recipe.fake_and_real(batch)
        yield made.float().cpu()


def finished(spec: Spec, samples: Tensor) -> Tensor:
    """Bring generated samples (N, *shape) of a spec to the form of real ones: images to uint8, points as they are.

    Raises:
        InputError: A sample is not finite.
    """
    if not bool(samples.isfinite().all()):
        raise InputError(
            "The samples hold values that are not finite numbers, so there is nothing to evaluate: train anew, with a "
            "lower learning rate or --precision float32."
        )
    return kinds.find(spec.kind).finished(samples, spec)


def _sources(count: int, n: int, seed: int) -> np.ndarray:
    """Draw n of `count` sources, all of them before any comes again: (n,)."""
    return np.resize(np.random.default_rng(seed).permutation(count), n)


def draws_latents_alone(recipe: Recipe, chunk: int, sample: Callable[[int], Tensor]) -> bool:
    """Whether sampling leaves the random state where `prior` does, so that drawing latents alone skips a chunk.

    Args:
        recipe: in evaluation mode.
        chunk: samples that are generated at once.
        sample: generates a chunk, by its number.
    """
    if not has_latents(recipe):
        return False
    states = []
    for draw in (lambda: sample(0), lambda: require_latents(recipe).prior(chunk)):
        with rng.fork(recipe.device, seed=0), torch.no_grad():
            draw()
            states.append(rng.state(recipe.device))
    return all(torch.equal(value, states[1][name]) for name, value in states[0].items())
