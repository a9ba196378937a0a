"""Samples of every class in one picture, from the same latents for each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum import kinds
from zerosum.errors import InputError
from zerosum.inference.controls import controls, require_known
from zerosum.inference.generate import CHUNK, SAMPLES, draws_latents_alone, generate
from zerosum.inference.sample import escaped
from zerosum.media import image_grid
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.tasks import condition, require_latents
from zerosum.text import counted, listed

ROWS = 16
"""Classes up to which each has a row of the picture, and samples of each by default; more classes have fewer each."""
BLOCK_GAP = 8
"""Pixels between blocks of rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassGrid:
    """As many samples of each class, or of each attribute alone."""

    samples: Tensor
    """(K * n, *shape) in [-1, 1] on the CPU, class after class."""

    names: tuple[str, ...]
    """Of the K classes."""

    @property
    def each(self) -> int:
        """Samples of a class: n."""
        return len(self.samples) // len(self.names)

    @property
    def rows(self) -> int:
        """Classes below each other; of many, in blocks side by side that make the picture about square."""
        count = len(self.names)
        return count if count <= ROWS else math.ceil(count / max(1, round(math.sqrt(count / self.each))))

    def described(self) -> str:
        """Say what is where."""
        where = "the top"
        if self.rows < len(self.names):
            where += (
                f" of each of {-(-len(self.names) // self.rows)} blocks of {self.rows} rows, and blocks from the left"
            )
        return f"{counted(len(self.names), 'row')} of {self.each}, from {where}: {listed(self.names, most=100)}"

    def write(self, out: Path, metadata: Mapping[str, str]) -> Path:
        """Write it as one picture, with the names in its metadata.

        Raises:
            StorageError: the disk refuses.
        """
        blocks = [image_grid.grid(block, columns=self.each) for block in self.samples.split(self.rows * self.each)]
        picture = image_grid.beside(blocks, gap=BLOCK_GAP)
        image_grid.write_png(picture, out, escaped({**metadata, "rows": ", ".join(self.names)}))
        return out


def class_grid(recipe: Recipe, *, n: int | None, seed: int, chosen: Mapping[str, Any]) -> ClassGrid:
    """Generate samples for each class, or each attribute alone, from the same latents.

    Those of class k are what `generate` makes of the same seed with the label k.

    Args:
        recipe: in evaluation mode.
        n: samples of each; by default 16, of more than 16 classes 256 in all, and at least 1 of each.
        seed: of the latents.
        chosen: controls of the recipe's `sample`.

    Raises:
        InputError: the recipe generates without labels, the samples are no images, or a label is chosen.
    """
    names = recipe.spec.classes or recipe.spec.attributes
    if not recipe.takes_labels:
        raise InputError("--grid classes needs a model that generates for labels, and this one does not: leave it out.")
    if not (kind := kinds.find(recipe.spec.kind)).pictures:
        raise InputError(f"--grid classes is of images, and this model makes {kind.unit}: leave it out.")
    if "label" in chosen:
        raise InputError(
            f"--grid classes shows every class, and --label is {chosen['label']}: leave out one of the two."
        )
    require_known(chosen, controls(recipe))
    each = n or max(1, min(ROWS, ROWS * ROWS // len(names)))
    if draws_latents_alone(recipe, CHUNK, lambda _: recipe.sample(CHUNK, **{**chosen, "label": 0})):
        return ClassGrid(samples=_at_the_same_latents(recipe, each, seed, chosen), names=names)
    rows = [generate(recipe, each, seed, controls={**chosen, "label": number}) for number in range(len(names))]
    return ClassGrid(samples=torch.cat(rows), names=names)


def _at_the_same_latents(recipe: Recipe, each: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Generate for several classes at once: of a chunk for one class, few samples may be wanted."""
    model = require_latents(recipe)
    spec = model.spec
    labels = torch.stack([condition(spec, number) for number in range(spec.label_width)])
    with rng.fork(model.device, seed=rng.derived(seed, SAMPLES)), torch.no_grad():
        drawn = torch.cat([model.prior(CHUNK) for _ in range(-(-each // CHUNK))])[:each]
        latents = drawn.repeat(len(labels), 1)
        wanted = labels.repeat_interleave(each, dim=0)
        pieces = zip(latents.split(CHUNK), wanted.split(CHUNK), strict=True)
        made = [model.sample(len(z), **chosen, latent=z, labels=label).float().cpu() for z, label in pieces]
    return torch.cat(made)
