"""Many small images, photographs and large images, made by rule and written as `bench.packing` measures them."""

from __future__ import annotations

import argparse
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = {"tar": "a.tar", "photos": "p.tar", "large": "b.tar", "folder": "c"}
"""What is measured, and the names of its files."""
LARGE = (2600, 2560)
"""Sides of a large image, (H, W): 20 MB of a BMP of three channels."""


def blobs(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of small images of a moving blob, ten classes of them."""
    y, x = np.mgrid[:28, :28]
    for index in range(count):
        row, column = index % 23 + 2, index // 23 % 23 + 2
        blob = 255 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (4 + index % 10))
        blob[index // 529 % 28, index // 14_812 % 28] = 255 - index % 7
        Image.fromarray(blob.astype(np.uint8)).save(buffer := io.BytesIO(), "png", compress_level=1)
        yield f"{index % 10}/{index:08d}.png", buffer.getvalue()


def write_tar(place: Path, count: int) -> None:
    """Write small images into a .tar."""
    with tarfile.open(place, "w") as archive:
        for name, content in blobs(count):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_folder(place: Path, count: int) -> None:
    """Write small images into files of their own."""
    for label in range(10):
        (place / str(label)).mkdir(parents=True)
    for name, content in blobs(count):
        (place / name).write_bytes(content)


def write_photos(place: Path, count: int) -> None:
    """Write JPEGs of smooth noise, as large as photographs of this size, into a .tar."""
    with tarfile.open(place, "w") as archive:
        for index in range(count):
            noise = np.random.default_rng(index).integers(0, 256, (64, 64, 3), dtype=np.uint8)
            photo = Image.fromarray(noise).resize((512, 512), Image.Resampling.BICUBIC)
            photo.save(buffer := io.BytesIO(), "jpeg", quality=90)
            member = tarfile.TarInfo(f"{index:06d}.jpg")
            member.size = len(buffer.getvalue())
            archive.addfile(member, io.BytesIO(buffer.getvalue()))


def write_sparse(place: Path, size: int) -> None:
    """Write a .tar of `size` bytes of large images, whose black parts take no room on the disk."""
    height, width = LARGE
    Image.new("RGB", (width, height)).save(buffer := io.BytesIO(), "bmp")
    header, whole = buffer.getvalue()[:54], len(buffer.getvalue())
    noise = np.random.default_rng(0)
    with open(place, "wb") as file:
        for index in range(-(-size // whole)):
            member = tarfile.TarInfo(f"{index % 2}/{index:06d}.bmp")
            member.size = whole
            start = file.tell()
            file.write(member.tobuf() + header + noise.bytes(1 << 16))
            file.seek(start + 512 + -(-whole // 512) * 512)
        file.truncate(file.tell() + 1024)


def write(kind: str, place: Path, options: argparse.Namespace) -> None:
    """Write the data of one kind."""
    if kind == "large":
        write_sparse(place, int(options.gigabytes * 1e9))
    elif kind == "photos":
        write_photos(place, options.photos)
    else:
        (write_tar if kind == "tar" else write_folder)(place, options.images)
