"""In what form a folder keeps its images: compression and resizing move every metric of features."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from PIL import Image

LOSSY = {"JPEG", "MPO"}
LOOKED_AT = 16


def made_of(folder: str | Path, size: str) -> str:
    """Say what was done to the images of a folder before they were evaluated, from the first few of them.

    Args:
        folder: what was evaluated.
        size: that the images have in the evaluation, CxHxW.

    Returns:
        Such as "JPEG, brought from 512x512"; empty for lossless images of that size, and for all that is no folder.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        return ""
    forms, sizes = Counter[str](), Counter[str]()
    for path in sorted(place.rglob("*"))[:LOOKED_AT]:
        try:
            with Image.open(path) as image:
                forms[str(image.format)] += 1
                sizes[f"{image.height}x{image.width}"] += 1
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
    if not sizes:
        return ""
    lossy = ["JPEG"] if any(form in LOSSY for form in forms) else []
    (usual, _), *_ = sizes.most_common(1)
    return ", ".join([*lossy, *([] if usual == size.partition("x")[2] else [f"brought from {usual}"])])
