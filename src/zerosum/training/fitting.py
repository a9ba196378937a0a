"""The size at which data are trained where their own is none that the recipe's networks can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice, product
from math import log

from zerosum.data.dataset import Dataset
from zerosum.data.options import LARGEST_SIDE, SMALLEST_SIDE
from zerosum.data.sizes import at_size
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.weightless import without_weights

MULTIPLES = (4, 8, 16, 32, 64)
"""Of which networks that halve and double take sides."""

TRIES = 48
"""Sizes that are tried before the recipe's own refusal stands."""


def opened_to_fit(
    plan: RunConfig, device: str, opened: Callable[[RunConfig], Dataset]
) -> tuple[RunConfig, Dataset, tuple[str, ...]]:
    """Open data at their own size, or where no size was asked for at the nearest that the recipe can take.

    Args:
        plan: what was asked for.
        device: type of the device, by which presets are chosen.
        opened: opens the data of a plan.

    Returns:
        The plan with the size that was chosen, the data, and a sentence where that is not their own.

    Raises:
        InputError: the data cannot be used.
    """
    dataset = opened(plan)
    fitted, note = at_fit(plan, dataset.spec, device)
    return (plan, dataset, ()) if note is None else (fitted, opened(fitted), (note,))


def at_fit(plan: RunConfig, spec: Spec, device: str) -> tuple[RunConfig, str | None]:
    """Return a plan for data of a spec at the size that they are trained at, and a sentence where it is not their own.

    A size that was asked for stays.
    """
    fit = nearest_fit(plan, spec, device) if plan.options.size is None and len(spec.shape) == 3 else spec
    if fit.shape == spec.shape:
        return plan, None
    own, chosen = ("x".join(map(str, each.shape[1:])) for each in (spec, fit))
    images = "Tiles" if plan.options.fit == "tiles" else "Images"
    way = "cut at" if plan.options.fit == "tiles" else "scaled to"
    note = f"{images} of {own} are {way} {chosen}, the nearest size that {plan.recipe} can make (--size sets another)."
    return replace(plan, options=at_size(plan.options, fit)), note


def nearest_fit(plan: RunConfig, spec: Spec, device: str) -> Spec:
    """Return a spec of images, or one of the nearest size that the recipe of a plan can take.

    Where the recipe takes none of the sizes near it either, the size is not the reason, and the spec is returned as it
    is: building the recipe then raises its own error.
    """
    if takes(plan, spec, device):
        return spec
    height, width = spec.shape[1:]
    near = sizes_near((height, width))
    if plan.options.fit == "tiles":  # nothing is enlarged
        near = [sides for sides in near if sides[0] <= height and sides[1] <= width]
    specs = (at for sides in near if (at := _with_sides(spec, sides)) is not None)
    return next((at for at in islice(specs, TRIES) if takes(plan, at, device)), spec)


def takes(plan: RunConfig, spec: Spec, device: str) -> bool:
    """Whether the recipe of a plan does not refuse data of a spec."""
    return refusal(plan, spec, device) is None


def refusal(plan: RunConfig, spec: Spec, device: str) -> InputError | None:
    """Return why the recipe of a plan refuses data of a spec, or None; it is built without memory for its weights."""
    try:
        with without_weights():
            build_recipe(plan.fitted(spec, device), spec)
    except InputError as error:
        return error
    except Exception:  # a recipe from outside that cannot be built so: what it takes shows when it is trained
        return None
    return None


def sizes_near(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return sizes (H, W) whose sides are multiples of 4 to 64, the nearest first.

    >>> sizes_near((100, 100))[:4]
    [(100, 100), (100, 104), (104, 100), (96, 100)]
    """
    sides = [
        sorted({max(SMALLEST_SIDE, step * each) for step in MULTIPLES for each in (side // step, -(-side // step))})
        for side in size
    ]
    far = {
        (h, w): abs(log(h / size[0])) + abs(log(w / size[1])) for h, w in product(*sides) if max(h, w) <= LARGEST_SIDE
    }
    return sorted(far, key=lambda each: far[each])


def _with_sides(spec: Spec, sides: tuple[int, int]) -> Spec | None:
    """Return a spec at another size, its source as many times smaller as it was; None where that is no whole size."""
    shape = (spec.shape[0], *sides)
    if spec.source_shape is None:
        return replace(spec, shape=shape)
    factors = [large // small for large, small in zip(spec.shape[1:], spec.source_shape[1:], strict=True)]
    if any(side % factor for side, factor in zip(sides, factors, strict=True)):
        return None
    source = (spec.source_shape[0], *(side // factor for side, factor in zip(sides, factors, strict=True)))
    return replace(spec, shape=shape, source_shape=source)
