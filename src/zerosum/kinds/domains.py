"""Two domains without pairs: horses and zebras, photographs and paintings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from zerosum.data.batch import Domains
from zerosum.data.dataset import Dataset, channels_first, gather, random_images
from zerosum.data.jitter import Draw, views
from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import joined
from zerosum.data.packing.cache import key_of
from zerosum.data.packing.scan import Scan
from zerosum.data.shard_domains import shard_domains
from zerosum.data.side_choice import choose_sides
from zerosum.data.sizes import like
from zerosum.data.sources.find import name_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.indexed import find_indexed
from zerosum.data.sources.splits import choose_split
from zerosum.data.spec import Spec
from zerosum.data.two_sided import files_at, pack_sides, side_notes, two_folders
from zerosum.errors import InputError
from zerosum.kinds import images
from zerosum.kinds.base import Kind
from zerosum.media.image_arrays import TIFFS
from zerosum.runtime.thread_pool import ProgressCallback


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainDataset(Dataset):
    """Images of two domains, of one shape, each shuffled on its own; `samples` are those of domain B."""

    a: np.ndarray
    """(M, H, W, C) uint8 or uint16."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Images of domain A and of domain B."""
        return (len(self.a), len(self.samples))

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Domains:
        """Gather images of both domains, each with a view of its own.

        Args:
            rows: (N,) integers in [0, M) and (N,) in [0, L); given once, they are taken around each domain's end.
            draw: varies the images.
        """
        first, second = (rows[0], rows[-1]) if len(rows) == 2 else (rows[0] % len(self.a), rows[0] % len(self.samples))
        a, b = gather(self.a, first), gather(self.samples, second)
        if draw is not None:
            a, b = views(a, draw, side=0), views(b, draw, side=1)
        return Domains(a=channels_first(a), b=channels_first(b))


def open_domains(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> DomainDataset:
    """Open two domains.

    Args:
        source: A folder or .zip with the folders trainA and trainB (testA, testB for the split test), or A and B, or
            any two; shards of two classes, or with such folders in them; with `options.target`, the images of the
            first domain alone, and those of the second there.
        options: Direction, size and all else.
        progress: Told of stages.

    Raises:
        InputError: There are no such data, or a domain is empty.
        StorageError: The cache cannot be written to.
    """
    options = options.checked()
    if options.degrade is not None:
        raise InputError("--degrade makes pairs, and this recipe learns from two unpaired domains: leave it out.")
    (a, b), said = _sides(source, options, progress)
    sides = (a, b) if options.direction == "AtoB" else (b, a)
    packs = pack_sides(sides, "whole", options, lambda a, b: _agree(a, b, options), progress)
    titles = tuple(f"{letter}, {side.place}" for letter, side in zip("AB", sides, strict=True))
    return DomainDataset(
        a=packs[0].samples,
        samples=packs[1].samples,
        spec=Spec(
            shape=packs[1].spec.shape,
            kind="domains",
            source_shape=packs[0].spec.shape,
            bits=packs[1].spec.bits,
            range=joined(packs[0].spec.range, packs[1].spec.range),
        ),
        source=name_of(source),
        fingerprint=key_of(packs[0].fingerprint, packs[1].fingerprint),
        notes=(
            f"Domain A has {len(packs[0].samples):,} images, domain B {len(packs[1].samples):,}; they are shuffled "
            "apart.",
            *said,
            *side_notes(packs, sides, titles),
        ),
    )


def _sides(
    source: str | Path, options: DataConfig, progress: ProgressCallback | None
) -> tuple[tuple[ImageFiles, ImageFiles], tuple[str, ...]]:
    """Find the files of both domains, and say how they are told apart where their places do not."""
    if options.target is not None:
        a, b = (
            find_indexed(place, options, progress) or choose_split(files_at(place), options)
            for place in (source, options.target)
        )
        return (a, b), ()
    if (indexed := find_indexed(source, options, progress)) is not None:
        sides, told = shard_domains(indexed, options)
        return sides, (f"{sides[0].place} and {sides[1].place} {told}.",)
    files = files_at(source)
    found = two_folders(files, options, any_names=True)
    if found is None:
        inside = sorted({name.partition("/")[0] for name in files.names if "/" in name})
        has = f"the folders {', '.join(inside[:6])}" if inside else "no folders with images"
        raise InputError(
            f"{files.root} has {has}, not two domains: expected trainA and trainB, or exactly two folders of images, "
            "or the second domain's folder with --target."
        )
    return found, ()


def _agree(a: Scan, b: Scan, options: DataConfig) -> tuple[DataConfig, DataConfig]:
    """Decide one shape for both: a network reads either."""
    facts = [*a.facts.values(), *b.facts.values()]
    height, width = choose_sides({(fact.height, fact.width) for fact in facts}, options)
    channels = options.channels or (3 if any(f.colour for f in facts) else 1) + (a.translucent or b.translucent)
    settled = replace(options, size=f"{height}x{width}", channels=channels, labels="none")
    return settled, settled


def example(spec: Spec, count: int) -> DomainDataset:
    """Make random images of two domains of a spec."""
    fewer = max(1, count * 5 // 8)  # domains need not be of one length
    given = random_images(spec.source_shape or spec.shape, fewer, seed=1)
    samples = random_images(spec.shape, count, seed=0)
    return DomainDataset(a=given, samples=samples, spec=spec, source="random", fingerprint="random", notes=())


KIND = Kind(
    name="domains",
    unit="images",
    batch=Domains,
    recipe=lambda spec, options: "cyclegan",
    open=open_domains,
    unused=("labels",),
    single=False,
    draw=images.draw,
    endings=TIFFS,
    save=images.save,
    like=like,
    example=example,
    memory_format=torch.channels_last,
    paired=False,
)
