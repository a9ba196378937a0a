"""Whether images show what they were painted from: ranks of captions, and attributes of coloured shapes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from torch import Tensor

from zerosum import text
from zerosum.data.sources import shapes
from zerosum.evaluation.measures.base import (
    POSITIVE,
    SHARE,
    MetricGroup,
    Values,
    by_bootstrap,
    shuffled,
    with_floor_and_interval,
)
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison, SampleSet
from zerosum.features.captions import Matched
from zerosum.kinds.captions import CaptionDataset
from zerosum.metrics.bootstrap import share_interval
from zerosum.metrics.caption_rank import CANDIDATES, caption_ranks

RANKS: dict[str, Better] = {"caption-rank": "lower", "r-precision": "higher"}
TITLES = {"caption-rank": f"rank of the caption among {CANDIDATES}", "r-precision": "R-precision"}
SEEN: dict[str, Better] = {"attributes": "higher"}
UNSEEN: dict[str, Better] = {"attributes-unseen": "higher"}


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(
            names=RANKS,
            unavailable=_no_captions,
            compute=_compute_ranks,
            quick=lambda comparison: _of_ranks(_ranks(comparison, comparison.fake)),
            blind="ranks of captions do not react to how real or how varied images are",
        ),
        *(
            MetricGroup(
                names=names,
                unavailable=partial(_no_shapes, unseen=unseen),
                compute=partial(_compute_attributes, names, unseen=unseen),
                quick=partial(_attributes_alone, names, unseen=unseen),
            )
            for names, unseen in ((SEEN, False), (UNSEEN, True))
        ),
    )


def _captioned(comparison: Comparison) -> CaptionDataset | None:
    dataset = comparison.reference.splits.real.dataset
    return dataset if isinstance(dataset, CaptionDataset) and comparison.recipe is not None else None


def _no_captions(comparison: Comparison) -> str | None:
    if _captioned(comparison) is None:
        return "it is for runs that paint from captions"
    name = comparison.protocol.extractor
    return None if name == Matched.name else f"the features {name} have none of sentences; use --features matching"


def _no_shapes(comparison: Comparison, *, unseen: bool) -> str | None:
    dataset = _captioned(comparison)
    if dataset is None or dataset.source != shapes.NAME or dataset.spec.shape != (3, shapes.SIDE, shapes.SIDE):
        return f"it is for runs on {shapes.NAME} of {shapes.SIDE}x{shapes.SIDE}"
    if unseen and comparison.reference.splits.real.split == "train":
        return "the split train has no combination that was held out; use --split test"
    return None


def _captions(comparison: Comparison) -> list[str]:
    dataset = _captioned(comparison)
    assert dataset is not None
    return dataset.first_captions(comparison.reference.rows)


def _ranks(comparison: Comparison, side: SampleSet, order: Tensor | None = None) -> Tensor:
    """Return the ranks of the captions of a side's images; in another order, of the captions of others: (N,)."""
    extractor, said = comparison.reference.extractor, _captions(comparison)
    assert isinstance(extractor, Matched)
    said = said if order is None else [said[row] for row in order.tolist()]
    return caption_ranks(side.features, extractor.sentences(said), said, seed=comparison.protocol.seed)


def _of_ranks(ranks: Tensor) -> Values:
    return {"caption-rank": float(ranks.mean()), "r-precision": float((ranks == 1).double().mean())}


def _compute_ranks(comparison: Comparison) -> list[MetricResult]:
    fake, real = _ranks(comparison, comparison.fake), _ranks(comparison, comparison.real)
    wrong = _ranks(comparison, comparison.fake, shuffled(len(fake), comparison.protocol.seed))
    others = min(CANDIDATES, len(set(_captions(comparison))))
    note = (
        f"Captions shuffled, the mean rank is {text.number(float(wrong.mean()))} and R-precision "
        f"{text.number(float((wrong == 1).double().mean()))}; by chance they are {text.number((others + 1) / 2)} and "
        f"{text.number(1 / others)}. The floor is real images with their own captions."
    )
    return with_floor_and_interval(
        comparison,
        RANKS,
        lambda _, side: _of_ranks(fake if side is comparison.fake else real),
        on_rows=lambda rows: _of_ranks(fake[rows]),
        titles=TITLES,
        settings=f"among {text.counted(others, 'caption')}",
        interval=by_bootstrap(comparison, work=len(fake)),
        limits={"caption-rank": POSITIVE, "r-precision": SHARE},
        proportions=("r-precision",),
        notes=(note,),
    )


def _right(comparison: Comparison, samples: Tensor, *, unseen: bool) -> np.ndarray:
    """Return which attributes of some first images are those of their captions: (N, 4) bool."""
    rows = comparison.reference.rows[: len(samples)]
    wanted = shapes.combinations_of(comparison.reference.splits.real.split)[rows]
    among = shapes.is_held_out(wanted) == unseen
    pictures = samples.permute(0, 2, 3, 1).numpy()
    return shapes.recognise(pictures[among]) == wanted[among]


def _triple(right: np.ndarray) -> float:
    """Return the share of images with the right colour, shape and place."""
    return float(right[:, 1:].all(1).mean()) if len(right) else float("nan")


def _attributes_alone(names: Mapping[str, Better], comparison: Comparison, *, unseen: bool) -> Values:
    assert comparison.fake.samples is not None
    return dict.fromkeys(names, _triple(_right(comparison, comparison.fake.samples, unseen=unseen)))


def _compute_attributes(names: Mapping[str, Better], comparison: Comparison, *, unseen: bool) -> list[MetricResult]:
    fake, real = comparison.fake.samples, comparison.real.samples
    assert fake is not None
    assert real is not None
    right, floor = (_right(comparison, side, unseen=unseen) for side in (fake, real))
    each = ", ".join(f"{name} {share:.1%}" for name, share in zip(shapes.ATTRIBUTES, right.mean(0), strict=True))
    which = "combinations that no training image shows" if unseen else "combinations that training images show"
    title = f"colour, shape and place right ({'new' if unseen else 'known'} combinations)"
    return [
        MetricResult(
            metric=name,
            title=title,
            value=finite(_triple(right)),
            better=better,
            settings=f"{len(right):,} images",
            floor=finite(_triple(floor)),
            interval=share_interval(_triple(right), len(right)) if len(right) else None,
            notes=(f"Of {which}: {each}.",),
        )
        for name, better in names.items()
    ]
