"""Samples as images: grids, scatter plots, single files, sheets of nearest neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from zerosum.data.batch import to_uint8
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's mode for each number of channels that is a picture of its own."""

PAPER, REAL, GENERATED, INK = (255, 255, 255), (168, 172, 180), (214, 64, 20), (90, 94, 102)


def grid(images: Tensor, *, columns: int | None = None, gap: int = 2) -> Image.Image:
    """Lay images out in rows on white, small ones enlarged by a whole factor so that their pixels are visible.

    Transparency is kept. Samples of more than four channels are shown as their channels side by side, in gray.

    Args:
        images: (N, C, H, W) in [-1, 1].
        columns: Images in a row; as many as rows where None.
        gap: Pixels between images.

    Raises:
        InputError: No images, not four axes, or values that are not finite.

    >>> import torch
    >>> grid(torch.zeros(6, 3, 64, 64)).size
    (196, 130)
    """
    tiles = _tiles(images)
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    width, height = tiles[0].size
    size = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    sheet = Image.new(tiles[0].mode, size, _blank(tiles[0].mode))
    for position, tile in enumerate(tiles):
        row, column = divmod(position, columns)
        sheet.paste(tile, (column * (width + gap), row * (height + gap)))
    return sheet


def side_by_side(generated: Tensor, neighbours: Tensor, *, gap: int = 2) -> Image.Image:
    """Show each generated image with its nearest training images to the right of it, nearest first.

    Rows are cut into blocks set next to each other, so that the sheet comes out somewhat wider than high.

    Args:
        generated: (N, C, H, W) in [-1, 1].
        neighbours: (N, k, C, H, W) in [-1, 1].
        gap: Pixels between neighbours; a generated image stands four times as far from them.

    Raises:
        InputError: The two do not belong together, or cannot be shown.
    """
    if neighbours.ndim != 5 or neighbours.shape[0] != len(generated) or neighbours.shape[2:] != generated.shape[1:]:
        raise InputError(
            f"Neighbours of shape {tuple(neighbours.shape)} do not fit generated images of shape "
            f"{tuple(generated.shape)}; give (N, k, C, H, W) for (N, C, H, W)."
        )
    k = neighbours.shape[1]
    blocks = max(1, round(math.sqrt(1.5 * len(generated) / (k + 1))))
    rows = math.ceil(len(generated) / blocks)
    strips: list[Image.Image] = []
    for start in range(0, len(generated), rows):
        left = grid(generated[start : start + rows], columns=1, gap=gap)
        right = grid(neighbours[start : start + rows].flatten(0, 1), columns=k, gap=gap)
        strips.append(beside([left, right], gap=4 * gap))
    return beside(strips, gap=12 * gap)


def beside(pictures: Sequence[Image.Image], *, gap: int) -> Image.Image:
    """Put pictures of one mode next to each other, their upper edges in line, `gap` pixels apart."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    mode = pictures[0].mode
    sheet = Image.new(mode, (width, max(picture.height for picture in pictures)), _blank(mode))
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + gap
    return sheet


def scatter(points: Tensor, *, reference: Tensor | None = None, size: int = 512) -> Image.Image:
    """Draw points of the plane in a strong colour, real ones behind them in gray.

    Both axes share one scale, set by the reference with a margin; a corner says how many points fall outside.

    Args:
        points: (N, 2), generated.
        reference: (M, 2), real; the limits come from `points` where None.
        size: Side of the square picture in pixels.

    Raises:
        InputError: Not points of the plane, none at all, or not finite.
    """
    behind = points if reference is None else reference
    for given in (points, behind):
        if given.ndim != 2 or given.shape[1] != 2 or len(given) == 0 or not given.isfinite().all():
            raise InputError(
                f"A scatter plot got shape {tuple(given.shape)}; give finite points of the plane as (N, 2)."
            )
    low, high = behind.double().amin(0).cpu(), behind.double().amax(0).cpu()
    centre, half = (low + high) / 2, max(float((high - low).max()) * 0.6, 1e-6)
    fine = 3 * size  # drawn three times larger, then shrunk: smooth dots
    sheet = Image.new("RGB", (fine, fine), PAPER)
    for given, colour, opacity in ((reference, REAL, 120), (points, GENERATED, 150)):
        if given is not None:
            placed = ((given.double().cpu() - centre) / half + 1) / 2 * fine
            _dots(sheet, placed, colour=(*colour, opacity), radius=fine / 220)
    sheet = sheet.resize((size, size), Image.Resampling.LANCZOS)
    outside = int(((points.double().cpu() - centre).abs() > half).any(1).sum())
    if outside:
        font = ImageFont.load_default(max(11, size // 36))
        ImageDraw.Draw(sheet).text((size // 64, size // 64), f"{outside:,} outside", fill=INK, font=font)
    return sheet


def save_images(images: Tensor, folder: Path, *, prefix: str, metadata: Mapping[str, str]) -> list[Path]:
    """Write one PNG a sample, with the metadata as text chunks, and return them.

    Args:
        images: (N, C, H, W) in [-1, 1], C at most 4.
        folder: Made if it does not exist.
        prefix: Files are called `<prefix>-0000.png` and so on.
        metadata: Name -> text, for example seed and run.

    Raises:
        InputError: The images cannot be shown.
        StorageError: The disk refused a write.
    """
    shown = _shown(images)
    if shown.shape[1] not in MODES:
        raise InputError(f"No PNG holds images of {shown.shape[1]} channels: write them as .npy.")
    paths = [folder / f"{prefix}-{position:04d}.png" for position in range(len(shown))]
    for path, picture in zip(paths, shown, strict=True):
        write_png(_picture(picture), path, metadata)
    return paths


def is_picture(out: Path) -> bool:
    """Whether a place for results is one picture: its name ends in .png, and no folder has it. All else is a folder."""
    return out.suffix.lower() == ".png" and not out.is_dir()


def save_image(images: Tensor, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the first of (N, C, H, W) images in [-1, 1] to a PNG, and touch no other file.

    Raises:
        InputError: The images cannot be shown.
        StorageError: The disk refused the write.
    """
    write_png(picture(images), path, metadata)


