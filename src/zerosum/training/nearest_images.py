"""A sheet of samples beside their nearest training images, written when a run ends."""

from __future__ import annotations

import json

import numpy as np

from zerosum import kinds
from zerosum.data.batch import to_float
from zerosum.data.dataset import SampleDataset
from zerosum.inference.generate import generate
from zerosum.media import image_grid
from zerosum.metrics.nearest_images import nearest
from zerosum.recipe import Recipe
from zerosum.run.directory import Run
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing


def write_nearest(run: Run, recipe: Recipe, dataset: SampleDataset, *, seed: int, n: int = 12, k: int = 4) -> None:
    """Write samples beside their nearest training images (mean absolute difference) into the run, and the distances.

    For scale, the same is measured from n training images to the rest: samples much nearer than that are copies.
    Searches at most 50,000 training images, chosen at random.
    """
    kind = kinds.find(recipe.spec.kind)
    if recipe.task.given != "nothing" or kind.draw_neighbours is None:
        return
    chosen = np.random.default_rng(rng.derived(seed, "nearest images")).permutation(len(dataset))[:50_000]
    own, rest = chosen[:n], np.sort(chosen[n:])
    if len(rest) < k:
        return
    samples = generate(recipe, n, seed)
    places, distances = nearest(samples, map(to_float, dataset.chunks(rest)), k=k)
    neighbours = to_float(dataset.real(rest[places.flatten().numpy()])).unflatten(0, (n, k))
    sheet = kind.draw_neighbours(samples, neighbours)
    image_grid.write_png(sheet, run.path / "samples" / "nearest.png", {"seed": str(seed)})
    _, apart = nearest(to_float(dataset.real(own)), map(to_float, dataset.chunks(rest)), k=1)
    found = {
        "samples": [{"distance": d} for d in distances[:, 0].tolist()],
        "training": [{"distance": d} for d in apart[:, 0].tolist()],
        "searched": len(rest),
    }
    with replacing(run.path / "samples" / "nearest.json") as partial:
        partial.write_text(json.dumps(found, indent=2), encoding="utf-8")
