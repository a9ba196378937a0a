"""Colour profiles: images with one of another colour space than sRGB are brought to sRGB before anything else."""

from __future__ import annotations

import threading
from functools import lru_cache
from io import BytesIO
from typing import Literal

from PIL import Image, ImageCms

Profile = Literal["none", "srgb", "converted", "unusable"]
MODES = ("RGB", "RGBA", "CMYK")


def profile_of(image: Image.Image) -> Profile:
    """What becomes of an image's profile: there is none, or its colours are sRGB, are converted, or cannot be."""
    stored = image.info.get("icc_profile")
    if not stored:
        return "none"
    if image.mode == "P":
        return _transform(stored, "RGB", threading.get_ident())[0]
    if image.mode not in MODES:
        return "unusable"
    return _transform(stored, "CMYK" if image.mode == "CMYK" else "RGB", threading.get_ident())[0]


def in_srgb(image: Image.Image) -> Image.Image:
    """Convert an RGB, RGBA or CMYK image whose profile is not sRGB; other images stay as they are."""
    stored = image.info.get("icc_profile")
    if not stored or image.mode not in MODES:
        return image
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    plain = image if alpha is None else image.convert("RGB")
    _, transform = _transform(stored, plain.mode, threading.get_ident())
    if transform is None:
        return image
    converted = ImageCms.applyTransform(plain, transform)
    assert converted is not None  # it is None only where a transform works in place
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


@lru_cache(maxsize=256)
def _transform(stored: bytes, mode: str, thread: int) -> tuple[Profile, ImageCms.ImageCmsTransform | None]:
    """The way from a profile to sRGB; no two threads share one."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(stored))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return "srgb", None
        return "converted", ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "unusable", None
