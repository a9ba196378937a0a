"""Ageing digits: is the group reached, and is the digit kept? By classifiers that had no part in the fit.

    python -m bench.ageing [--run runs/aged] [--rounds 3000] [--images 200] [--save]

Trains age_cgan on aged-digits, or takes the run that is there. Each test image is brought to a group drawn at random
among the others, by the latent of the encoder alone, after a fit of pixels, and after fits of identity, by the
classifier of digits and by that of generated families. The independent classifiers learn the half of the training
images that the others do not, with seeds of their own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.results import save, table
from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.data.options import DataConfig
from zerosum.data.sources import aged_digits
from zerosum.features.classifier import Classifier, fit
from zerosum.inference.identity import identity
from zerosum.kinds import open_data
from zerosum.metrics.bootstrap import share_interval
from zerosum.run.directory import Run
from zerosum.run.load import load
from zerosum.runtime.progress import Silent

WAYS = {"encoder alone": None, "pixels": "pixels", "families": "families", "digits": "classifier"}
"""How latents are fitted, by the name of the identity network."""

EPOCHS = 40


def cell(right: Tensor) -> str:
    """Lay out a share with its interval, in percent."""
    found = share_interval(float(right.double().mean()), len(right))
    return f"{100 * float(right.double().mean()):.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def told(classifier: Classifier, images: Tensor) -> Tensor:
    """Classify (N, C, H, W) images in [-1, 1]: (N,)."""
    logits = classifier(to_uint8(images)).logits
    assert logits is not None
    return logits.argmax(1)


def independent(labels: np.ndarray, classes: int, *, seed: int) -> Classifier:
    """Train a classifier on every second image, those that the networks of identity and groups do not learn."""
    rows = np.arange(len(labels))[1::2]
    images = open_data(aged_digits.NAME).real(rows)
    return fit(images, torch.from_numpy(labels[rows]), classes=classes, epochs=EPOCHS, seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", type=Path, default=Path("runs/aged"))
    parser.add_argument("--rounds", type=int, default=3_000)
    parser.add_argument("--images", type=int, default=200, help="test images")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/ageing.json too")
    options = parser.parse_args()
    if not (options.run / "run.json").exists():
        api.train(aged_digits.NAME, recipe="age_cgan", run=options.run, rounds=options.rounds, progress=Silent())
    elif int(Run.open(options.run).latest().name) < options.rounds:
        api.resume(options.run, rounds=options.rounds, progress=Silent())
    model: Any = load(options.run, device="cpu")
    train, test = (open_data(aged_digits.NAME, options=DataConfig(split=split)) for split in ("train", "test"))
    assert train.labels is not None
    assert test.labels is not None
    groups = independent(train.labels, len(aged_digits.GROUPS), seed=7)
    digits = independent(aged_digits.identities("train"), 10, seed=8)
    rows = np.arange(options.images)
    images, of = to_float(test.real(rows)), torch.from_numpy(test.labels[rows])
    shown = torch.from_numpy(aged_digits.identities("test")[rows])
    draw = np.random.default_rng(0).integers(1, len(aged_digits.GROUPS), options.images)
    to = (of + torch.from_numpy(draw)) % len(aged_digits.GROUPS)
    lines = [["latent", "group reached, %", "digit kept, %", "digit of the reconstruction, %"]]
    lines.append(["test images themselves", cell(told(groups, images) == of), cell(told(digits, images) == shown), ""])
    for name, asked in WAYS.items():
        embedding = None if asked is None else identity(options.run, model, asked).embedding
        latents = model.fit_latents(images, of, embedding, 0 if asked is None else 50)
        with torch.no_grad():
            aged, same = (model.sample(len(of), latent=latents, labels=labels) for labels in (to, of))
        reached, kept, again = told(groups, aged) == to, told(digits, aged) == shown, told(digits, same) == shown
        lines.append([name, cell(reached), cell(kept), cell(again)])
        print(table([lines[0], lines[-1]]), flush=True)
    remark = (
        f"{options.images} test images of aged-digits, each brought to another group drawn at random, by a run of "
        f"age_cgan of {int(Run.open(options.run).latest().name):,} rounds (preset small, one seed); 95 % intervals are "
        "Wilson's. Shares are of classifiers that had no part in the fit."
    )
    print(table(lines), remark, sep="\n\n")
    if options.save:
        save("ageing", "Ageing digits: group reached and digit kept", lines, [remark])


if __name__ == "__main__":
    main()
