"""Kinds of sample, a file each: how each is opened, drawn, saved and computed with."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from zerosum.data.batch import Batch
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.data.options import DataConfig
from zerosum.data.sizes import expected
from zerosum.data.sources.find import built_in, is_there
from zerosum.data.spec import Spec
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds.base import Kind
from zerosum.runtime.distributed import World
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback

HELD_OUT = ("test", "val")
"""Splits that are not trained on, by their names, in the order in which they are looked for."""


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all kinds, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"))


def find(name: str) -> Kind:
    """Return a kind by its name, as `Spec.kind` has it.

    Raises:
        InputError: there is none of that name.
    """
    if name not in names():
        raise InputError(f"There is no kind of sample {name!r}; known are {', '.join(names())}.")
    return importlib.import_module(f"{__name__}.{name}").KIND


def singles() -> list[Kind]:
    """Return the kinds whose data are one set of samples, that which anything is taken for at the end."""
    return sorted((kind for kind in map(find, names()) if kind.single), key=lambda kind: kind.fallback)


def kind_of(source: str | Path, typed: Collection[str] = ()) -> Kind:
    """Return the kind of data that are one set of samples, by what the source is.

    Args:
        source: a path or a name; "" where none is known yet, which is taken for images.
        typed: settings of `DataConfig` that were given: one that this kind alone has a use for, such as frames,
            decides where the source may be of it.
    """
    known = singles()
    users = {name: [kind for kind in known if name in kind.own] for name in typed}
    meant = [kind for kinds in users.values() for kind in kinds if len(kinds) == 1 and _takes(kind, source)]
    return next(iter(meant), None) or next(kind for kind in known if _takes(kind, source, claims=True))


def compared(subject: str | Path, against: str | Path) -> Kind:
    """Return the kind as which samples at one source are compared with real ones at another: one that takes both.

    Raises:
        InputError: they are of two kinds.
    """
    real, given = kind_of(against), kind_of(subject)
    if real.accepts(subject):  # images can be strips of frames: then what is clips beyond doubt decides
        return given if real.fallback and given.accepts(against) else real
    raise InputError(f"{subject} is made of {given.unit} and {against} of {real.unit}: compare samples of one kind.")


def of_batches(batches: Sequence[type[Batch]]) -> list[Kind]:
    """Return the kinds whose batches a recipe trains on, in the recipe's order."""
    known = [find(name) for name in names()]
    return [kind for batch in batches for kind in known if kind.batch is batch]


def name_of(batches: Sequence[type[Batch]], source: str | Path) -> str:
    """Return the name of the first of the kinds that a recipe trains on and that a source can be of; "" for none."""
    kind = _accepting(of_batches(batches), source)
    return "" if kind is None else kind.name


def default_recipe(source: str | Path, options: DataConfig = DataConfig(), *, typed: Collection[str] = ()) -> str:
    """Return the name of the recipe that is trained on a source where none is named; `typed` as for `kind_of`.

    Raises:
        InputError: there are no such data, or the options or the labels do not fit them.
    """
    kind = kind_of(source, typed)
    assert kind.recipe is not None
    spec = expected(source, options) if source and kind.fallback else None
    return kind.recipe(spec or Spec(shape=(3, 64, 64)), options)


def require_present(source: str | Path) -> None:
    """Require that a source is a built-in name, or a path at which something lies.

    Raises:
        InputError: it is neither.
    """
    if not is_there(source):
        raise InputError(
            f"There is no file or folder {absolute(source)}, nor a built-in data set {source}: give a path or a name."
        )


def _accepting(kinds: Sequence[Kind], source: str | Path) -> Kind | None:
    return next((kind for kind in kinds if _takes(kind, source)), None)


def _takes(kind: Kind, source: str | Path, *, claims: bool = False) -> bool:
    if source == "":  # as a path it would be the folder in which one is
        return kind.fallback
    return (kind.claims if claims and kind.claims else kind.accepts)(source)


def open_as(
    batches: Sequence[type[Batch]],
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> Dataset:
    """Open data as the first of the kinds that a recipe trains on and that the source can be of.

    Raises:
        InputError: there are no such data, they are of another kind, or options are set that the kind has no use for.
        StorageError: the cache cannot be written to.
    """
    kinds = of_batches(batches)
    kind = _accepting(kinds, source)
    if kind is None:
        require_present(source)
        others = [kind for kind in singles() if (kind.claims or kind.accepts)(source)]
        unsure = built_in(source) is None and not str(source).lower().endswith((".npy", ".npz"))
        if others and others[0].fallback and unsure and kinds and kinds[0].features != "raw":
            return kinds[0].open(source, options=options, progress=progress)  # which says what it expects
        given = others[0].unit if others else "something else"
        trained = " or ".join(kind.unit for kind in kinds)
        raise InputError(f"{source} is made of {given}, and this recipe trains on {trained}: name other data.")
    kind.require_useful(options, source)
    return kind.open(source, options=options, progress=progress)


def open_data(
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    typed: Collection[str] = (),
    progress: ProgressCallback | None = None,
) -> SampleDataset:
    """Open data that no recipe says the kind of: samples that are made from nothing; `typed` as for `kind_of`.

    Raises:
        InputError: there are no such data, or options are set that their kind has no use for.
        StorageError: the cache cannot be written to.
    """
    kind = kind_of(source, typed)
    dataset = open_as([kind.batch], source, options=options, progress=progress)
    assert isinstance(dataset, SampleDataset)
    return dataset


def open_splits(
    batches: Sequence[type[Batch]],
    source: str | Path,
    splits: Sequence[str] = HELD_OUT,
    *,
    options: DataConfig,
    progress: ProgressCallback | None = None,
    world: World = World(),
) -> Iterator[tuple[str, Dataset]]:
    """Open those of some splits that the data have, one by one and in order, each when it is asked for.

    Args:
        batches: as for `open_as`.
        source: as for `open_as`.
        splits: their names; by default those that are not trained on by their name.
        options: with which all are opened; their own split is another matter.
        progress: told of stages.
        world: the first process opens alone at first, so that data are packed once.

    Raises:
        InputError: there are no such data, or a split is there and cannot be used: only its absence passes in silence.
        StorageError: the cache cannot be written to.
    """
    for split in splits:
        asked = replace(options, split=split)
        opening = partial(open_as, batches, source, options=asked, progress=progress)
        try:
            found = world.first_then_others(opening)
        except NoSuchSplit:
            continue
        yield split, found
