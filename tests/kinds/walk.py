"""A tiny run of every kind of sample, and the commands that docs/kinds.md tells of, a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIDES = "sides"
"""A folder of two sides, for kinds of which no data are embedded."""

FEW = "--batch 8 --rounds 4 --preview-every 4 --previews 4 --save-every 4 --watch-every 0"
GIVEN: Mapping[str, tuple[str, str, str]] = {
    "images": ("digits", "--recipe cgan --size 16 --width 4", "random"),
    "points": ("ring8", "--recipe gan --generator-hidden 8 --discriminator-hidden 8", ""),
    "pairs": (SIDES, "--recipe pix2pix --size 16 --width 4 --layers 1", "random"),
    "domains": (SIDES, "--recipe cyclegan --size 16 --width 4 --blocks 1 --layers 1", "random"),
    "captions": (
        "captioned-shapes",
        "--recipe stackgan --size 16 --width 4 --second-width 4 --discriminator-width 4 --embedding 6 --condition 4 "
        "--encoder-rounds 1",
        "random",
    ),
    "clips": ("moving-shapes", "--size 16 --frames 4 --width 2 --embedding 4 --spatial-frames 2", "random"),
    "volumes": ("shapes3d", "--size 16 --generator-width 2 --discriminator-width 2", "occupancy"),
    "waveforms": ("tones", "--length 1024 --width 2 --n-critic 1", "mel"),
}
"""Of each kind: data, settings that make a run tiny, and features that need no training."""

OWN = {"images": "tif", "captions": "tif", "clips": "gif", "volumes": "glb", "waveforms": "wav"}
"""The ending of files that hold all samples of a kind, beside .png and .npy."""


@dataclass(frozen=True)
class Place:
    """Where a kind is tried."""

    kind: str

    @property
    def data(self) -> list[str]:
        """What the run is trained on, and with which settings."""
        data, settings, _ = GIVEN[self.kind]
        return [data, *settings.split()]

    @property
    def name(self) -> str:
        """The data alone."""
        return GIVEN[self.kind][0]

    @property
    def recipe(self) -> str:
        """The recipe that is trained."""
        words = self.data
        defaults = {"clips": "dvdgan", "volumes": "gan3d", "waveforms": "wavegan"}
        return words[words.index("--recipe") + 1] if "--recipe" in words else defaults[self.kind]

    @property
    def run(self) -> str:
        """The run."""
        return f"run-{self.kind}"

    @property
    def folder(self) -> str:
        """Samples of the run, a file each; images of the data where the run does not make them from nothing."""
        made = f"samples-{self.kind}"
        return made if Path(made).is_dir() else f"{SIDES}/trainA"

    def measured(self, prefix: str = "") -> list[str]:
        """How few samples are compared, by which features."""
        features = GIVEN[self.kind][2]
        return [f"--{prefix}count", "32", *([f"--{prefix}features", features] if features else [])]


Words = Callable[[Place], list[str]]


def _sample(*words: str) -> Words:
    return lambda at: ["sample", at.run, *(word.format(kind=at.kind, own=_own(at)) for word in words)]


def _own(at: Place) -> str:
    return OWN.get(at.kind, "tif")


ROWS: Mapping[str, Words] = {
    "data check": lambda at: ["data", "check", at.name],
    "train --explain": lambda at: ["train", *at.data, *FEW.split(), "--explain"],
    "train --minutes": lambda at: ["train", *at.data, "--minutes", "1", "--explain"],
    "train --evaluate-every": lambda at: [
        "train", *at.data, *FEW.split(), "--evaluate-every", "4", *at.measured("evaluate-"), "--run", at.run,
    ],
    "train --resume": lambda at: ["train", "--resume", at.run, "--rounds", "5"],
    "sample --out FOLDER": _sample("-n", "8", "--out", "samples-{kind}"),
    "sample --out .png": _sample("-n", "3", "--out", "{kind}.png"),
    "sample --out .npy": _sample("-n", "3", "--out", "{kind}.npy"),
    "sample --out of its own": _sample("-n", "3", "--out", "{kind}.{own}"),
    "sample --out .jpg": _sample("-n", "3", "--out", "{kind}.jpg"),
    "sample --label": _sample("-n", "3", "--label", "1", "--out", "{kind}-label.png"),
    "sample --grid classes": _sample("-n", "3", "--grid", "classes", "--out", "{kind}-grid.png"),
    "sample --latent": _sample("--latent", "1+2", "--out", "{kind}-latent.png"),
    "sample --direction": _sample("-n", "3", "--direction", "1"),
    "sample --interpolate": _sample("-n", "3", "--interpolate", "--frames", "3", "--out", "{kind}-walk.png"),
    "invert": lambda at: ["invert", at.run, f"{SIDES}/trainA/0.png", "--steps", "1"],
    "evaluate": lambda at: ["evaluate", at.run, *at.measured()],
    "evaluate --against": lambda at: ["evaluate", at.run, "--against", at.name, *at.measured(), "--out", "a.json"],
    "evaluate FOLDER --against": lambda at: ["evaluate", at.folder, "--against", at.name, *at.measured()],
    "compare": lambda at: ["compare", at.run],
    "report": lambda at: ["report", at.run],
    "doctor": lambda at: ["doctor", at.run],
    "doctor FOLDER": lambda at: ["doctor", at.folder],
    "tune": lambda at: [
        "tune", *at.data, *FEW.split(), *at.measured("evaluate-"), "--trials", "1", "--out", f"tune-{at.kind}",
    ],
}  # fmt: skip
"""Commands by the name of their row, in an order in which each finds what it needs."""


def write_sides(folder: Path) -> None:
    """Write 12 images a side, of one name each."""
    random = np.random.default_rng(0)
    for side in ("trainA", "trainB"):
        (folder / SIDES / side).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / SIDES / side / f"{number}.png")
