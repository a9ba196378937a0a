"""The sizes at which the two images of a pair are packed."""

from __future__ import annotations

from dataclasses import replace

from zerosum.data.options import DataConfig
from zerosum.data.packing.scan import Scan
from zerosum.data.side_choice import choose_sides
from zerosum.data.sources.image_files import ImageFiles
from zerosum.errors import InputError

SKEW = 0.02
"""How far, as a share, the aspects of a source and its target may differ: roundings of an exact scaling do."""


def agree(sides: tuple[ImageFiles, ImageFiles], a: Scan, b: Scan, options: DataConfig) -> tuple[DataConfig, DataConfig]:
    """Decide one size for both sides; their channels may differ. Tiles keep the factor between the two.

    Args:
        sides: The image files of A and of B, partners at the same places.
        a: What the files of A are.
        b: What the files of B are.
        options: What the user asked for.

    Returns:
        The options that each side is packed with.

    Raises:
        InputError: The images of a pair are of other shapes, or not of one factor where tiles are cut.
    """
    if options.fit == "tiles":
        return _tiles(sides, a, b, options)
    for first, second in zip(sides[0].names, sides[1].names, strict=True):
        one, other = a.facts.get(first), b.facts.get(second)
        if one and other and abs(one.width * other.height / (one.height * other.width) - 1) > SKEW:
            raise InputError(
                f"{first} is {one.height}x{one.width} (height x width) and its partner {second} "
                f"{other.height}x{other.width}: the images of a pair need the same shape, for one of them would be cut."
            )
    height, width = choose_sides(
        {(f.height, f.width) for survey in (a, b) for f in survey.facts.values()},
        options,
    )
    settled = replace(options, size=f"{height}x{width}", labels="none")
    return settled, settled


def _tiles(
    sides: tuple[ImageFiles, ImageFiles], a: Scan, b: Scan, options: DataConfig
) -> tuple[DataConfig, DataConfig]:
    """Decide the sizes of tiles that lie at the same places of both images of a pair; --size is that of the targets."""
    forward = options.direction == "AtoB"
    (sources, given), (targets, wanted) = ((sides[0], a), (sides[1], b)) if forward else ((sides[1], b), (sides[0], a))
    pairs = [
        (source, target, given.facts[source], wanted.facts[target])
        for source, target in zip(sources.names, targets.names, strict=True)
        if source in given.facts and target in wanted.facts
    ]
    factor = max(1, pairs[0][3].height // pairs[0][2].height) if pairs else 1
    for source, target, small, large in pairs:
        if (large.height, large.width) != (factor * small.height, factor * small.width):
            raise InputError(
                f"{target} is {large.height}x{large.width} (height x width) and its source {source} "
                f"{small.height}x{small.width}: for --fit tiles every target must be exactly "
                f"{f'{factor} times' if factor > 1 else 'as large as'} its source, or make sources with --degrade."
            )
    sizes = {(large.height, large.width) for *_, large in pairs}
    height, width = choose_sides(sizes, options)
    if sizes and not any(tall >= height and wide >= width for tall, wide in sizes):
        fit = _below(max(min(size) for size in sizes), factor)
        raise InputError(f"No target holds a tile of {height}x{width} pixels: --size {fit} would fit.")
    if any(side % factor or side // factor // 2 * factor != side // 2 for side in (height, width)):
        fit = "x".join(str(_below(side, factor)) for side in (height, width))
        raise InputError(
            f"Tiles of {height}x{width} do not lie on whole pixels of sources {factor} times smaller: --size {fit} "
            "would fit."
        )
    small, large = (replace(options, size=f"{height // n}x{width // n}", labels="none") for n in (factor, 1))
    return (small, large) if forward else (large, small)


def _below(side: int, factor: int) -> int:
    """Return the largest side of a tile, up to `side`, whose half is whole pixels of sources `factor` times smaller."""
    return max(1, side // (2 * factor)) * 2 * factor
