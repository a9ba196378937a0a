"""What a run is asked to be: its data, its recipe, and all settings, sorted by what they belong to."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zerosum import recipes
from zerosum.config import flag
from zerosum.data.options import DataOptions
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.practice import RESUMABLE, Training
from zerosum.recipe import RecipeSettings
from zerosum.run import Run


@dataclass(frozen=True)
class Plan:
    """Everything that a run is asked to be."""

    data: str
    recipe: str
    config: RecipeSettings
    training: Training
    options: DataOptions

    @classmethod
    def read(cls, data: str, recipe: str, settings: Mapping[str, Any]) -> Plan:
        """Sort settings by what they belong to: the recipe, the training, or the data.

        Raises:
            InputError: an unknown recipe or setting, or a value outside its type or range.
        """
        config = recipes.find(recipe).Config
        parts = (config, Training, DataOptions)
        known = [name for part in parts for name in part.names()]
        for name in settings:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"`zerosum recipes {recipe}` lists them."
                raise InputError(f"There is no setting {name!r} for {recipe}; {hint}")
        chosen = [part.read({k: v for k, v in settings.items() if k in part.names()}) for part in parts]
        return cls(data, recipe, *chosen)  # type: ignore[arg-type]

    def settings(self) -> dict[str, Any]:
        """Return all settings by name."""
        return self.config.to_json() | self.training.to_json() | self.options.to_json()


def plan_of(directory: Run) -> Plan:
    """Read what a run was asked to be.

    Raises:
        InputError: run.json is damaged, or of a recipe that this version does not have.
    """
    description = directory.description
    try:
        settings = description["config"] | description["training"] | description["data_options"]
        return Plan.read(str(description["data"]["source"]), description["recipe"], settings)
    except (KeyError, TypeError):
        raise _edited(directory) from None
    except InputError as error:
        raise InputError(f"{directory.path}/run.json was edited, or is of another version: {error}") from None


def spec_of(directory: Run) -> Spec:
    """Read what the data of a run look like.

    Raises:
        InputError: run.json is damaged.
    """
    try:
        spec = TypeAdapter(Spec).validate_python(directory.description["spec"])
    except (KeyError, ValidationError):
        raise _edited(directory) from None
    if len(spec.shape) not in (1, 3) or min(spec.shape) < 1:
        raise _edited(directory)
    return spec


def changed(plan: Plan, changes: Mapping[str, Any], directory: Run) -> Plan:
    """Return `plan` with those changes that leave a resumed run the same run.

    Raises:
        InputError: a change that does not, named with both values.
    """
    new = Plan.read(plan.data, plan.recipe, plan.settings() | dict(changes))
    old = plan.settings()
    differing = {name: value for name, value in new.settings().items() if value != old[name]}
    refused = {name: value for name, value in differing.items() if name not in RESUMABLE | {"rounds", "cache"}}
    if refused:
        said = ", ".join(
            f"{flag(name)} is {old[name]} in the run and {value} was asked" for name, value in refused.items()
        )
        raise InputError(f"{directory.path} cannot be resumed with other settings: {said}; start a new run for that.")
    return new


def _edited(directory: Run) -> InputError:
    return InputError(f"{directory.path}/run.json lacks entries that every run has; it was edited or damaged.")
