"""Extractors by the names that people type, of the kinds of sample that they are for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import torch

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.features.extractor import Extractor
from zerosum.kinds.base import Kind
from zerosum.runtime.thread_pool import ProgressCallback

CPU = torch.device("cpu")


class Extractors(Protocol):
    """A module with the extractors for a kind of sample: `Kind.features` names it."""

    NAMES: tuple[str, ...]
    """What `find` knows, as it is typed."""

    find: Callable[..., Extractor]
    """As `find` of this module; it may take for granted that the name is one of `NAMES`, but for what follows a colon.
    """

    default: Callable[..., tuple[str, str]]
    """As `default` of this module."""


def of_kind(kind: Kind) -> Extractors | None:
    """Return the extractors for a kind of sample; None where samples are their own features."""
    if kind.features == "raw":
        return None
    return cast(Extractors, importlib.import_module(f"zerosum.features.{kind.features}"))


def names(kind: str = "images") -> tuple[str, ...]:
    """Return what `find` knows for a kind of sample, as it is typed."""
    module = of_kind(kinds.find(kind))
    return () if module is None else module.NAMES


def find(
    asked: str,
    *,
    reference: SampleDataset,
    cache: Path,
    held_out: SampleDataset | None = None,
    progress: ProgressCallback | None = None,
    device: torch.device = CPU,
) -> Extractor:
    """Return an extractor by its name.

    Args:
        asked: one of `names()` of the reference's kind.
        reference: the real samples: what `classifier` is trained on, and whose shape `pixels` takes.
        cache: folder for downloaded and trained weights.
        held_out: labelled samples, of the same classes, on which `classifier` is tested; without them it is tested on a
            tenth of the reference that it does not train on.
        progress: told of a download ("download") and of training ("classifier").
        device: where to compute.

    Raises:
        InputError: There is no such extractor, it does not take these data, or its weights are nowhere.
        StorageError: The cache cannot be written to.
    """
    kind = kinds.find(reference.spec.kind)
    module = of_kind(kind)
    if module is None:
        raise InputError(f"{reference.source} is made of {kind.unit}, which are their own features: leave {asked} out.")
    known = [name.partition(":")[0] for name in module.NAMES]
    name = asked.partition(":")[0]
    if name not in known or (asked not in module.NAMES and f"{name}:" not in "".join(module.NAMES)):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"give one of {', '.join(module.NAMES)}."
        raise InputError(f"There are no features {asked}: {hint}")
    return module.find(asked, reference=reference, cache=cache, held_out=held_out, progress=progress, device=device)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features for data for which nobody chose them.

    Args:
        reference: the real samples, of a kind that has extractors.
        cache: folder where downloaded weights may lie; nothing is downloaded.

    Returns:
        A name for `find`, and one sentence that says why.
    """
    module = of_kind(kinds.find(reference.spec.kind))
    assert module is not None
    return module.default(reference, cache=cache)
