"""`zerosum features`: features of a large set of images in pieces, on several machines, and what they add up to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

import tyro
from pydantic import PositiveInt

from zerosum import kinds
from zerosum.cli import flags
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation import pieces
from zerosum.features.find import find
from zerosum.runtime.device import pick_device
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say


@dataclass(frozen=True, kw_only=True)
class FeaturesOf:
    """Extract features of a large set of images in pieces, join them, and compare sets by them."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = ""
    """Images, as for `zerosum train`; nothing with --merge."""

    part: str = "1/1"
    """Which part, as 3/16. Parts are extracted apart, on as many machines as there are."""

    merge: tuple[Path, ...] = ()
    """Files of parts, to be joined."""

    against: Path | None = None
    """With --merge, the features of real images, to compare with."""

    out: Path | None = None
    """File to write, a .npz."""

    features: str = "inception"
    """Network whose features are taken: inception, inception-768, pixels, random, hf:NAME or inception:PATH."""

    keep: PositiveInt = 10_000
    """Images of the whole set whose features are kept, for precision, recall, density and coverage."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    options: Annotated[DataConfig, tyro.conf.arg(name="data")] = field(default=DataConfig())


def run(arguments: list[str]) -> None:
    """Do what is asked, and say what came of it."""
    given: FeaturesOf = flags.parse(FeaturesOf, arguments, prog="zerosum features")
    if bool(given.data) == bool(given.merge):
        raise InputError("Give DATA to extract features of, or --merge FILE ... to join what was extracted.")
    if given.out is None and given.against is None:
        raise InputError("Nothing would come of it: add --out FILE.npz, or --against FILE.npz to compare.")
    if given.out is not None:
        pieces.require_place(given.out)
    real = None if given.against is None else pieces.read(given.against)
    piece = pieces.merged([pieces.read(path) for path in given.merge]) if given.merge else _extracted(given)
    if given.out is not None:
        pieces.write(piece, given.out)
    parts = f"all {piece.of} parts" if piece.is_whole else f"{len(piece.parts)} of {piece.of} parts"
    say(f"{piece.moments.count:,} of {piece.total:,} images, {parts}; features of {len(piece.kept):,} are kept.")
    if real is not None:
        say(*pieces.compared(real, piece))


def _extracted(given: FeaturesOf) -> pieces.Piece:
    number, of = _part(given.part)
    if given.features == "classifier":
        raise InputError(
            "--features classifier learns from the data at hand, so that two sets would have features of two networks: "
            "give inception, inception-768, pixels, random or hf:NAME."
        )
    device, progress = pick_device(given.device), make_progress()
    told = progress_callback(progress)
    try:
        dataset = kinds.open_data(given.data, options=given.options.checked(), progress=told)
        if not isinstance(dataset, SampleDataset) or not kinds.find(dataset.spec.kind).pictures:
            raise InputError(f"{given.data} is made of {kinds.find(dataset.spec.kind).unit}: pieces are of images.")
        network = find(
            given.features, reference=dataset, cache=given.options.cache_folder(), progress=told, device=device
        )
        return pieces.piece_of(
            network,
            cast(SampleDataset, dataset),
            (number, of),
            keep=given.keep,
            network=given.features,
            progress=told,
        )
    finally:
        progress.close()


def _part(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of:
        raise InputError(f"--part is {text}: give the number of the part and how many there are, as 3/16.")
    return number, of
