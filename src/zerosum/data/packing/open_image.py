"""Opening an image file safely: what it is, how large it may be, and which way up.

Images of any size are opened as long as they fit the budget of memory that all decoding shares (`runtime.byte_budget`):
Pillow's fixed limit would refuse photographs that phones take, and would not count those decoded side by side.
"""

from __future__ import annotations

import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from zerosum.runtime.byte_budget import ByteBudget, spendable
from zerosum.text import memory

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # JPEG includes MPO
ORIENTATION = 274  # the EXIF and TIFF tag
PIXEL_BYTES = 4
PNG = b"\x89PNG\r\n\x1a\n"
TEXT_BYTES = 1 << 20
"""Bytes of a text or a profile in a PNG, unpacked, beyond which it is left aside: it says nothing on the pixels."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image upright, by its orientation (EXIF 2.3, section 4.6.4 A)."""


class Unusable(Exception):  # noqa: N818  (the sentence "a.png ..." reads on)
    """This image cannot be used; the text completes the sentence "a.png ..."."""


_pillow = threading.Lock()
_depth, _limit = 0, Image.MAX_IMAGE_PIXELS


@contextmanager
def no_bombs() -> Iterator[None]:
    """Put the budget of memory in the place of Pillow's limit, and keep its remarks on metadata off the terminal."""
    global _depth, _limit
    with _pillow:
        if _depth == 0:
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _depth += 1
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
            yield
    finally:
        with _pillow:
            _depth -= 1
            if _depth == 0:
                Image.MAX_IMAGE_PIXELS = _limit


@lru_cache(maxsize=1)
def decoding() -> ByteBudget:
    """The budget that all images decoded side by side share."""
    return ByteBudget(spendable())


@contextmanager
def open_image(file: BinaryIO, *, header: bool = False) -> Iterator[ImageFile]:
    """Open an image of one of the formats that zerosum reads, holding the memory that its pixels take.

    Args:
        file: Of the image.
        header: Whether its header alone is wanted.

    Raises:
        Unusable: The header claims more pixels than there is memory for, or it is of a form that is not read.
    """
    try:
        image = Image.open(_in_order(file), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _named(file) or error from error
    except Image.DecompressionBombError as error:
        raise Unusable("claims more pixels than the limit against decompression bombs") from error
    size = image.width * image.height * PIXEL_BYTES
    with image:
        if size > decoding().total:
            raise Unusable(
                f"claims {image.height}x{image.width} pixels, which take {memory(size)} of memory, more than there is: "
                "a decompression bomb, or an image to scale down first"
            )
        if header:
            yield image
            return
        with decoding().share(size):
            yield image


def upright(image: Image.Image) -> Image.Image:
    """Turn or mirror a loaded image as its orientation tag says; what else its metadata say cannot do harm."""
    turn = TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> int:
    """Orientation of the stored pixels, 1 to 8; 1, which is upright, where the tag is absent or damaged."""
    if image.format == "PNG" and "exif" not in image.info:  # Pillow would decode it all, to see what follows
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
        found = int(found[0] if isinstance(found, tuple) else str(found).strip("\0 ").removesuffix(".0"))
    except Exception:  # damaged metadata raise almost anything
        return 1
    return found if found in TURNS else 1


def _named(file: BinaryIO) -> Unusable | None:
    """Say what a file is that is of a known form of image, but of none that is read."""
    file.seek(0)
    start = file.read(32)
    brands = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF"}
    kind = brands.get(start[8:12]) if start[4:8] == b"ftyp" else None
    if start.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        kind = "JPEG XL"
    if start.startswith(b"\0\0\0\x0cjP  "):
        kind = "JPEG 2000"
    if start.startswith(b"8BPS"):
        kind = "Photoshop"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return Unusable("is a TIFF of a kind that is not read, such as one of many bands: store arrays as .npy instead")
    return Unusable(f"is {kind}, a form that is not read: convert it to JPEG or PNG") if kind else None


def _in_order(file: BinaryIO) -> BinaryIO:
    """Return a PNG without texts and profiles that Pillow refuses it for, and with its EXIF ahead of its pixels.

    Other files are returned as they are.
    """
    file.seek(0)
    if file.read(8) != PNG:
        return file
    kept = [slice(0, 8)]
    place, pixels, moved = 8, 0, False
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        chunk = slice(place, place + 12 + length)
        if kind in (b"tEXt", b"zTXt", b"iTXt") or (
            kind == b"iCCP" and _unpacks_to_much(file.read(min(length, 1 << 22)))
        ):
            moved = True
        elif kind == b"eXIf" and pixels:
            kept.insert(pixels, chunk)
            moved = True
        else:
            pixels = pixels or len(kept) * (kind == b"IDAT")
            kept.append(chunk)
        place = chunk.stop
        file.seek(place)
    if not moved:
        return file
    file.seek(0)
    content = file.read()
    return BytesIO(b"".join(content[chunk] for chunk in kept))


def _unpacks_to_much(profile: bytes) -> bool:
    """Whether the compressed part of an iCCP chunk (a name, a zero, a method) is larger than a profile may be."""
    packed = profile.partition(b"\0")[2][1:]
    try:
        return len(zlib.decompressobj().decompress(packed, TEXT_BYTES + 1)) > TEXT_BYTES
    except zlib.error:
        return False
