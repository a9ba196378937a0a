"""Inpainting of image files with a trained model: pixels outside the hole stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import to_float, to_levels
from zerosum.data.packing.decode import PixelFormat, reason, with_channels
from zerosum.data.packing.open_image import Unusable
from zerosum.data.packing.scan import Scan, attempt, survey
from zerosum.data.packing.wide import resized, with_wide_channels
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError
from zerosum.inference.image_files import Load, ProcessedFiles, inputs_at, process_files, require_pictures
from zerosum.inference.opacity import without_opacity
from zerosum.inference.pictures import Loaded, load_picture
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.tasks import InpaintingRecipe
from zerosum.text import composed, counted, listed

WHITE = 128
"""The darkest gray of a mask that marks a pixel to fill."""
TOUCHED = 1 / 256
"""Weight of a hole's pixels in a scaled pixel from which on it is missing too: a level at most is theirs below."""


@dataclass(frozen=True, kw_only=True)
class Holed(Loaded):
    """An image with a hole, ready for the network."""

    hole: np.ndarray
    """(H, W) bool, at the image's own size."""
    mask: Tensor
    """(1, H', W') float, 1 wherever a pixel of the hole has a part."""


def complete(recipe: InpaintingRecipe, images: Tensor, mask: Tensor, *, batch: int = 8) -> Tensor:
    """Fill holes in (N, C, H, W) images in [-1, 1], `batch` at a time: (N, C, H, W) on the CPU, in [-1, 1].

    Args:
        recipe: in evaluation mode.
        images: what they hold in the holes makes no difference.
        mask: (N, 1, H, W), 1 where there is a hole.
        batch: images at a time.
    """
    pairs = zip(images.split(batch), mask.split(batch), strict=True)
    with torch.no_grad():
        return torch.cat([recipe.complete(*(side.to(recipe.device) for side in pair)).float().cpu() for pair in pairs])


def complete_files(
    recipe: InpaintingRecipe,
    files: ImageFiles,
    mask: Path,
    targets: Mapping[str, Path],
    *,
    batch: int = 1,
    progress: ProgressCallback | None = None,
) -> ProcessedFiles:
    """Fill holes in image files, a batch at a time, into files of the same sizes and channels.

    An image of another size than the model's is scaled to that, and what is made scaled back and put into the hole:
    known pixels and opacity are those of the image. Numbers wider than 8 bits are read as in training, and the result
    has the bits that the data had; the notes say so.

    Args:
        recipe: in evaluation mode.
        files: the images.
        mask: a file for all images, or a folder or .zip with one for each by its name, of their sizes: light pixels
            (128 of 255 or more) mark what to fill, dark and transparent ones what to keep.
        targets: where each result goes, by the image's name.
        batch: images at a time.
        progress: called with how many are done.

    Raises:
        InputError: masks are missing, unusable, of other sizes or in a result's place, or a kind of file that cannot
            hold the result.
        StorageError: the disk refuses.
    """
    require_pictures(recipe)
    masks = inputs_at(mask)
    _require_masks_stay(mask, masks, targets)

    def load(found: Scan) -> Load[Holed]:
        shapes, names = survey(masks, smallest=1, choose=False), tuple(found.facts)
        mask_of = dict.fromkeys(names, masks.names[0]) if _is_picture(mask) else _matched(names, masks)
        _require_equal_sizes(found, shapes, mask_of)
        channels, height, width = recipe.spec.shape
        plan = PixelFormat(height=height, width=width, channels=channels, scales=found.scales, bits=recipe.spec.bits)
        return _loader(files, masks, mask_of, plan, replace(plan, scales=shapes.scales, bits=8))

    def finish(image: Holed, made: Tensor) -> Image.Image | np.ndarray:
        return filled(image.plain, image.hole, made) if image.own is None else filled_wide(image.own, image.hole, made)

    run = partial(_through, recipe)
    return process_files(recipe.spec, files, targets, load, run, finish, "inpaint", batch=batch, progress=progress)


def read_hole(file: BinaryIO, plan: PixelFormat) -> np.ndarray:
    """Read a mask: (H, W) bool, true where it is light, of any kind of image; what is transparent is dark.

    Raises:
        Unusable: nothing in it is light, or everything.
    """
    mask = load_picture("", file, plan=plan, size="own").plain.convert("RGBA")
    light = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask).convert("L")
    hole = np.asarray(light) >= WHITE
    if not hole.any():
        raise Unusable("is black throughout: white (128 of 255 or lighter) marks what is to be filled")
    if hole.all():
        raise Unusable("is white throughout, which leaves nothing to go by: black marks what is known")
    return hole


def filled(plain: Image.Image, hole: np.ndarray, made: Tensor) -> Image.Image:
    """Put what was made, (C, H', W') uint8, into the hole of an image, whose other pixels and opacity stay."""
    pixels = made.permute(1, 2, 0).numpy()
    fill = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    fill = fill if fill.size == plain.size else fill.resize(plain.size, Image.Resampling.LANCZOS)
    bands = plain.getbands()
    result = np.array(plain).reshape(*hole.shape, len(bands))
    own = np.asarray(with_channels(fill, len(bands))).reshape(result.shape)
    kept = len(bands) - ("A" in bands and "A" not in fill.getbands())
    result[hole, :kept] = own[hole, :kept]
    return Image.fromarray(result[..., 0] if len(bands) == 1 else result)


