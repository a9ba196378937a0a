"""`zerosum data`: look data over, pack them ahead of training, or look after the cache."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from zerosum import kinds
from zerosum.cli import flags
from zerosum.config import flag
from zerosum.data.check import check, describe
from zerosum.data.check_sides import check_sides
from zerosum.data.options import DataConfig
from zerosum.data.packing.encoded import EncodedRows
from zerosum.data.packing.sweep import clear, describe_cache
from zerosum.data.sizes import expected
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.runtime.device import pick_device
from zerosum.runtime.progress import make_progress, progress_callback
from zerosum.runtime.terminal import say
from zerosum.text import counted
from zerosum.training.budget import within
from zerosum.training.fitting import at_fit, refusal
from zerosum.training.open_data import with_expected_clusters

FAST = 64
"""Longer side up to which any machine trains images in an hour."""

MINUTES = 60
"""Time for which a check says what this machine can train, where images are larger."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Look data over, pack them ahead of training, or look after the cache."""

    action: tyro.conf.Positional[Literal["check", "pack", "cache"]]
    """check: report what is there, what is wrong with it, and what training would do with it. pack: decode every image
    into the cache now, so that training starts at once. cache: list what the cache holds, or --clear it."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = ""
    """What `zerosum train` would be given: a folder, a .zip, an array file, or a name; nothing for cache."""

    clear: bool = False
    """With cache: remove all packed data, features and digests, which are made again when they are needed."""

    options: Annotated[DataConfig, tyro.conf.arg(name="data")] = field(default=DataConfig())


def run(arguments: list[str]) -> None:
    """Do what is asked and print what came of it."""
    given: Data = flags.parse(Data, arguments, prog="zerosum data")
    if given.action == "cache":
        say(*look_after(given.options.cache_folder(), clearing=given.clear, data=given.data))
        return
    if not given.data or given.clear:
        wrong = "--clear is for cache" if given.clear else f"{given.action} needs data"
        raise InputError(f"{wrong}: zerosum data {given.action} DATA, or zerosum data cache --clear.")
    progress = make_progress()
    try:
        act = report if given.action == "check" else pack
        typed = [name for name in DataConfig.names() if flags.value_of(arguments, flag(name)) is not None]
        say(*act(given.data, given.options.checked(), typed, progress_callback(progress)))
    finally:
        progress.close()


def report(data: str, options: DataConfig, typed: Collection[str], told: Told) -> list[str]:
    """Say what is there and what training would make of it.

    Raises:
        InputError: there are no such data, or they are of a kind that cannot be used, or options are set that it has
            no use for.
    """
    kind = kinds.kind_of(data, typed)
    if options.target is not None and kind.fallback:
        first, second, pairing = check_sides(data, options, progress=told)
        return [*describe(first), "", *describe(second), "", pairing]
    looked_over = {"captions": None} if kind.fallback else {}  # with any images
    kind.require_useful(replace(options, **looked_over), data)
    given = {name: value for name, value in options.to_json().items() if name in typed}
    options, notes, warnings = _as_trained(data, options, given, typed, told)
    found = check(data, options, typed=typed, progress=told)
    found = replace(found, notes=(*found.notes, *notes), warnings=(*found.warnings, *warnings))
    sides = DataConfig(size=found.recommended_size).sides()
    if sides is None or max(sides) <= FAST:
        return describe(found)
    _, sentences = within(RunConfig.read(data, None, given), MINUTES, pick_device(), told)
    return [*describe(found), "", *sentences, f"To train so: zerosum train DATA --minutes {MINUTES}."]


def _as_trained(
    data: str, options: DataConfig, given: dict[str, Any], typed: Collection[str], told: Told
) -> tuple[DataConfig, tuple[str, ...], tuple[str, ...]]:
    """Return the options by which images would be trained on, what that changes, and why they could not be.

    The recipe is the one that is trained where none is named: it may need another size than the images'.
    """
    if not kinds.kind_of(data, typed).fallback or (spec := expected(data, options, told)) is None:
        return options, (), ()
    plan, device = RunConfig.read(data, None, given), pick_device().type
    spec = with_expected_clusters(plan, spec)
    fitted, note = at_fit(plan, spec, device)
    if note is not None:
        return fitted.options, (note,), ()
    refused = refusal(plan, spec, device)
    return options, (), () if refused is None else (f"{plan.recipe} cannot be trained on them: {refused}",)


def look_after(cache: Path, *, clearing: bool, data: str) -> list[str]:
    """List the cache, or clear it.

    Raises:
        InputError: data are named, though the cache is one for all.
        StorageError: something cannot be removed.
    """
    if data:
        raise InputError(f"The cache is one for all data: leave out {data}, or name another cache with --cache.")
    return [clear(cache)] if clearing else describe_cache(cache)


def pack(data: str, options: DataConfig, typed: Collection[str], told: Told) -> list[str]:
    """Pack data into the cache and say what was done to them.

    Raises:
        InputError: there are no such data, or they cannot be used.
        StorageError: the cache cannot be written to.
    """
    dataset = kinds.open_data(data, options=options, typed=typed, progress=told)
    size = "x".join(map(str, dataset.spec.shape))
    where = _where(dataset.samples, options.cache_folder())
    return [*dataset.notes, f"{counted(len(dataset), 'sample')} of {size}, {where}."]


def _where(samples: np.ndarray, cache: Path) -> str:
    """Say where samples lie: in the cache, in a file of the user's, or in memory."""
    file = getattr(samples, "filename", None)
    if isinstance(samples, EncodedRows) or (file is not None and Path(file).resolve().is_relative_to(cache.resolve())):
        return f"packed in {cache}"
    if file is not None:
        return f"read from {file} as they are drawn: nothing needs packing"
    return "read into memory as they are: nothing needs packing"
