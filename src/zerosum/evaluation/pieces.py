"""Features of a large set of images in pieces, on as many machines as there are: moments that add up, and a sample."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.features.extract import BATCH, stream
from zerosum.features.extractor import Extractor
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.moments import Moments, merge, moments
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.paths import require_writable
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.runtime.untrusted_json import parse

NEIGHBOURS = 5
"""Neighbours by which density and coverage are taken: as many other images have to be there."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Features of some parts of a set of images."""

    moments: Moments
    """Of all images of the parts."""

    kept: Tensor
    """(K, F) float32: those of the images that are in the sample, in the order of the set."""

    fingerprint: str
    """Of the set."""

    extractor: str
    """Identity of what saw the images."""

    total: int
    """Images of the set."""

    keep: int
    """Images of the whole set that the sample has."""

    of: int
    """Parts of the set."""

    parts: tuple[int, ...]
    """Numbers of the parts that are here, from 1."""

    network: str = ""
    """The extractor as it was asked for; empty where that was not written yet."""

    shape: tuple[int, ...] = ()
    """(C, H, W) of an image, before the extractor's own resizing."""

    @property
    def is_whole(self) -> bool:
        """Whether all parts are here."""
        return self.parts == tuple(range(1, self.of + 1))


def piece_of(
    extractor: Extractor,
    dataset: SampleDataset,
    part: tuple[int, int],
    *,
    keep: int,
    network: str = "",
    progress: ProgressCallback | None = None,
) -> Piece:
    """Extract the features of part i of n of a set of images.

    Args:
        extractor: network whose features are taken.
        dataset: the whole set.
        part: (i, n), 1 <= i <= n.
        keep: images of the whole set whose features are kept, drawn without repetition, the same for every n.
        network: what the extractor was asked for by.
        progress: told "features", and how many images are done of how many.

    Raises:
        InputError: the set has fewer images than parts.
    """
    number, of = part
    total = len(dataset)
    start, stop = ((number - 1) * total // of, number * total // of)
    if start == stop:
        raise InputError(f"{dataset.source} has {total:,} images, fewer than {of:,} parts: give fewer parts.")
    sampled = np.zeros(total, np.bool_)
    sampled[np.random.default_rng(0).permutation(total)[:keep]] = True
    own = [np.arange(at, min(at + BATCH, stop)) for at in range(start, stop, BATCH)]
    seen = stream(extractor, map(dataset.real, own), count=stop - start, progress=progress)
    kept: list[Tensor] = []

    def chunks() -> Iterator[Tensor]:
        for rows, found in zip(own, seen, strict=True):
            kept.append(found.features[torch.from_numpy(sampled[rows])].float())
            yield found.features

    found = moments(chunks())
    return Piece(
        moments=found, kept=torch.cat(kept), fingerprint=dataset.fingerprint, extractor=str(extractor.identity),
        total=total, keep=min(keep, total), of=of, parts=(number,), network=network, shape=tuple(dataset.spec.shape),
    )  # fmt: skip


def merged(pieces: Sequence[Piece]) -> Piece:
    """Join pieces of one set; their moments are those of one pass, to rounding.

    Raises:
        InputError: they are of several sets or extractors, or a part is there twice.
    """
    first = pieces[0]
    for piece in pieces:
        for name in ("fingerprint", "extractor", "of", "keep"):
            if getattr(piece, name) != getattr(first, name):
                values = f"{getattr(first, name)} and {getattr(piece, name)}"
                raise InputError(f"Pieces of different sets cannot be joined: their {name} is {values}.")
    ordered = sorted(pieces, key=lambda piece: piece.parts)
    parts = [part for piece in ordered for part in piece.parts]
    if twice := {part for part in parts if parts.count(part) > 1}:
        raise InputError(f"Part {min(twice)} of {first.of} is given twice: give each once.")
    return Piece(
        moments=merge(*(piece.moments for piece in ordered)), kept=torch.cat([piece.kept for piece in ordered]),
        fingerprint=first.fingerprint, extractor=first.extractor, total=first.total, keep=first.keep, of=first.of,
        parts=tuple(sorted(parts)), network=first.network, shape=first.shape,
    )  # fmt: skip


def compared(real: Piece, fake: Piece) -> list[str]:
    """Compare two sets by their pieces, in sentences.

    Raises:
        InputError: other features on each side.
    """
    if real.extractor != fake.extractor:
        raise InputError(f"The features are of {fake.extractor} and {real.extractor}: compare those of one network.")
    if min(piece.moments.count for piece in (real, fake)) < 2:
        raise InputError("A file of features is of 1 image, and a comparison needs 2 on each side: give more images.")
    distance = frechet_distance(real.moments, fake.moments)
    said = [
        f"Frechet distance {distance.value:.4f}, of {fake.moments.count:,} images, {real.moments.count:,} real ones.",
        *(f"Note: {note}" for note in (*distance.notes, *_sizes(real, fake))),
    ]
    if (kept := min(len(piece.kept) for piece in (real, fake))) <= NEIGHBOURS:
        few = f"features of {kept} are kept, and they need {NEIGHBOURS + 1} on each side: extract with a larger --keep"
        return [*said, f"precision, recall, density and coverage left out: {few}."]
    scores = fidelity_diversity(real.kept, fake.kept, k_density=NEIGHBOURS)
    return [
        *said,
        f"precision {scores.precision:.4f}, recall {scores.recall:.4f}, density {scores.density:.4f}, coverage "
        f"{scores.coverage:.4f}, of a sample of {len(fake.kept):,} images, {len(real.kept):,} real ones.",
    ]


def _sizes(real: Piece, fake: Piece) -> list[str]:
    """Say where images came to the network at two sizes: resizing alone makes a distance."""
    if () in (real.shape, fake.shape) or real.shape == fake.shape:
        return []
    ours, theirs = ("x".join(map(str, piece.shape)) for piece in (fake, real))
    return [f"the images are of {ours} and the real ones of {theirs}, and resizing alone makes a distance."]


def write(piece: Piece, out: Path) -> None:
    """Write a piece as a .npz.

    Raises:
        StorageError: the disk refuses.
    """
    names = ("fingerprint", "extractor", "total", "keep", "of", "parts", "network", "shape")
    about = json.dumps({name: getattr(piece, name) for name in names})
    found = piece.moments
    with replacing(out) as partial, partial.open("wb") as file:
        np.savez(
            file, about=np.array(about), count=np.array(found.count), mean=found.mean.numpy(),
            scatter=found.scatter.numpy(), kept=piece.kept.numpy(),
        )  # fmt: skip


def read(path: Path) -> Piece:
    """Read what `write` wrote.

    Raises:
        InputError: it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = parse(str(file["about"]))
            count, mean, scatter, kept = (file[name] for name in ("count", "mean", "scatter", "kept"))
            about |= {name: tuple(about.get(name, ())) for name in ("parts", "shape")}
            _require_whole(mean, scatter, kept)
            found = Moments(int(count), torch.from_numpy(mean), torch.from_numpy(scatter))
            return Piece(moments=found, kept=torch.from_numpy(kept), **about)
    except OSError as error:
        raise InputError(
            f"{path} holds no features that `zerosum features` wrote ({error.strerror or error})."
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error):
        raise InputError(  # numpy's words on what is damaged are of pickles
            f"{path} holds no features that `zerosum features` wrote, or is damaged: extract them again, with "
            f"zerosum features DATA --out FILE.npz."
        ) from None


def require_place(path: Path) -> Path:
    """Check that features may be written at a path, before they are extracted: a new .npz, or over other features.

    Raises:
        InputError: they may not.
    """
    if path.suffix.lower() != ".npz" or path.is_dir():
        raise InputError(f"--out is {path}, and features are written as .npz: give a name that ends in .npz.")
    if path.exists():
        try:
            read(path)
        except InputError:
            raise InputError(
                f"--out is {path}, which holds no features and stays as it is: give another name."
            ) from None
    require_writable(path)
    return path


def _require_whole(mean: np.ndarray, scatter: np.ndarray, kept: np.ndarray) -> None:
    """See that moments and kept features are finite and of one width F: (F,), (F, F) and (K, F).

    Raises:
        ValueError: they are not.
    """
    width = mean.shape[-1]
    if (mean.shape, scatter.shape, kept.shape[1:]) != ((width,), (width, width), (width,)):
        raise ValueError("the widths differ")
    if not all(np.isfinite(values).all() for values in (mean, scatter, kept)):
        raise ValueError("values are not finite")