def filled_wide(own: np.ndarray, hole: np.ndarray, made: Tensor) -> np.ndarray:
    """Put what was made, (C, H', W') uint16, into the hole of an image (H, W, bands) uint16, as `filled` does."""
    fill = made.permute(1, 2, 0).numpy()
    fill = fill if fill.shape[:2] == hole.shape else resized(fill, (hole.shape[0], hole.shape[1]))
    bands = own.shape[2]
    kept = bands - (bands in (2, 4) and fill.shape[2] in (1, 3))
    result = own.copy()
    result[hole, :kept] = with_wide_channels(fill, bands)[hole, :kept]
    return result


def _loader(
    files: ImageFiles, masks: ImageFiles, mask_of: Mapping[str, str], plan: PixelFormat, mask_plan: PixelFormat
) -> Load[Holed]:
    """Return what loads an image and its mask by the image's name, and returns what goes wrong."""
    read_mask = attempt(masks, partial(read_hole, plan=mask_plan))

    def load(name: str) -> Holed | Exception:
        hole = read_mask(mask_of[name])
        if isinstance(hole, Exception):
            return Unusable(f"has a mask that {reason(hole)}")
        return attempt(files, lambda file: _prepared(load_picture(name, file, plan=plan, size="own"), hole, plan))(name)

    return load


def _prepared(image: Loaded, hole: np.ndarray, plan: PixelFormat) -> Holed:
    """Scale an image and its hole alike, so that no pixel of the hole is taken for known."""
    if image.own is not None:
        return _prepared_wide(image, image.own, hole, plan)
    plain = image.plain
    size = (plan.width, plan.height)
    opaque = without_opacity(plain) if plan.channels in (1, 3) else plain
    shown, share = with_channels(opaque, plan.channels), Image.fromarray(hole.astype(np.float32))
    if plain.size != size:
        shown, share = (image.resize(size, Image.Resampling.BILINEAR) for image in (shown, share))
    pixels = torch.from_numpy(np.array(shown).reshape(plan.height, plan.width, plan.channels)).permute(2, 0, 1)
    mask = torch.from_numpy(np.array(share) > TOUCHED).float()[None]
    return Holed(name=image.name, plain=plain, pixels=pixels, hole=hole, mask=mask)


def _prepared_wide(image: Loaded, own: np.ndarray, hole: np.ndarray, plan: PixelFormat) -> Holed:
    """Do what `_prepared` does to an image of 16 bits."""
    pixels, share = image.pixels, Image.fromarray(hole.astype(np.float32))
    if hole.shape != (plan.height, plan.width):
        size = (plan.height, plan.width)
        scaled = resized(pixels.permute(1, 2, 0).numpy(), size, filter=Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(scaled).permute(2, 0, 1)
        share = share.resize((plan.width, plan.height), Image.Resampling.BILINEAR)
    mask = torch.from_numpy(np.array(share) > TOUCHED).float()[None]
    return Holed(name=image.name, plain=image.plain, pixels=pixels, own=own, hole=hole, mask=mask)


def _through(recipe: InpaintingRecipe, images: Sequence[Holed]) -> Tensor:
    """Run images through the network together: (N, C, H', W') of the data's bits."""
    pixels, mask = (torch.stack([getattr(image, side) for image in images]) for side in ("pixels", "mask"))
    return to_levels(complete(recipe, to_float(pixels), mask, batch=len(images)), recipe.spec.bits)


def _is_picture(path: Path) -> bool:
    """Whether a path is a single image, not a folder or an archive of some."""
    return path.is_file() and path.suffix.lower() != ".zip"


def _matched(names: Sequence[str], masks: ImageFiles) -> dict[str, str]:
    """Find the mask of every image: that of the same name whatever its ending."""
    by_stem: dict[PurePosixPath, str] = {}
    for name in masks.names:
        other = by_stem.setdefault(_stem(name), name)
        if other != name:
            raise InputError(f"{masks.root} has two masks of one name, {other} and {name}: remove one of them.")
    found = {name: by_stem.get(_stem(name)) for name in names}
    if missing := [name for name, mask in found.items() if mask is None]:
        raise InputError(
            f"{masks.root} has no mask for {counted(len(missing), 'image')}: {listed(missing)}; name each mask as its "
            "image, or give one mask file for all."
        )
    return {name: mask for name, mask in found.items() if mask is not None}


def _stem(name: str) -> PurePosixPath:
    return PurePosixPath(composed(name)).with_suffix("")


def _require_equal_sizes(found: Scan, shapes: Scan, mask_of: Mapping[str, str]) -> None:
    """Check that masks can be read, and have the sizes of their images."""
    unequal = []
    for name, mask in mask_of.items():
        if mask not in shapes.facts:
            raise InputError(f"The mask {mask} {shapes.problems[mask]}.")
        image, own = found.facts[name], shapes.facts[mask]
        if (image.height, image.width) != (own.height, own.width):
            unequal.append(f"{mask} is {own.height}x{own.width}, {name} {image.height}x{image.width}")
    if unequal:
        raise InputError(
            f"{counted(len(unequal), 'mask')} of another size than the image (height x width): "
            f"{listed(unequal, separator='; ')}; scale each mask to its image's size, or give --mask a folder of masks "
            "by the images' names."
        )


def _require_masks_stay(mask: Path, masks: ImageFiles, targets: Mapping[str, Path]) -> None:
    """Refuse to write over a mask, or among several masks, where a result would pass for one."""
    places = {(masks.root / name).resolve() for name in masks.names}
    if taken := sorted(str(path) for path in targets.values() if path.resolve() in places):
        raise InputError(f"{taken[0]} would be written over a mask that is read: give another --out.")
    folders = set[Path]() if _is_picture(mask) else {place.parent for place in places}
    if taken := sorted(str(path) for path in targets.values() if path.resolve().parent in folders):
        raise InputError(f"{taken[0]} would be written among the masks, and pass for one: give another --out.")
