"""Run by `torchrun` in test_extract_in_two.py: two processes extract features of the same images, each of its share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from tests.recipes.conftest import game, sides
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationContext
from zerosum.evaluation.inputs import extract_stream
from zerosum.features.extract import extract, of_dataset
from zerosum.features.extractor import Features
from zerosum.features.untrained import Random
from zerosum.inference.generate import finished, stream, translate
from zerosum.kinds import open_data
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World

COUNT = 90
SHAPE = (3, 16, 16)


class Counting(Random):
    """Random features that know how many images they are of."""

    seen = 0

    def __call__(self, images: Tensor) -> Features:
        self.seen += len(images)
        return super().__call__(images)


def see(cache: Path, world: World) -> dict[str, Tensor]:
    """Return features of images on the way and of a data set, twice, and how many images were looked at here."""
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (COUNT, *SHAPE), generator=draw, dtype=torch.uint8).split(20)
    extractor, digits = Counting(), open_data("digits")
    own = islice(pictures, world.rank, None, world.size)
    found = {"made": extract(extractor, own, count=COUNT - 5, world=world).features}
    for name in ("read", "again"):
        found[name] = of_dataset(extractor, digits, n=COUNT, seed=1, cache=cache, world=world).features.contiguous()
    return found | {"seen": torch.tensor([extractor.seen])}


def generate(world: World) -> dict[str, Tensor]:
    """Return features and images of samples, points and translations, and how many samples were generated here."""
    context = EvaluationContext(device=torch.device("cpu"), cache=Path(), world=world, progress=None)
    share = {"rank": world.rank, "world": world.size}
    found: dict[str, Tensor] = {}
    generated = 0

    def counting(batches: Iterator[Tensor]) -> Iterator[Tensor]:
        nonlocal generated
        for batch in batches:
            generated += len(batch)
            yield finished(Spec(shape=SHAPE), batch)

    for name, shape in (("dcgan", SHAPE), ("progan", SHAPE), ("infogan", (2,)), ("pix2pix", SHAPE)):
        recipe = game(name, shape).recipe.eval().requires_grad_(False)
        rows = torch.arange(COUNT).numpy() % 64
        samples = (
            translate(recipe, sides(name, shape), rows, 1, **share)
            if name == "pix2pix"
            else stream(recipe, COUNT, 1, **share)
        )
        made = extract_stream(None if len(shape) == 1 else Random(), counting(samples), count=COUNT, context=context)
        found[name] = made.features
        if made.images is not None:
            found[f"{name} images"] = made.images.contiguous()
    return found | {"generated": torch.tensor([generated])}


def refusal(world: World) -> str:
    """Let the second process alone meet a sample that is not finite, and return what is said here."""
    batches = (
        finished(Spec(shape=SHAPE), torch.full((4, *SHAPE), 0.0 if world.is_first else float("nan"))) for _ in range(2)
    )
    try:
        extract(Random(), batches, count=8, world=world)
    except InputError as error:
        return str(error)
    return "nothing was refused"


if __name__ == "__main__":
    torch.set_num_threads(1)
    out, here = Path(sys.argv[1]), distributed.join(torch.device("cpu"))
    found = see(out / "cache", here) | generate(here)
    safetensors.torch.save_file(found, out / f"{here.rank}.safetensors")
    (out / f"{here.rank}.txt").write_text(refusal(here))
