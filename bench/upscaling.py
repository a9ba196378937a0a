"""How super-resolution learns: PSNR and SSIM on luma, beside bicubic upscaling, segment after segment of one run.

    python -m bench.upscaling T91.zip SET5.zip [--run runs/upscaling] [--minutes 30] [--blocks 8] [--width 48] ...

T91.zip holds images to train on; SET5.zip has the folders HR and LR_x4 with the same names in both. Where the run is
there already it goes on, with the network that it has. Writes docs/benchmarks/upscaling.json and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import zerosum
from bench.results import save
from zerosum import text
from zerosum.data.batch import to_float, to_uint8
from zerosum.data.sources.image_files import list_zip
from zerosum.inference.upscale import upscale
from zerosum.metrics.psnr_ssim import psnr, ssim
from zerosum.run.directory import Run
from zerosum.runtime.atomic_files import replacing

FACTOR = 4
SETTINGS = {"fit": "tiles", "degrade": f"downscale:{FACTOR}", "mirror": 0.5, "ema_decay": 0.999, "lr_hold": 1.0}
"""The same whatever the flags say. The rate is held, for a run made longer and longer has no second half."""
KEPT = ("size", "blocks", "width", "batch", "lr", "pretrain", "seed", "precision")
"""Flags that are settings of the run."""
ROWS = 20
"""Most points of the curve that the table shows."""


@dataclass(frozen=True)
class Held:
    """An image that is not trained on."""

    name: str
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
    return [Held(Path(name).stem, read(name.replace("/HR/", f"/LR_x{FACTOR}/")), read(name)) for name in names]


def measured(images: list[Held], enlarge: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Return the means over images of PSNR and SSIM on luma, without the outer 4 pixels, of what `enlarge` makes."""
    pairs = [(_planes(enlarge(held.small)), _planes(held.large)) for held in images]
    return {
        name: mean(figure(made, large, channels="y", border=FACTOR).value for made, large in pairs)
        for name, figure in (("psnr_y", psnr), ("ssim_y", ssim))
    }


def bicubic(small: np.ndarray) -> np.ndarray:
    return np.asarray(
        Image.fromarray(small).resize((FACTOR * small.shape[1], FACTOR * small.shape[0]), Image.Resampling.BICUBIC)
    )


def with_run(run: Run) -> Callable[[np.ndarray], np.ndarray]:
    recipe = zerosum.load(run.path)

    def enlarge(small: np.ndarray) -> np.ndarray:
        made = upscale(recipe, to_float(_planes(small)))
        return to_uint8(made)[0].permute(1, 2, 0).numpy()

    return enlarge


def _planes(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None]


def played(path: Path) -> int:
    """Return the rounds that a run has played: none where there is no run."""
    history = Run.open(path).history() if (path / "run.json").exists() else []
    return history[-1]["round"] if history else 0


def segment(options: argparse.Namespace) -> Run:
    """Train for some rounds more, in a new run or in the one that is there."""
    quiet = {"save_every": 10**6, "preview_every": 10**6, "log_every": 50}
    if played(options.run) == 0:
        settings: dict[str, Any] = {name: getattr(options, name) for name in KEPT} | SETTINGS | quiet
        return zerosum.train(options.train, recipe="srgan", run=options.run, rounds=options.every, **settings)
    return zerosum.resume(options.run, rounds=played(options.run) + options.every)


def report(curve: list[dict[str, Any]], baseline: dict[str, float], run: Run, test: str) -> None:
    """Write the table of the curve."""
    config, notes = run.description["config"], run.description["data"]["notes"]
    tiles = next(note for note in notes if "cut out of" in note)
    rows = [["after", "images", "training time", "PSNR on Y", "over bicubic", "SSIM on Y"]]
    rows.append(["bicubic", "", "", f"{baseline['psnr_y']:.2f} dB", "", f"{baseline['ssim_y']:.4f}"])
    step = -(-len(curve) // ROWS)
    for point in curve[::-step][::-1]:  # the last one always
        rows.append(
            [
                f"{point['round']:,} rounds, {point['phase']}",
                f"{point['seen']:,}",
                text.duration(point["seconds"]),
                f"{point['psnr_y']:.2f} dB",
                f"{point['psnr_y'] - baseline['psnr_y']:+.2f} dB",
                f"{point['ssim_y']:.4f}",
            ]
        )
    remarks = [
        f"srgan x{FACTOR} with {config['blocks']} blocks of width {config['width']}, batch {config['batch']}, rate "
        f"{config['rate']:g}, running average {config['average']:g}; {tiles}",
        f"Means over {test}, which are not trained on; luma by BT.601, {FACTOR} pixels of border left out.",
        "The paper's SRResNet, after 10^6 rounds on 350,000 images, is at 32.05 dB and 0.9019 on Set5; its SRGAN at "
        "29.40 dB and 0.8472 (Ledig et al. 2017, table 2).",
    ]
    save("upscaling", "Super-resolution, 4 times as large", rows, remarks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--run", type=Path, default=Path("runs/upscaling"))
    parser.add_argument("--minutes", type=float, default=30.0, help="of this sitting; segments are played to their end")
    parser.add_argument("--every", type=int, default=250, help="rounds between measurements")
    parser.add_argument("--pretrain", type=int, default=10**6, help="rounds before the game")
    parser.add_argument("--size", default="48", help="side of the tiles that are trained on")
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    images = held_out(options.test)
    baseline = measured(images, bicubic)
    print(f"bicubic: {baseline['psnr_y']:.2f} dB, {baseline['ssim_y']:.4f}", flush=True)
    path = options.run / "upscaling.json"
    curve = json.loads(path.read_text()) if path.exists() else []
    end = time.monotonic() + 60 * options.minutes
    reached = due = 0
    while time.monotonic() < end and reached == due:  # a segment that was stopped by a signal is the last
        due = played(options.run) + options.every
        run = segment(options)
        last = run.history()[-1]
        reached = last["round"]
        curve.append(
            {name: last[name] for name in ("round", "phase", "seen", "seconds")} | measured(images, with_run(run))
        )
        print(f"{last['round']:,} rounds: {curve[-1]['psnr_y']:.2f} dB, {curve[-1]['ssim_y']:.4f}", flush=True)
        with replacing(path) as partial:
            partial.write_text(json.dumps(curve, indent=1))
        report(curve, baseline, run, f"the {len(images)} images of {options.test.stem}")


if __name__ == "__main__":
    main()
