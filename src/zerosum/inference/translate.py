"""A trained model that translates, put to use on image files: each result has its source's name and size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from zerosum.data.batch import to_float, to_uint8
from zerosum.data.packing.bit_depth import range_of_side
from zerosum.data.packing.decode import PixelFormat, reason, to_plain, with_channels
from zerosum.data.packing.open_image import no_bombs, open_image, upright
from zerosum.data.packing.scan import Scan, attempt, profile_notes, survey
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.image_files import write_picture
from zerosum.inference.opacity import without_opacity
from zerosum.media.image_grid import MODES
from zerosum.runtime import rng
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores
from zerosum.tasks import Inpainter, TranslationRecipe, controls_of, require_known
from zerosum.text import counted

Size = Literal["trained", "own"]


@dataclass(frozen=True, kw_only=True)
class Translated:
    """What came of translating files."""

    written: tuple[Path, ...]
    problems: dict[str, str]
    """Why a file could not be translated, by its name: the end of the sentence "a.png ..."."""
    notes: tuple[str, ...]
    """What was done to the images on the way, one sentence each."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An image ready for the network."""

    name: str
    plain: Image.Image
    """Upright, at its own size: L, LA, RGB or RGBA."""
    pixels: Tensor
    """(C', H', W') uint8, at the network's size."""


def translate(recipe: TranslationRecipe, images: Tensor, *, batch: int, seed: int, chosen: Mapping[str, Any]) -> Tensor:
    """Translate (N, C', H, W) images in [-1, 1], `batch` at a time: (N, C, ...) on the CPU, in [-1, 1].

    Raises:
        InputError: a control that the recipe does not have, or images of a size that it cannot take.
    """
    require_known(chosen, controls_of(recipe.translate))
    with rng.fork(recipe.device, seed=seed), torch.no_grad():
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
) -> Translated:
    """Translate image files, a batch at a time, into files of the same sizes.

    Opacity does not go through the network: it is taken off (`without_opacity`), and put back on the result. Numbers
    wider than 8 bits are read as in training, and the result has 8; the notes say so.

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
        progress: told how many are done.

    Raises:
        InputError: a control that the recipe does not have, or a kind of file that cannot hold the result.
        StorageError: the disk refuses.
    """
    require_pictures(recipe)
    with no_bombs():
        found = survey(files, progress, smallest=1, range=range_of_side(recipe.spec.range, 0), choose=False)
        problems, written = dict(found.problems), []
        channels, height, width = recipe.spec.source_shape or recipe.spec.shape
        plan = PixelFormat(height=height, width=width, channels=channels, scales=found.scales)
        for loaded in _batches(files, tuple(found.facts), plan, size, batch, problems):
            made = _through(recipe, [image.pixels for image in loaded], seed=seed, batch=batch, chosen=chosen)
            for image, result in zip(loaded, made, strict=True):
                written.append(write_picture(finished(recipe, image.plain, result), targets[image.name]))
            if progress is not None:
                progress("translate", len(written), len(found.facts))
    return Translated(written=tuple(written), problems=problems, notes=notes_on(found))


def notes_on(found: Scan) -> tuple[str, ...]:
    """Say what is done to images before a network sees them."""
    high = sum(fact.bits == 16 and fact.wide is None for fact in found.facts.values())
    profiles = Counter(fact.profile for fact in found.facts.values())
    several = sum(fact.frames > 1 for fact in found.facts.values())
    kinds = {fact.wide or "byte" for fact in found.facts.values()}
    alone = Counter(fact.wide for fact in found.facts.values() if fact.wide and fact.wide not in found.scales)
    called = {"integer": "16-bit numbers", "float": "Floating-point numbers"}
    return (
        *dict.fromkeys(scale.sentence for kind, scale in found.scales.items() if kind in kinds),
        *(
            f"{called[kind]} are reduced to 8 bits, each image on a range of its own: {counted(number, 'image')}."
            for kind, number in alone.items()
        ),
        *([f"16 bits in each of several channels reduced to 8: {counted(high, 'image')}."] if high else []),
        *profile_notes(profiles["converted"], profiles["unusable"]),
        *([f"Several frames or pages, of which the first is used: {counted(several, 'file')}."] if several else []),
    )


def _batches(
    files: ImageFiles, names: Sequence[str], plan: PixelFormat, size: Size, batch: int, problems: dict[str, str]
) -> Iterator[list[Loaded]]:
    """Load images in order, at most `batch` at a time and all of one size; note what goes wrong in `problems`."""
    load: Callable[[str], Any] = attempt(files, partial(load_picture, plan=plan, size=size))
    loaded = zip(names, on_all_cores(load, names, window=max(2, batch)), strict=True)

    def usable() -> Iterator[Loaded]:
        for name, result in loaded:
            if isinstance(result, Exception):
                problems[name] = reason(result)
            else:
                yield Loaded(name=name, plain=result[0], pixels=result[1])

    for _, alike in groupby(usable(), key=lambda image: image.pixels.shape):
        gathered: list[Loaded] = []
        for image in alike:
            gathered.append(image)
            if len(gathered) == batch:
                yield gathered
                gathered = []
        if gathered:
            yield gathered


def load_picture(file: BinaryIO, *, plan: PixelFormat, size: Size) -> tuple[Image.Image, Tensor]:
    """Decode an image: upright at its own size, and as the (C', H', W') uint8 that the network sees."""
    with open_image(file) as image:
        image.load()
        plain = to_plain(upright(image), plan)
    shown = with_channels(without_opacity(plain) if plan.channels in (1, 3) else plain, plan.channels)
    if size == "trained" and shown.size != (plan.width, plan.height):
        shown = shown.resize((plan.width, plan.height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.array(shown).reshape(shown.height, shown.width, plan.channels)
    return plain, torch.from_numpy(pixels).permute(2, 0, 1)


def _through(recipe: TranslationRecipe, images: list[Tensor], **how: Any) -> Tensor:
    """Run uint8 images (C', H, W) through the network, edges mirrored to a size it takes: (N, C, H, W) uint8."""
    stack = to_float(torch.stack(images))
    height, width = stack.shape[2:]
    below, beside = (max(recipe.min_size - side, -side % recipe.size_multiple) for side in (height, width))
    if below or beside:
        mode = "reflect" if below < height and beside < width else "replicate"
        stack = pad(stack, (0, beside, 0, below), mode=mode)
    made = translate(recipe, stack, **how)
    factor = made.shape[2] // stack.shape[2]
    return to_uint8(made[:, :, : factor * height, : factor * width])


def finished(recipe: TranslationRecipe, plain: Image.Image, result: Tensor) -> Image.Image:
    """Bring a result (C, H, W) to its source's size, times the factor by which the recipe enlarges, and opacity."""
    given = recipe.spec.source_shape or recipe.spec.shape
    factor = recipe.spec.shape[1] // given[1]
    size = (factor * plain.width, factor * plain.height)
    pixels = result.permute(1, 2, 0).numpy()
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    if plain.mode in ("LA", "RGBA") and image.mode in ("L", "RGB"):
        image.putalpha(plain.getchannel("A").resize(size, Image.Resampling.LANCZOS))
    return image


def require_pictures(recipe: TranslationRecipe | Inpainter) -> None:
    """See that what the recipe takes and makes are images that files can hold.

    Raises:
        InputError: they have more than 4 channels.
    """
    for channels in (recipe.spec.shape[0], (recipe.spec.source_shape or recipe.spec.shape)[0]):
        if channels not in MODES:
            raise InputError(f"This run's images have {channels} channels, which no image file holds: use Python.")
