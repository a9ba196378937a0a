"""Where results that are made from files go: by the same names, never over what they were made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from PIL import Image

from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.two_sided import files_at
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.paths import absolute, expanded
from zerosum.runtime.regular_files import open_regular

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
"""Kinds of picture that are written, by ending."""


def inputs_at(source: Path) -> ImageFiles:
    """List the images at a path: one file, or all in a folder or .zip and the folders in it.

    Raises:
        InputError: There is nothing, or no image.
    """
    path = absolute(source)
    if path.is_file() and path.suffix.lower() != ".zip":
        return ImageFiles(
            root=path.parent,
            names=(path.name,),
            others=(),
            stamps={},
            open=lambda name: open_regular(path.parent / name),
        )
    if not path.exists():
        raise InputError(f"There is no image, folder or .zip {path}.")
    files = files_at(path)
    if not files.names:
        raise InputError(f"{path} has no images: give an image file, or a folder or .zip that holds some.")
    return replace(files, others=())


def targets_for(files: ImageFiles, out: Path, *, single: Path | None) -> dict[str, Path]:
    """Name the result of every file.

    A folder gets a PNG for each, by the name that it has in its folder but for the ending. One file may go to a file of
    its own name instead: png, jpg, webp, tif or bmp.

    Args:
        files: What results are made from.
        out: A folder, which need not be there yet; or a file for a single one.
        single: The input, where it is one file.

    Raises:
        InputError: Two results would have one name, or one would replace an input or lie outside `out`.
    """
    out = expanded(out)
    is_file = out.suffix.lower() in FORMATS and not out.is_dir()
    if is_file and single is None:
        raise InputError(f"--out is the file {out}, and there are several images: give a folder.")
    is_other_file = out.exists() or out.suffix.lower() in Image.registered_extensions()
    if is_other_file and not is_file and not out.is_dir():
        raise InputError(f"--out {out} is a file of a kind that is not written: give a folder, or a name in .png.")
    chosen: dict[str, Path] = {}
    taken: dict[Path, str] = {}
    inputs = {(files.root / name).resolve() for name in files.names} if files.root.is_dir() else set()
    for name in files.names:
        path = out if is_file else out / PurePosixPath(name).with_suffix(".png")
        whole = path.resolve()
        if not is_file and not whole.is_relative_to(out.resolve()):
            raise InputError(f"{name} in {files.root} would be written outside {out}: rename it.")
        if whole in inputs:
            raise InputError(f"{path} would be written over an image that is read: give another --out.")
        if taken.setdefault(whole, name) != name:
            raise InputError(f"{taken[whole]} and {name} would both be written to {path}: rename one of them.")
        chosen[name] = path
    return chosen


def write_picture(image: Image.Image, path: Path) -> Path:
    """Write a picture whole or not at all, in the format of its ending.

    Raises:
        InputError: The format has no transparency, and the picture has.
        StorageError: The disk refuses.
    """
    kind = FORMATS[path.suffix.lower()]
    if kind in ("JPEG", "BMP") and image.mode in ("LA", "RGBA"):
        raise InputError(f"The result has transparency, which {path.name} cannot hold: end the name in .png.")
    with replacing(path) as partial:
        image.save(partial, format=kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
    return path
