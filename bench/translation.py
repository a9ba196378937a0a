"""How good translation is, measured on images that were not trained on.

    python -m bench.translation pairs RUN ...    pix2pix: beside a nearest neighbour and the mean image;
                                                 --features inception-768:FILE adds the Frechet distance
    python -m bench.translation domains RUN ...  CycleGAN: what comes back, and what a classifier takes results for

Writes docs/benchmarks/translation-pairs.json or translation-domains.json, and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.results import save, table, without_folders
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.data.dataset import Dataset
from zerosum.features.classifier import Classifier, accuracy, fit
from zerosum.inference.translate import translate
from zerosum.kinds import open_as, open_splits
from zerosum.kinds.domains import DomainDataset
from zerosum.kinds.pairs import PairDataset
from zerosum.run.config import read_config
from zerosum.run.directory import Run
from zerosum.run.load import load
from zerosum.tasks import TranslationRecipe
from zerosum.text import duration
from zerosum.training.preview import measure

CPU = torch.device("cpu")


def opened(run: Run) -> tuple[TranslationRecipe, Dataset, Dataset]:
    """Open a run: its model, its training data, and data that it has not seen."""
    plan, recipe = read_config(run), load(run.path)
    assert isinstance(recipe, TranslationRecipe)
    training = open_as(recipe.data, plan.data, options=plan.options)
    _, apart = next(open_splits(recipe.data, plan.data, options=plan.options), (None, None))
    if apart is None:
        raise SystemExit(f"The data of {run.path} have no split test or val to measure on.")
    return recipe, training, apart


def pairs(run: Run, features: str | None = None) -> tuple[list[list[str]], list[str]]:
    """Compare translations with their targets, beside what needs no network.

    Args:
        run: of pairs of images.
        features: by which all are compared with the training targets as well; None for pixels alone.
    """
    recipe, training, apart = opened(run)
    assert isinstance(training, PairDataset)
    assert isinstance(apart, PairDataset)
    known, asked = (data.batch(np.arange(len(data))).to(CPU) for data in (training, apart))
    closest = torch.cdist(asked.source.flatten(1), known.source.flatten(1), p=1).argmin(1)
    guesses = {
        "translated": translate(recipe, asked.source, batch=8, seed=0, chosen={}),
        "target of the nearest training source (L1)": known.target[closest],
        "mean of the training targets": known.target.mean(0, keepdim=True).expand_as(asked.target),
        "median of the training targets": known.target.median(0, keepdim=True).values.expand_as(asked.target),
    }
    found = {name: measure(guess, asked.target) for name, guess in guesses.items()}
    names = ["l1", "psnr_rgb", "ssim_rgb", "psnr_y", "ssim_y"]
    rows = [["of held-out pairs", *names]]
    rows += [
        [name, *(f"{values[key]:.3f}" if key in values else "" for key in names)] for name, values in found.items()
    ]
    told = [f"{len(asked)} pairs of the split that is not trained on. l1 is in units of [-1, 1]; PSNR in decibels."]
    if features is not None:
        name = f"FID-{features.partition(':')[0]}"
        rows.append(["the targets themselves", *[""] * len(names)])
        for row, images in zip(rows, [None, *guesses.values(), asked.target], strict=True):
            row.append(name if images is None else frechet(images, known.target, features))
        told.append(
            f"{name}: {len(asked)} images compared with the {len(known)} training targets, with a 95 % interval. Few "
            "images bias a Frechet distance upwards: compare it with that of the targets themselves."
        )
    return rows, told


def frechet(images: Tensor, known: Tensor, features: str) -> str:
    """Return the Frechet distance of (N, 3, H, W) images to known ones, with its interval."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / f"{name}.npy" for name in ("made", "known")]
        for place, side in zip(places, (images, known), strict=True):
            np.save(place, to_uint8(side).permute(0, 2, 3, 1).numpy())
        made, against = places
        size = "x".join(map(str, images.shape[2:]))
        found = api.evaluate(
            made, against=str(against), metrics="fid", features=features, size=size, count=len(images)
        ).figures[0]
    bounds = "" if found.interval is None else f" ({found.interval.low:.2f} to {found.interval.high:.2f})"
    return f"{found.value:.2f}{bounds}"


