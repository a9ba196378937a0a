"""Pictures that requests send."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from zerosum.data.packing.open_image import FORMATS
from zerosum.errors import InputError


def require_small(image: bytes, most: int, factor: int, *, name: str = "picture") -> None:
    """Check by its header that neither an image nor what is made of it has more than `most` pixels.

    Args:
        image: a file's content.
        most: pixels.
        factor: by which it is enlarged.
        name: what errors call it.

    Raises:
        InputError: it has, or its header cannot be read.
    """
    try:
        with Image.open(io.BytesIO(image), formats=FORMATS) as header:
            width, height = header.size
    except Image.DecompressionBombError:
        raise InputError(f"The {name} has too many pixels: the server makes at most {most:,}.") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"The {name} cannot be read ({type(error).__name__}): send a PNG, JPEG or WebP.") from None
    if width * height * factor**2 > most:
        raise InputError(
            f"The {name} has {width}x{height} pixels, and the server makes at most {most:,} of them"
            f"{f' after enlarging {factor} times' if factor > 1 else ''}: send a smaller one."
        )


async def sent_pictures(request: Request) -> tuple[bytes, bytes | None]:
    """Return the image and the mask that were sent.

    Raises:
        InputError: no image was.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        if not (body := await request.body()):
            raise InputError("No picture was sent: send it as the body, or as the part `image` of a form.")
        return body, None
    async with request.form(max_files=2, max_fields=2) as form:
        parts = [form.get(name) for name in ("image", "mask")]
        image, mask = [await part.read() if isinstance(part, UploadFile) else None for part in parts]
    if not image:
        raise InputError("No picture was sent: the form needs a file as its part `image`.")
    return image, mask
