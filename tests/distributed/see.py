"""Run by `torchrun` in test_extract_in_two.py: two processes see the same images, each its share."""

from __future__ import annotations

import sys
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from zerosum.features.extract import extract, of_dataset
from zerosum.features.extractor import Features
from zerosum.features.untrained import Random
from zerosum.kinds import open_data
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World

COUNT = 90


class Counting(Random):
    """Random features that know how many images they have seen."""

    seen = 0

    def __call__(self, images: Tensor) -> Features:
        self.seen += len(images)
        return super().__call__(images)


def see(cache: Path, world: World) -> dict[str, Tensor]:
    """Return features of images on the way and of a data set, twice, and how many images were looked at here."""
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (COUNT, 3, 16, 16), generator=draw, dtype=torch.uint8)
    extractor, digits = Counting(), open_data("digits")
    found = {"made": extract(extractor, pictures.split(20), count=COUNT - 5, world=world).features}
    for name in ("read", "again"):
        found[name] = of_dataset(extractor, digits, n=COUNT, seed=1, cache=cache, world=world).features.contiguous()
    return found | {"seen": torch.tensor([extractor.seen])}


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, here = Path(sys.argv[1]), distributed.join(torch.device("cpu"))
    safetensors.torch.save_file(see(out / "cache", here), out / f"{here.rank}.safetensors")
