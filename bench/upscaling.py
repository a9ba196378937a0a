"""How super-resolution learns: PSNR and SSIM on luma at each checkpoint of a run, beside bicubic upscaling.

    zerosum train T91.zip --recipe srgan --fit tiles --size 48 --degrade downscale:4 --keep 14 --save-every 500 ...
    python -m bench.upscaling SET5.zip RUN [--save]

SET5.zip has the folders HR and LR_x4 with the same names in both, of images that are not trained on.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import zerosum
from bench.results import save, table, without_folders
from zerosum import text
from zerosum.data.batch import to_float, to_uint8
from zerosum.data.sources.archive import list_zip
from zerosum.inference.upscale import upscale
from zerosum.metrics.psnr_ssim import psnr, ssim
from zerosum.run.checkpoint import load_model
from zerosum.run.directory import Run

FACTOR = 4


@dataclass(frozen=True)
class Held:
    """An image that is not trained on."""

    small: np.ndarray
    """(H, W, 3) uint8"""
    large: np.ndarray
    """(4H, 4W, 3) uint8"""


def held_out(path: Path) -> list[Held]:
    """Read the small and the large images of a zip, by their names."""
    files = list_zip(path)

    def read(name: str) -> np.ndarray:
        with files.open(name) as file:
            return np.asarray(Image.open(file).convert("RGB"))

    names = [name for name in files.names if "/HR/" in name]
    return [Held(read(name.replace("/HR/", f"/LR_x{FACTOR}/")), read(name)) for name in names]


def measured(images: list[Held], enlarge: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Return the means over images of PSNR and SSIM on luma, without the outer 4 pixels, of what `enlarge` makes."""
    pairs = [(_planes(enlarge(held.small)), _planes(held.large)) for held in images]
    return (
        mean(psnr(made, large, channels="y", border=FACTOR).value for made, large in pairs),
        mean(ssim(made, large, channels="y", border=FACTOR).value for made, large in pairs),
    )


def bicubic(small: np.ndarray) -> np.ndarray:
    """Enlarge (H, W, 3) by interpolation."""
    return np.asarray(
        Image.fromarray(small).resize((FACTOR * small.shape[1], FACTOR * small.shape[0]), Image.Resampling.BICUBIC)
    )


def with_run(run: Run, round_: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return what the checkpoint of a round makes of (H, W, 3)."""
    recipe = zerosum.load(run.path)
    load_model(run.checkpoint(round_), recipe, run=run)

    def enlarge(small: np.ndarray) -> np.ndarray:
        made = upscale(recipe, to_float(_planes(small)))
        return to_uint8(made)[0].permute(1, 2, 0).numpy()

    return enlarge


def _planes(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None]


def main() -> None:
    """Measure every checkpoint that is there, and write docs/benchmarks/upscaling.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    images, run = held_out(options.test), Run.open(options.run)
    psnr_bicubic, ssim_bicubic = measured(images, bicubic)
    rows = [["after", "images", "training time", "PSNR on Y", "over bicubic", "SSIM on Y"]]
    rows.append(["bicubic", "", "", f"{psnr_bicubic:.2f} dB", "", f"{ssim_bicubic:.4f}"])
    logged = {row["round"]: row for row in run.history()}
    for place in sorted((run.path / "checkpoints").glob("[0-9]*")):
        round_ = int(place.name)
        row = logged[round_]
        of_luma, alike = measured(images, with_run(run, round_))
        rows.append(
            [
                f"{round_:,} rounds, {row['phase']}",
                f"{row['seen']:,}",
                text.duration(row["seconds"]),
                f"{of_luma:.2f} dB",
                f"{of_luma - psnr_bicubic:+.2f} dB",
                f"{alike:.4f}",
            ]
        )
        print(*rows[-1], sep="  ", flush=True)
    config, notes = run.description["config"], run.description["data"]["notes"]
    words = without_folders(shlex.split(run.description["command"]))
    remarks = [
        f"`{words}`: {config['blocks']} blocks of width {config['width']}, batch {config['batch']}, rate "
        f"{config['lr']:g}, running average {config['ema_decay']:g}; {next(n for n in notes if 'cut out of' in n)}",
        f"Means over the {len(images)} images of {options.test.stem}, which are not trained on; luma by BT.601, "
        f"{FACTOR} pixels of border left out.",
        "The paper's SRResNet, after 10^6 rounds on 350,000 images, is at 32.05 dB and 0.9019 on Set5; its SRGAN at "
        "29.40 dB and 0.8472 (Ledig et al. 2017, table 2).",
    ]
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        print(save("upscaling", "Super-resolution, 4 times as large", rows, remarks))


if __name__ == "__main__":
    main()
