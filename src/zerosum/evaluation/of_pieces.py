"""Evaluation of a run by features of real images that were extracted in pieces, without the images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from zerosum import kinds
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import extract_stream
from zerosum.evaluation.measures.base import inception_title
from zerosum.evaluation.pieces import Piece, merged, read
from zerosum.evaluation.protocol import OF_PIECES, Protocol
from zerosum.evaluation.result import Evaluation, MetricResult, finite
from zerosum.evaluation.verdict import verdict
from zerosum.features.extractor import Extractor
from zerosum.features.find import find
from zerosum.inference.generate import finished, stream
from zerosum.kinds.images import ImageDataset
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.moments import Moments, moments, without
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.recipe import Recipe
from zerosum.runtime.paths import expanded
from zerosum.text import command

NAMES = ("fid", "kid", "precision", "recall", "density", "coverage")
LEAST = 20
"""Real images whose features are kept, half of which are compared with the other half."""


def pieces_at(against: str) -> list[Path]:
    """List the files of features that `against` names: one, or several with commas between; none where it is data."""
    paths = [expanded(name) for name in against.split(",")]
    return paths if all(map(_holds_features, paths)) else []


def _holds_features(path: Path) -> bool:
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        with np.load(path, allow_pickle=False) as file:
            return {"about", "scatter", "kept"} <= set(file.files)
    except (OSError, ValueError, EOFError, BadZipFile):
        return False


def evaluate_by_pieces(
    subject: str | Path,
    recipe: Recipe | None,
    paths: list[Path],
    config: EvaluationConfig,
    context: EvaluationContext,
) -> Evaluation:
    """Compare samples of a recipe with the features of a set of images.

    Args:
        subject: the run, as it was typed.
        recipe: its trained recipe, in evaluation mode; None where the subject is no run.
        paths: of the pieces of one set.
        config: what is asked.
        context: where and with what to compute.

    Raises:
        InputError: the pieces do not belong together or do not suit the subject, or a metric is not computed from them.
    """
    if recipe is None:
        raise InputError(
            f"{subject} is no run: `{command('zerosum', 'features', subject)} --out F.npz` extracts its features, and "
            f"`{command('zerosum', 'features', '--merge', 'F.npz', '--against', paths[0])}` compares."
        )
    real = merged([read(path) for path in paths])
    names = _metrics(config)
    _require_fitting(recipe, real, paths[0], config)
    extractor = _extractor(recipe, real, config, context)
    count, seed, world = config.fake_count or config.count, config.seed, context.world
    batches = stream(recipe, count, seed, rank=world.rank, world=world.size)
    fake = extract_stream(extractor, map(partial(finished, recipe.spec), batches), count=count, context=context)
    protocol = _protocol(recipe, real, paths, extractor, count, seed)
    figures = tuple(figure for figure in _figures(real, fake.features, protocol) if figure.metric in names)
    notes = [f"Precision, recall, density, coverage and KID are of a sample of {len(real.kept) // 2:,} real images."]
    if not real.is_whole:
        notes.append(f"The pieces are {len(real.parts)} of {real.of} parts of the set.")
    return Evaluation(
        subject=str(subject),
        round=None,
        protocol=protocol,
        figures=figures,
        notes=tuple(notes),
        verdict=verdict(figures, protocol),
    )


def _figures(real: Piece, fake: torch.Tensor, protocol: Protocol) -> list[MetricResult]:
    """Compute all metrics; their floor is a half of the kept images in the place of the samples."""
    order = torch.from_numpy(np.random.default_rng(protocol.seed).permutation(len(real.kept)))
    half = len(order) // 2
    kept, other = real.kept[order[:half]], real.kept[order[half:]][: len(fake)]
    rest = _rest(real, other)
    title = partial(inception_title, extractor=protocol.extractor)
    subsets = {"subsets": 100, "subset_size": max(2, min(1000, half // 2, len(fake) // 2, len(other) // 2))}
    kernel = partial(kernel_distance, kept, seed=protocol.seed, **subsets)
    scores, floors = (vars(fidelity_diversity(kept, side)) for side in (fake, other))
    distance = frechet_distance(real.moments, moments(fake))
    floor = None if rest is None else finite(frechet_distance(rest, moments(other)).value)
    of_kept = f"{half:,} real images that were kept"
    return [
        MetricResult(
            metric="fid", title=title("FID"), value=finite(distance.value), better="lower", floor=floor,
            settings=f"moments of {real.moments.count:,} real images", notes=distance.notes,
        ),
        MetricResult(
            metric="kid", title=title("KID"), value=finite(kernel(fake).value), better="lower",
            floor=finite(kernel(other).value), settings=f"100 subsets of {subsets['subset_size']:,}, of {of_kept}",
        ),
        *(
            MetricResult(
                metric=name, title=name, value=value, better="higher", floor=floors[name],
                settings=f"k = 3 for precision and recall, 5 for density and coverage, of {of_kept}",
            )
            for name, value in scores.items()
        ),
    ]  # fmt: skip


def _rest(real: Piece, other: torch.Tensor) -> Moments | None:
    """Return the moments of all images but `other`; None where those are most of them."""
    return without(real.moments, moments(other)) if real.moments.count >= 2 * len(other) else None


def _metrics(config: EvaluationConfig) -> tuple[str, ...]:
    names = NAMES if config.metrics is None else tuple(name.strip() for name in config.metrics.split(","))
    if unknown := [name for name in names if name not in NAMES]:
        raise InputError(
            f"{unknown[0]} is not computed from features in pieces: give some of {', '.join(NAMES)}, or images."
        )
    return names


def _require_fitting(recipe: Recipe, real: Piece, path: Path, config: EvaluationConfig) -> None:
    """Refuse what cannot be compared, before a sample is generated."""
    if recipe.task.given != "nothing" or not kinds.find(recipe.spec.kind).pictures:
        raise InputError(f"{path} holds features, for runs that make images from nothing: give data with --against.")
    if config.per_class or config.size is not None or config.split is not None:
        raise InputError(f"{path} holds features of one set: leave out --per-class, --size and --split.")
    if real.shape and real.shape != tuple(recipe.spec.shape):
        raise InputError(
            f"The run makes samples of shape {recipe.spec.shape} and {path} has features of images of shape "
            f"{real.shape}: compare it with images of its own size (zerosum features DATA --size)."
        )
    if len(real.kept) < LEAST:
        raise InputError(f"{path} keeps features of {len(real.kept)} images: extract with --keep {LEAST} or more.")


def _extractor(recipe: Recipe, real: Piece, config: EvaluationConfig, context: EvaluationContext) -> Extractor:
    """Find the network that the features of the pieces are of."""
    name = real.network or config.features or "inception"
    if config.features not in (None, name):
        raise InputError(f"The features are of {name} and --features is {config.features}: leave it out.")
    channels, height, width = recipe.spec.shape
    blank = ImageDataset(
        samples=np.zeros((1, height, width, channels), np.uint8), labels=None, spec=recipe.spec, source="the run",
        fingerprint="", notes=(),
    )  # fmt: skip
    search = partial(find, name, reference=blank, cache=context.cache, device=context.device)
    found = context.world.first_then_others(lambda: search(progress=context.progress))
    if str(found.identity) != real.extractor:
        raise InputError(
            f"The features are of other weights of {name} (digest {real.extractor[:8]}, here {found.identity[:8]}): "
            "extract them again with zerosum features."
        )
    return found


def _protocol(recipe: Recipe, real: Piece, paths: list[Path], extractor: Extractor, count: int, seed: int) -> Protocol:
    return Protocol(
        extractor=extractor.name,
        identity=extractor.identity,
        sees=extractor.protocol,
        data=", ".join(path.name for path in paths),
        split=f"parts {','.join(map(str, real.parts))} of {real.of}",
        fingerprint=real.fingerprint,
        against="the other half of the images that were kept",
        real=real.moments.count,
        fake=count,
        floor=min(count, len(real.kept) - len(real.kept) // 2),
        size="x".join(map(str, recipe.spec.shape)),
        resizer=OF_PIECES,
        seed=seed,
    )
