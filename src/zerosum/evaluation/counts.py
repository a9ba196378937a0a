"""How many samples stand on each side of an evaluation, and how many set its floor."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.splits import Splits


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Samples of an evaluation."""

    real: int
    fake: int
    floor: int
    """Real samples in the place of the generated ones; fewer than those where the data have no more."""

    notes: tuple[str, ...]


def counts_of(splits: Splits, asked: EvaluationConfig, *, unlike: bool = True) -> Counts:
    """Return how many samples there are: as many on all sides, unless `--fake-count` asks for unlike counts.

    Args:
        splits: where the real samples come from; of two domains no image of the first is translated twice.
        asked: the counts that are asked for.
        unlike: whether `--fake-count` may be asked for, which is worth saying where data are short.

    Raises:
        InputError: There are not two for each side.
    """
    if asked.fake_count is None:
        count = _alike(splits, asked.count)
        short = f"{count:,} real samples a side, because the data have no more: --count {asked.count} is not reached"
        short += "; with --fake-count the sides may be unlike." if unlike else "."
        note = short if count < asked.count else ""
        return Counts(real=count, fake=count, floor=count, notes=(note,) if note else ())
    there = len(splits.real.images)
    if splits.other is None:
        real = min(asked.count, there // 2)
        floor = min(asked.fake_count, there - real)
    else:
        real = min(asked.count, there)
        floor = min(asked.fake_count, len(splits.other.images))
    if min(real, floor, asked.fake_count) < 2:
        mend = "--count and --fake-count 2 or more" if min(asked.count, asked.fake_count) < 2 else "more data"
        raise InputError(
            f"{splits.real.dataset.source} has {there} real samples, and an evaluation needs 2 for each of two sides: "
            f"give {mend}."
        )
    notes = [f"{real:,} real samples, because the data have no more: --count {asked.count} is not reached."] * (
        real < asked.count
    )
    if floor < asked.fake_count:
        notes.append(
            f"The floor is of {floor:,} real samples, because there are no more: metrics that depend on the number of "
            "samples, such as a Frechet distance, have a higher floor than of as many as were generated."
        )
    return Counts(real=real, fake=asked.fake_count, floor=floor, notes=tuple(notes))


def _alike(splits: Splits, asked: int) -> int:
    real, least = len(splits.real.images), min(splits.real.dataset.lengths)
    count = min(asked, least, real // 2 if splits.other is None else len(splits.other.images))
    if count < 2:
        raise InputError(
            f"{splits.real.dataset.source} has {least} real samples, and an evaluation needs 2 for each of two sides: "
            f"give {'--count 2 or more' if asked < 2 else 'more data'}."
        )
    return count
