"""Image-to-image translation of files with a trained model: each result has its source's name and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from zerosum.data.batch import to_float, to_levels
from zerosum.data.sources.image_files import ImageFiles
from zerosum.inference.controls import controls_of, require_known
from zerosum.inference.image_files import ProcessedFiles, picture_loader, process_files, require_pictures
from zerosum.inference.pictures import Loaded, Size, finished
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import TranslationRecipe


def translate(recipe: TranslationRecipe, images: Tensor, *, batch: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Translate (N, C', H, W) images in [-1, 1], `batch` at a time: (N, C, ...) on the CPU, in [-1, 1].

    Raises:
        InputError: a control that the recipe does not have, or images of a size that it cannot take.
    """
    require_known(chosen, controls_of(recipe.translate))
    with rng.fork(recipe.device, seed=rng.derived(seed, "translations")), torch.no_grad():
        pieces = [recipe.translate(piece.to(recipe.device), **chosen).float().cpu() for piece in images.split(batch)]
    return torch.cat(pieces)


def translate_files(
    recipe: TranslationRecipe,
    files: ImageFiles,
    targets: Mapping[str, Path],
    *,
    size: Size = "trained",
    batch: int = 1,
    seed: int = 0,
    chosen: Mapping[str, Any],
    progress: ProgressCallback | None = None,
) -> ProcessedFiles:
    """Translate image files, a batch at a time, into files of the same sizes.

    Opacity does not go through the network: it is taken off (`without_opacity`), and put back on the result. Numbers
    wider than 8 bits are read as in training, and the result has the bits that the data had; the notes say so.

    Args:
        recipe: in evaluation mode.
        files: what to translate.
        targets: where each result goes, by the file's name.
        size: "trained" scales each image to the size the model was trained at, and the result back; "own" runs the
            network at the image's own size, the edges mirrored up to the next size that it can take and cut off again.
        batch: images at a time; fewer where their sizes differ and are kept. Above 1 what a recipe leaves to chance,
            and the last bits, depend on an image's neighbours.
        seed: start of the randomness, if the recipe has any.
        chosen: values of the recipe's controls.
        progress: called with how many are done.

    Raises:
        InputError: a control that the recipe does not have, or a kind of file that cannot hold the result.
        StorageError: the disk refuses.
    """
    require_pictures(recipe)
    require_known(chosen, controls_of(recipe.translate))
    spec = recipe.spec_for(chosen)

    def run(images: Sequence[Loaded]) -> Tensor:
        return _through(recipe, [image.pixels for image in images], seed=seed, batch=batch, chosen=chosen)

    def finish(image: Loaded, result: Tensor) -> Image.Image | np.ndarray:
        return finished(spec, image.plain, result)

    load = partial(picture_loader, files, spec, size=size)
    return process_files(spec, files, targets, load, run, finish, "translate", batch=batch, progress=progress)


def _through(recipe: TranslationRecipe, images: list[Tensor], **how: Any) -> Tensor:
    """Run images (C', H, W) of uint8 or uint16 through the network, edges mirrored to a size it takes: (N, C, H, W)."""
    stack = to_float(torch.stack(images))
    height, width = stack.shape[2:]
    below, beside = (max(recipe.min_size - side, -side % recipe.size_multiple) for side in (height, width))
    if below or beside:
        mode = "reflect" if below < height and beside < width else "replicate"
        stack = pad(stack, (0, beside, 0, below), mode=mode)
    made = translate(recipe, stack, **how)
    factor = made.shape[2] // stack.shape[2]
    return to_levels(made[:, :, : factor * height, : factor * width], recipe.spec.bits)
