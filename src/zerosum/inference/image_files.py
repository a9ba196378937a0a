"""Batched inference on image files: reading, running a network, and writing results under the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from PIL import Image
from torch import Tensor

from zerosum.data.packing.bit_depth import range_of_side
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.scan import Scan, attempt, survey
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.spec import Spec
from zerosum.data.two_sided import files_at
from zerosum.errors import InputError
from zerosum.inference.notes import notes_on
from zerosum.inference.pictures import FORMATS, Loaded, Size, load_picture, write_result
from zerosum.media.image_grid import MODES
from zerosum.recipe import Recipe
from zerosum.runtime.paths import absolute, expanded
from zerosum.runtime.regular_files import open_regular
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores


@dataclass(frozen=True, kw_only=True)
class ProcessedFiles:
    """The results of processing files."""

    written: tuple[Path, ...]
    problems: dict[str, str]
    """Why a file was left out, by its name: the end of the sentence "a.png ..."."""
    notes: tuple[str, ...]
    """What was done to the images on the way, one sentence each."""


Item = TypeVar("Item", bound=Loaded)
Load = Callable[[str], Item | Exception]
"""Loads an image by its name, and returns what goes wrong."""


def process_files(
    spec: Spec,
    files: ImageFiles,
    targets: Mapping[str, Path],
    load: Callable[[Scan], Load[Item]],
    run: Callable[[Sequence[Item]], Tensor],
    finish: Callable[[Item, Tensor], Image.Image | np.ndarray],
    verb: str,
    *,
    batch: int = 1,
    progress: ProgressCallback | None = None,
) -> ProcessedFiles:
    """Run a network on image files, a batch of one size at a time, and write a file for each.

    Args:
        spec: Of what is given and made: wide numbers are read and written on its ranges.
        files: The images.
        targets: Where each result goes, by the image's name.
        load: Returns what loads an image, from the scan of all of them.
        run: Computes the results (N, C, H, W), uint8 or uint16 as the data, of N images of one size.
        finish: Makes what to write from an image and its result (C, H, W): a picture, or levels (H, W, C) uint16.
        verb: What is done, for the progress.
        batch: Images at a time; fewer where their sizes differ.
        progress: Called with how many are done.

    Raises:
        InputError: A kind of file that cannot hold the result, or what `load`, `run` and `finish` raise.
        StorageError: The disk refuses.
    """
    with no_bombs():
        found = survey(files, progress, smallest=1, range=range_of_side(spec.range, 0), choose=False)
        names, problems, written = tuple(found.facts), dict(found.problems), []
        loaded = zip(names, on_all_cores(load(found), names, window=max(2, batch)), strict=True)
        for items in _batches(loaded, batch, problems):
            for item, result in zip(items, run(items), strict=True):
                written.append(write_result(finish(item, result), targets[item.name], spec))
            if progress is not None:
                progress(verb, len(written), len(names))
    return ProcessedFiles(written=tuple(written), problems=problems, notes=notes_on(found, spec))


def picture_loader(files: ImageFiles, spec: Spec, found: Scan, *, size: Size) -> Load[Loaded]:
    """Return what loads an image as a recipe of a spec takes it, by `load_picture`."""
    channels, height, width = spec.source_shape or spec.shape
    plan = PixelFormat(height=height, width=width, channels=channels, scales=found.scales, bits=spec.bits)

    def load(name: str) -> Loaded | Exception:
        return attempt(files, lambda file: load_picture(name, file, plan=plan, size=size))(name)

    return load


def require_pictures(recipe: Recipe) -> None:
    """Check that what the recipe takes and makes are images that files can hold.

    Raises:
        InputError: They have more than 4 channels.
    """
    for channels in (recipe.spec.shape[0], (recipe.spec.source_shape or recipe.spec.shape)[0]):
        if channels not in MODES:
            raise InputError(f"This run's images have {channels} channels, which no image file holds: use Python.")


def inputs_at(source: Path) -> ImageFiles:
    """List the images at a path: one file, or all in a folder or .zip and the folders in it.

    Raises:
        InputError: There is nothing, or no image.
    """
    path = absolute(source)
    if path.is_file() and path.suffix.lower() != ".zip":
        here, names = path.parent, (path.name,)
        return ImageFiles(root=here, names=names, others=(), stamps={}, open=lambda name: open_regular(here / name))
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


def _batches(
    loaded: Iterable[tuple[str, Item | Exception]], batch: int, problems: dict[str, str]
) -> Iterator[list[Item]]:
    """Gather images in order, at most `batch` at a time and all of one size; note what went wrong in `problems`."""
    gathered: list[Item] = []
    for name, item in loaded:
        if isinstance(item, Exception):
            problems[name] = reason(item)
            continue
        if gathered and gathered[0].pixels.shape != item.pixels.shape:
            yield gathered
            gathered = []
        gathered.append(item)
        if len(gathered) == batch:
            yield gathered
            gathered = []
    if gathered:
        yield gathered
