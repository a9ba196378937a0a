"""Holes filled by trained runs, on images that were not trained on, against what one would do without a network.

    python -m bench.inpainting RUN ... [--images 1000] [--picture RUN=NAME]
    python -m bench.inpainting --hold-out DATA.npz OUT.npz

Writes docs/benchmarks/inpainting.json and docs/benchmarks.md, and a sheet inpainting.png into each run; --picture
copies a run's sheet to docs/pictures/NAME.png. Runs are trained on data with a split test, which is what is measured
on; --hold-out makes such data of an .npz with one set of images: every tenth image becomes the split test.
"""

from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from bench.results import ROOT, save, table, without_folders
from zerosum import recipes
from zerosum.data.batch import to_float, to_uint8
from zerosum.data.dataset import SampleDataset
from zerosum.data.masks import NUMBERS, Kind, masks
from zerosum.errors import InputError
from zerosum.inference.inpaint import complete
from zerosum.kinds import open_as, open_splits
from zerosum.media.image_grid import write_png
from zerosum.run.config import read_config
from zerosum.run.directory import Run
from zerosum.run.load import load
from zerosum.tasks import InpaintingRecipe
from zerosum.training.preview import before_and_after

KINDS: tuple[Kind, ...] = ("block", "center", "free")
RIM = 2
"""Pixels around a hole whose mean the first baseline fills it with."""
SHOWN = 8
Fill = Callable[[Tensor, Tensor], Tensor]
"""(N, C, H, W) images and (N, 1, H, W) masks to images without holes."""


def surrounding_mean(images: Tensor, mask: Tensor) -> Tensor:
    """Fill each connected hole with the mean of the known pixels within 2 pixels of it."""
    made = images.clone()
    near = np.ones((2 * RIM + 1, 2 * RIM + 1))
    for image, hole in zip(made, (mask[:, 0] > 0).numpy(), strict=True):
        parts = np.asarray(ndimage.label(hole, structure=np.ones((3, 3)))[0])  # pyright: ignore[reportIndexIssue]
        for number in range(1, parts.max() + 1):
            part = parts == number
            rim = torch.from_numpy(ndimage.binary_dilation(part, structure=near) & ~hole)
            image[:, torch.from_numpy(part)] = image[:, rim].mean(1, keepdim=True)
    return made


def mean_image(dataset: SampleDataset) -> Fill:
    """Fill holes with what the training images have there on average, over 10,000 of them at most."""
    rows = np.random.default_rng(0).permutation(len(dataset))[:10_000]
    mean = to_float(torch.from_numpy(dataset.samples[np.sort(rows)].mean(0).round().astype(np.uint8))).permute(2, 0, 1)
    return lambda images, mask: torch.where(mask > 0, mean, images)


def measure(fill: Fill, images: Tensor, mask: Tensor) -> tuple[float, float]:
    """Return the mean absolute difference over all missing pixels, of 255 levels, and its PSNR in decibels."""
    made, real = to_uint8(fill(images, mask)).double(), to_uint8(images).double()
    errors = (made - real)[mask.expand_as(images) > 0]
    return float(errors.abs().mean()), 10 * math.log10(255**2 / float(errors.square().mean()))


