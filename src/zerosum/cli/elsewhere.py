"""Flags that a command has, but not here: settings of other recipes, controls of other runs, flags of another mode."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path

from zerosum import recipes
from zerosum.cli.unknown_flags import Elsewhere, negation, switches_of
from zerosum.config import flag
from zerosum.inference.controls import controls
from zerosum.recipe import Recipe
from zerosum.run.config import settings_of
from zerosum.tasks import Task
from zerosum.text import listed

WITH_RESUME: Mapping[str, str] = {
    "--minutes": "--rounds N makes more.",
    "--run": "leave it out, because a resumed run stays in its folder.",
    "--go-on": "leave it out, because --resume goes on already.",
}
"""What to know of flags that start a run, where one is resumed."""


def setting_elsewhere(recipe: str) -> Elsewhere:
    """Return what says of a setting that recipes other than `recipe` have it."""

    def said(word: str, ours: str | None) -> str | None:
        if word == "--preset":
            return f"{recipe} has no presets: leave out --preset."
        found = [name for name in recipes.names() if word in _flags_of_settings(name)]
        if not found:
            return None
        way = ours or f"leave it out, or choose such a recipe, as in --recipe {found[0]}."
        return f"{word} is of {listed(found)}, and the recipe here is {recipe}: {way}"

    return said


def resumed_elsewhere(recipe: str, start: type, resume: type) -> Elsewhere:
    """Return what says of a flag that it is of no use where a run of `recipe` is resumed.

    Args:
        recipe: of the run.
        start: dataclass of the flags that start a run.
        resume: dataclass of the flags that go on with one.
    """
    alone = _flags_of(start) - _flags_of(resume)
    other = setting_elsewhere(recipe)

    def said(word: str, ours: str | None) -> str | None:
        if word in alone:
            return f"{word} cannot be given with --resume: {WITH_RESUME.get(word, 'leave out one of the two.')}"
        return other(word, ours or "leave it out.")

    return said


def control_elsewhere(place: Path | None, kind: type[Recipe] | None, tasks: Collection[Task]) -> Elsewhere:
    """Return what says of a control that it is of runs of other recipes.

    Args:
        place: the run; None where none is named.
        kind: its recipe.
        tasks: those of the recipes that the command takes.
    """

    def said(word: str, ours: str | None) -> str | None:
        known = {name: recipes.find(name) for name in recipes.names()}
        found = [name for name, other in known.items() if other.task in tasks and word in map(flag, controls(other))]
        if not found:
            return None
        if place is None or kind is None:
            return f"{word} is of runs of {listed(found)}: name the run."
        return f"{word} is of runs of {listed(found)}, and {place} is of {recipes.name_of(kind)}: leave it out."

    return said


def _flags_of_settings(recipe: str) -> set[str]:
    settings = settings_of(recipes.find(recipe))
    return {*map(flag, settings.names()), *map(negation, switches_of(settings))}


def _flags_of(kind: type) -> set[str]:
    return {flag(field.name) for field in dataclasses.fields(kind)}