def domains(run: Run) -> tuple[list[list[str]], list[str]]:
    """Translate there and back, and ask a classifier of the two domains what it sees."""
    recipe, training, apart = opened(run)
    assert isinstance(training, DomainDataset)
    assert isinstance(apart, DomainDataset)
    a, b = _tensors(apart)
    there, here = (_translated(recipe, x, way) for x, way in ((a, "AtoB"), (b, "BtoA")))
    back, forth = (_translated(recipe, x, way) for x, way in ((there, "BtoA"), (here, "AtoB")))
    judges = [_judge(training, seed) for seed in range(3)]
    right = [accuracy(judge, *_labelled(apart)) for judge in judges]
    rows = [["held-out images", "count", "taken for the other domain", "the same before", "L1 to themselves, back"]]
    for name, images, made, returned, other in (("A to B", a, there, back, 1), ("B to A", b, here, forth, 0)):
        passing, before = (_spread([_share(judge, x, other) for judge in judges]) for x in (made, images))
        rows.append([name, f"{len(images)}", passing, before, f"{(images - returned).abs().mean():.3f}"])
    told = (
        f"The classifiers (zerosum.features.classifier, 3 seeds, 12 epochs, half of the images mirrored) learned the "
        f"two domains from the training images and tell {_spread(right)} of the held-out real ones right. L1 is in "
        "units of [-1, 1]: a mean over pixels, of an image and its translation there and back."
    )
    return rows, [told]


def _tensors(data: DomainDataset) -> tuple[Tensor, Tensor]:
    rows = np.arange(max(data.lengths))
    batch = data.batch(rows[: data.lengths[0]], rows[: data.lengths[1]]).to(CPU)
    return batch.a, batch.b


def _labelled(data: DomainDataset) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.concatenate([data.a, data.samples])).permute(0, 3, 1, 2)
    return images, torch.arange(2).repeat_interleave(torch.tensor(data.lengths))


def _judge(training: DomainDataset, seed: int) -> Classifier:
    images, labels = _labelled(training)
    both = torch.cat([images, images.flip(3)]), labels.repeat(2)
    return fit(*both, classes=2, epochs=12, seed=seed)


def _share(judge: Classifier, images: Tensor, domain: int) -> float:
    octets = images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return accuracy(judge, octets, torch.full((len(images),), domain))


def _spread(shares: list[float]) -> str:
    return f"{sum(shares) / len(shares):.0%} ({min(shares):.0%} to {max(shares):.0%})"


def _translated(recipe: TranslationRecipe, images: Tensor, direction: str) -> Tensor:
    return translate(recipe, images, batch=8, seed=0, chosen={"direction": direction})


def main() -> None:
    parser = argparse.ArgumentParser(description="How good translation is.")
    parser.add_argument("what", choices=["pairs", "domains"])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--features", help="of pairs: compare by the Frechet distance too, as inception-768:FILE")
    parser.add_argument("--save", action="store_true", help="write it into docs/benchmarks too")
    options = parser.parse_args()
    kinds: dict[str, Callable[[Run], tuple[list[list[str]], list[str]]]] = {
        "pairs": partial(pairs, features=options.features),
        "domains": domains,
    }
    rows, remarks = [], []
    for run in map(Run.open, options.runs):
        (header, *body), told = kinds[options.what](run)
        rows = rows or [["run", *header]]
        rows += [[run.path.name, *row] for row in body]
        last = run.history()[-1]
        remarks += told
        remarks.append(
            f"{run.path.name}: trained by `{without_folders(shlex.split(run.description['command']))}`; "
            f"{last['round']:,} rounds, {last['seen'] / run.description['data']['count']:.0f} epochs, "
            f"{duration(last['seconds'])} on one core of a machine shared with other work."
        )
    remarks = list(dict.fromkeys(remarks))
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        title = {"pairs": "Translation from pairs", "domains": "Translation without pairs"}[options.what]
        save(f"translation-{options.what}", title, rows, remarks)


if __name__ == "__main__":
    main()