def picture(images: Tensor) -> Image.Image:
    """Return the first of (N, C, H, W) images as a picture, as `pictures` does."""
    return pictures(images[:1])[0]


def pictures(images: Tensor) -> list[Image.Image]:
    """Return (N, C, H, W) images in [-1, 1] as pictures, N >= 1 and C at most 4.

    Raises:
        InputError: The images cannot be shown.
    """
    return [_picture(one) for one in _shown(images)]


def write_png(image: Image.Image, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a PNG whole or not at all, with metadata as text chunks.

    Raises:
        StorageError: The disk refused the write.
    """
    text = PngInfo()
    for name, value in (metadata or {}).items():
        text.add_text(name, value)
    with replacing(path) as partial:
        image.save(partial, format="PNG", pnginfo=text)


def require_finite(images: Tensor) -> None:
    """Check that images can be shown.

    Raises:
        InputError: Some value is not a finite number.
    """
    if not images.isfinite().all():
        raise InputError("The images hold values that are not finite numbers, so they cannot be shown.")


def _shown(images: Tensor) -> Tensor:
    """Check images and bring them to uint8 on the CPU: (N, C, H, W)."""
    if images.ndim != 4 or 0 in images.shape:
        raise InputError(f"Pictures were asked for from shape {tuple(images.shape)}; give images as (N, C, H, W).")
    require_finite(images)
    return to_uint8(images.detach()).cpu()


def _tiles(images: Tensor) -> list[Image.Image]:
    """Turn (N, C, H, W) into pictures whose longer side has at least 64 pixels, or nearly."""
    pictures = _shown(images)
    if pictures.shape[1] not in MODES:
        pictures = pictures.permute(0, 2, 1, 3).flatten(2).unsqueeze(1)
    height, width = pictures.shape[2:]
    factor = max(1, round(64 / max(height, images.shape[3])))
    size = (width * factor, height * factor)
    return [_picture(picture).resize(size, Image.Resampling.NEAREST) for picture in pictures]


def _picture(picture: Tensor) -> Image.Image:
    """Turn uint8 (C, H, W) with one to four channels into a picture."""
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _blank(mode: str) -> tuple[int, ...]:
    """Background of a sheet: white, or nothing at all where the mode has transparency."""
    bands = Image.getmodebands(mode)
    return (255,) * (bands - 1) + (0 if mode in ("LA", "RGBA") else 255,)


def _dots(sheet: Image.Image, places: Tensor, *, colour: tuple[int, int, int, int], radius: float) -> None:
    """Draw a dot at each (x, y) in pixels, y counted from below as in a plot: (N, 2)."""
    draw = ImageDraw.Draw(sheet, "RGBA")
    for x, y in places.tolist():
        y = sheet.height - y
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