def rows_of(path: Path, most: int) -> tuple[list[list[str]], str]:
    """Measure a run; return the rows of its table, and what it was measured on."""
    run, plan = Run.open(path), read_config(Run.open(path))
    recipe = load(path, device="cpu")
    if not isinstance(recipe, InpaintingRecipe):
        raise InputError(f"{path} was not trained to fill holes: give runs of `zerosum train DATA --recipe inpaint`.")
    kinds = recipes.find(plan.recipe).data
    trained = open_as(kinds, plan.data, options=plan.options)
    same = replace(plan.options, size="x".join(map(str, recipe.spec.shape[1:])))
    _, apart = next(open_splits(kinds, plan.data, options=same), (None, None))
    if not isinstance(apart, SampleDataset) or not isinstance(trained, SampleDataset):
        raise InputError(f"{plan.data} has no split test: make data that have one by --hold-out, and train on them.")
    chosen = np.sort(np.random.default_rng(0).permutation(len(apart))[:most])
    images = apart.batch(chosen).to(torch.device("cpu")).real  # type: ignore[attr-defined]
    numbers = torch.rand(len(images), NUMBERS, generator=torch.Generator().manual_seed(0))
    fills: tuple[Fill, ...] = (lambda x, m: complete(recipe, x, m, batch=100), surrounding_mean, mean_image(trained))
    rows, name = [], Path(plan.data).stem
    for kind in KINDS:
        mask = masks(kind, numbers, (images.shape[2], images.shape[3]))
        found = [measure(fill, images, mask) for fill in fills]
        figures = [f"{error:.1f}, {decibels:.1f} dB" for error, decibels in found]
        rows.append([f"{name} {'x'.join(map(str, images.shape[2:]))}", kind, f"{mask.mean():.0%}", *figures])
        print(*rows[-1], sep="  ", flush=True)
    write_png(sheet(fills, images, numbers), path / "inpainting.png")
    last = run.history()[-1]
    trained_by = f"`{without_folders(str(run.description['command']).split())}`, {last['round']:,} rounds"
    return rows, f"{name}: {len(images):,} images of the split test; trained by {trained_by}."


def sheet(fills: tuple[Fill, ...], images: Tensor, numbers: Tensor) -> Image.Image:
    """Show images spread over the data with holes, filled by the first two fills, and as they were."""
    rows = torch.arange(SHOWN) * (len(images) // SHOWN)
    some, mask = images[rows], masks("mixed", numbers[rows], (images.shape[2], images.shape[3]))
    return before_and_after((some * (1 - mask), fills[1](some, mask), fills[0](some, mask), some))


def hold_out(source: Path, target: Path) -> None:
    """Write an .npz whose split test is every tenth image of another's only set."""
    with np.load(source, allow_pickle=False) as given:
        arrays = dict(given)
    test = np.arange(len(arrays["x_train"])) % 10 == 9
    for name in [name for name in ("x_train", "y_train") if name in arrays]:
        whole = arrays[name]
        arrays |= {name: whole[~test], name.replace("train", "test"): whole[test]}
    np.savez_compressed(target, **arrays)  # pyright: ignore[reportArgumentType]
    print(f"{target}: {int((~test).sum()):,} images to train on, {int(test.sum()):,} held out")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--picture", action="append", default=[], metavar="RUN=NAME")
    parser.add_argument("--hold-out", nargs=2, type=Path, metavar=("DATA", "OUT"))
    parser.add_argument("--dry", action="store_true", help="print the table, and write nothing under docs")
    options = parser.parse_args()
    if options.hold_out:
        hold_out(*options.hold_out)
        return
    rows = [["data", "holes", "missing", "inpaint", "mean of the surroundings", "mean training image"]]
    remarks = [
        "Over the missing pixels alone: mean absolute difference in levels of 255 (lower is better), and PSNR of the "
        f"mean squared one. The first baseline fills each hole with the mean of the known pixels within {RIM} of it, "
        "the second with the training images' mean.",
    ]
    for path in options.runs:
        found, about = rows_of(path, options.images)
        rows += found
        remarks.append(about)
    if options.dry:
        print(table(rows))
        return
    for given in options.picture:
        path, _, name = given.partition("=")
        shutil.copy(Path(path) / "inpainting.png", ROOT / "docs" / "pictures" / f"{name}.png")
        remarks.append(f"With holes, mean of the surroundings, inpaint, as it was: ![{name}](pictures/{name}.png)")
    save("inpainting", "Holes filled in images that were not trained on", rows, remarks)


if __name__ == "__main__":
    main()
