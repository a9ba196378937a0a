"""Real samples that the extractor never met: those alone may stand on the real side of an evaluation or set its floor.

An extractor that learned some images finds fresh ones, generated or real, a little more unlike them than they are of
each other. A floor of learned images is then one that no generator reaches, or one that a worse generator passes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zerosum.data.dataset import SampleDataset
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.captions import Matched
from zerosum.features.classifier_extractor import LEARNED, Trained
from zerosum.features.extractor import Extractor


def unlearned(splits: Splits, extractor: Extractor | None) -> Splits:
    """Return the splits without the images that an extractor learned, which only what is trained here does."""
    if not isinstance(extractor, Trained | Matched):
        return splits
    real, other = (_without(split, extractor) for split in (splits.real, splits.other))
    assert real is not None
    return replace(splits, real=real, other=other)


def rows_in_whole(rows: np.ndarray, whole: SampleDataset, extractor: Extractor | None) -> np.ndarray:
    """Return the rows (n,) of the samples that were left of a data set as rows of all of it."""
    learned_here = isinstance(extractor, Trained | Matched) and extractor.learned == whole.fingerprint
    return rows_left(len(whole))[rows] if learned_here else rows


def rows_left(count: int) -> np.ndarray:
    """Return the rows of `count` samples that a classifier trained on them does not learn: every second one.

    >>> rows_left(5).tolist()
    [1, 3]
    """
    return np.delete(np.arange(count), np.s_[LEARNED])


def _without(split: Split | None, extractor: Trained | Matched) -> Split | None:
    if split is None or not isinstance(split.dataset, SampleDataset) or split.dataset.fingerprint != extractor.learned:
        return split
    whole, left = split.dataset, slice(1, None, 2)  # a view: nothing of a large array is copied
    kept = replace(whole.at(left), fingerprint=f"{whole.fingerprint}-unlearned")
    return Split(dataset=kept, split=split.split)
