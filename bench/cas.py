"""What generated samples are good for: the classification accuracy score on Fashion-MNIST, and whether they help.

    python -m bench.cas [--folder runs/cas] [--rounds 1500] [--saw 60000] [--few 100,1000] [--save]

Trains a small DCGAN for each class, in a run directory each; what is there already is gone on with or taken as it is.
Then small classifiers learn from samples, from real images, and from both, and are tested on real test images. With
--saw 5000 --few 5000 the generators see no other images than the classifier that is to be helped.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import zerosum
from bench.results import save, table
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.data.options import DataConfig
from zerosum.evaluation.probes.cas import classification_accuracy_score, small_classifier, synthetic_help
from zerosum.evaluation.probes.labelled_images import LabelledImages, balanced, labelled, made
from zerosum.kinds import open_data
from zerosum.metrics.repeats import RepeatedResult, repeated
from zerosum.run.directory import Run
from zerosum.runtime import device
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.progress import Silent

DATA, CLASSES = "fashion-mnist", 10


def place(kind: int, options: argparse.Namespace) -> Path:
    """Name the run directory of a class by all that changes its training but the rounds."""
    return options.folder / f"class-{kind}-of-{options.saw}-width-{options.width}"


def train(kind: int, real: LabelledImages, options: argparse.Namespace) -> None:
    """Bring the DCGAN of a class to its last round, from nothing or from where it stands."""
    run = place(kind, options)
    data = run.with_name(f"class-{kind}-of-{options.saw}.npy")
    if not data.exists():
        with replacing(data) as partial, partial.open("wb") as file:
            np.save(file, real[real.labels == kind].images.permute(0, 2, 3, 1).numpy())
    quiet = {"progress": Silent(), "save_every": 500, "preview_every": 500}
    if not (run / "run.json").exists():
        settings = {"rounds": options.rounds, "width": options.width, "batch": 64, "seed": kind}
        api.train(data, recipe="dcgan", run=run, **settings, **quiet)
    elif int(Run.open(run).latest().name) < options.rounds:
        api.resume(run, rounds=options.rounds, progress=quiet["progress"])
    stands = int(Run.open(run).latest().name)
    print(f"class {kind}: {stands:,} rounds", flush=True)
    if stands != options.rounds:
        sys.exit(f"{run} stands at round {stands:,} of {options.rounds:,}: the same command goes on, if it has fewer.")


def samples(options: argparse.Namespace, kind: int, n: int) -> Tensor:
    """Have the DCGAN of a class make n images: (n, 1, 28, 28) uint8."""
    recipe = zerosum.load(place(kind, options), device="cpu")
    torch.manual_seed(1000 + kind)
    with torch.no_grad():
        return torch.cat([to_uint8(recipe.sample(min(250, n - start))) for start in range(0, n, 250)])


def cell(found: RepeatedResult, *, sign: str = "") -> str:
    """Lay a share out with its interval, in percent."""
    low, high = found.interval.low, found.interval.high
    return f"{100 * found.value:{sign}.1f} ({100 * low:{sign}.1f} to {100 * high:{sign}.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/cas"), help="where the runs lie")
    parser.add_argument("--rounds", type=int, default=1500, help="of each class's DCGAN, at batch 64")
    parser.add_argument("--width", type=int, default=32, help="of the DCGANs")
    parser.add_argument("--saw", type=int, default=60_000, help="real images that the DCGANs are trained on, together")
    parser.add_argument("--few", default="100,1000", help="real images of the classifier to be helped, with commas")
    parser.add_argument("--per-class", type=int, default=3000, help="samples of each class")
    parser.add_argument("--seen", type=int, default=60_000, help="images that a classifier sees in training")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/cas.json too")
    options = parser.parse_args()
    device.keep_freed_memory()
    whole, test = (labelled(open_data(DATA, options=DataConfig(split=split))) for split in ("train", "test"))
    real = whole[balanced(whole.labels, options.saw, classes=CLASSES, seed=0)]
    for kind in range(CLASSES):
        train(kind, real, options)
    generated = made(functools.partial(samples, options), classes=CLASSES, per_class=options.per_class)
    rows, remarks = try_out(generated, whole, real, test, options)
    print(table(rows), *remarks, sep="\n\n")
    if options.save:
        name = "cas" if options.saw == len(whole) else f"cas-{options.saw}"
        save(name, f"Fashion-MNIST: what samples of {options.saw:,} images are good for", rows, remarks)


def try_out(
    generated: LabelledImages,
    whole: LabelledImages,
    real: LabelledImages,
    test: LabelledImages,
    options: argparse.Namespace,
) -> tuple[list[list[str]], list[str]]:
    """Take the score and try whether the samples help."""
    # What was learned from the samples alone, with one seed, is the same in every trial.
    learn = functools.cache(small_classifier(CLASSES, seen=options.seen))
    common = {"classes": CLASSES, "repeats": options.repeats}
    score = classification_accuracy_score(generated, whole, test, learn, **common)
    rows = [["trained on", "real images", "samples", "accuracy on real test images, % (95 % interval)", "against real"]]
    count = f"{len(generated):,}"
    rows.append(["as many real images", count, "0", cell(score.real), ""])
    gained = repeated([-value for value in score.lost.repeats])
    rows.append(["samples alone (CAS)", "0", count, cell(score.generated), cell(gained, sign="+")])
    sentences = [score.meaning]
    for few in map(int, options.few.split(",")):
        found = synthetic_help(generated, real, test, learn, few=few, generator_saw=len(real), **common)
        rows.append(["few real images", f"{few:,}", "0", cell(found.real), ""])
        rows.append(["these and samples", f"{few:,}", count, cell(found.both), cell(found.gain, sign="+")])
        sentences.append(found.meaning)
    protocol = (
        f"A DCGAN of width {options.width} for each class, {options.rounds:,} rounds at batch 64 on {len(real):,} real "
        f"images together; a small classifier that sees about {options.seen:,} images in training, however few are "
        f"different; {options.repeats} repeats, each with a seed, real images and a share of the {len(test):,} test "
        "images of its own. Not comparable with published scores, which are of ResNet-50."
    )
    return rows, [protocol, *sentences]


if __name__ == "__main__":
    main()
