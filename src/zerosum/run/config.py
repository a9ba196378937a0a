"""The configuration of a run: data, recipe, and the settings of recipe, training and data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from zerosum import kinds, recipes
from zerosum.config import AUTO, flag
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.recipe import Recipe, RecipeConfig
from zerosum.recipes import RecipeLike
from zerosum.run.directory import Run
from zerosum.run.training_config import RESUMABLE, TrainingConfig
from zerosum.runtime.paths import named
from zerosum.tasks import PresetConfig
from zerosum.text import command


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run is asked to be."""

    data: str
    recipe: str
    """Name of the recipe: of one from outside that is not installed, its class's."""
    recipe_class: type[Recipe]
    config: RecipeConfig
    training: TrainingConfig
    options: DataConfig
    asked: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Settings that were asked for; the others have defaults."""
    recipe_is_default: bool = field(default=False, compare=False)
    """Whether no recipe was named."""

    @classmethod
    def read(cls, data: str | Path, recipe: RecipeLike | None, settings: Mapping[str, Any]) -> RunConfig:
        """Sort settings by what they belong to: the recipe, the training, or the data.

        What is not set has its default for the kind of sample that the data are made of, as the recipe has.

        Raises:
            InputError: an unknown recipe or setting, a value outside its type or range, or data that are no place.
        """
        data = named(data)
        options = {name: value for name, value in settings.items() if name in DataConfig.names()}
        chosen_by_data = kinds.default_recipe(data, DataConfig.read(options), typed=options) if recipe is None else ""
        kind = recipes.find(chosen_by_data if recipe is None else recipe)
        name = recipes.name_of(kind)
        parts = (settings_of(kind), TrainingConfig, DataConfig)
        known = [name for part in parts for name in part.names()]
        for setting in settings:
            if setting not in known:
                close = difflib.get_close_matches(setting, known, n=1)
                lists = command("zerosum", "recipes", recipes.argument(kind) or name)
                hint = f"did you mean {close[0]!r}?" if close else f"`{lists}` lists them."
                raise InputError(f"There is no setting {setting!r} for {name}; {hint}")
        sample = kinds.name_of(kind.data, data)
        chosen = [part.for_kind(sample, {k: v for k, v in settings.items() if k in part.names()}) for part in parts]
        return cls(data, name, kind, *chosen, asked=dict(settings), recipe_is_default=recipe is None)  # type: ignore[arg-type]

    def fitted(self, spec: Spec, device: str) -> RunConfig:
        """Return this with the recipe's preset for data of a spec, where it has presets and none was asked for."""
        config = self.config
        if not isinstance(config, PresetConfig) or config.preset != AUTO or spec.kind in config.by_kind:
            return self
        preset = type(config).preset_for(spec, device)
        asked = {name: value for name, value in self.asked.items() if name in config.names()}
        return replace(self, config=type(config).for_kind(spec.kind, asked | {"preset": preset}))

    def normalised(self) -> RunConfig:
        """Return this with what was asked for as its settings have it, as JSON can hold it."""
        settings = self.settings()
        return replace(self, asked={name: settings[name] for name in self.asked})

    def settings(self) -> dict[str, Any]:
        """Return all settings by name."""
        return self.config.to_json() | self.training.to_json() | self.options.to_json()


def settings_of(kind: type[Recipe]) -> type[RecipeConfig]:
    """Return the settings of a recipe.

    Raises:
        InputError: one has the name of a setting of every run.
    """
    taken = {*TrainingConfig.names(), *DataConfig.names(), "recipe", "recipe_class", "resume", "run"}
    if shared := [name for name in kind.Config.names() if name in taken]:
        raise InputError(
            f"{kind.__name__}.Config has a setting {shared[0]!r}, and so has every run: give it another name."
        )
    return kind.Config


def read_config(directory: Run, recipe: RecipeLike | None = None) -> RunConfig:
    """Read what a run was asked to be.

    Args:
        directory: the run.
        recipe: the recipe, where it is neither zerosum's nor an installed package's: a run never says which code of
            others is run.

    Raises:
        InputError: run.json is damaged, or of a recipe that this version does not have; or the recipe is one from
            outside and was not given, or is another one than was given.
    """
    key = RunConfig, recipe
    if key not in directory.parsed:
        directory.parsed[key] = _parse_config(directory, recipe)
    return directory.parsed[key]


def read_spec(directory: Run) -> Spec:
    """Read what the data of a run look like.

    Raises:
        InputError: run.json is damaged.
    """
    if Spec not in directory.parsed:
        directory.parsed[Spec] = _parse_spec(directory)
    return directory.parsed[Spec]


def _parse_config(directory: Run, recipe: RecipeLike | None) -> RunConfig:
    description = directory.description
    kind = _recipe_of(directory, recipe)
    try:
        # Before there was a choice, wide numbers were reduced to 8 bits.
        depth = {"depth": 8} if len(description["spec"]["shape"]) == 3 else {}
        # What a preset sets today was not set by it before the setting was there.
        plain = {part.name: part.default for part in fields(kind.Config) if part.default is not MISSING}
        settings = plain | description["config"] | description["training"] | depth | description["data_options"]
        return RunConfig.read(str(description["data"]["source"]), kind, settings)
    except (KeyError, TypeError):
        raise _edited(directory) from None
    except InputError as error:
        raise _of_other_version(directory, error) from None


def change_of_recipe(directory: Run, kind: type[Recipe]) -> str | None:
    """Return a sentence where the file of a recipe from outside is no longer the one that the run began with."""
    began = directory.description.get("recipe_origin")
    now = recipes.origin(kind)
    known = began.get("sha256") if isinstance(began, dict) else None
    if now is None or now.sha256 is None or known is None or now.sha256 == known:
        return None
    return (
        f"The file of the recipe {kind.__name__} has changed since {directory.path} began; the run keeps the one that "
        f"it began with as {directory.path / 'recipe.py'}."
    )


def _recipe_of(directory: Run, given: RecipeLike | None) -> type[Recipe]:
    name, began = str(directory.description.get("recipe")), directory.description.get("recipe_origin")
    if given is not None:
        kind = recipes.find(given)
        if recipes.name_of(kind) != name:
            raise InputError(
                f"{directory.path} was trained by {name}, and the recipe that is given is {recipes.name_of(kind)}."
            )
        return kind
    place = began.get("place") if isinstance(began, dict) else None
    if began is None or place == name:
        try:
            return recipes.named(name)
        except InputError as error:
            raise _of_other_version(directory, error) from None
    if place is None:
        how = f"zerosum.load({str(directory.path)!r}, recipe={name})"
        raise InputError(
            f"{directory.path} was trained by {name}, a class without a file, which runs only where it is given: in "
            f"Python, as in {how}; or write it to a file for --recipe path/to/my_gan.py."
        )
    raise InputError(
        f"{directory.path} was trained by a recipe of your own, {name}, whose code runs only where you name it: add "
        f"{command('--recipe', place)} (in Python recipe={str(place)!r})."
    )


def _parse_spec(directory: Run) -> Spec:
    try:
        spec = TypeAdapter(Spec).validate_python(directory.description["spec"])
    except (KeyError, ValidationError):
        raise _edited(directory) from None
    if not 1 <= len(spec.shape) <= 4 or min(spec.shape) < 1:
        raise _edited(directory)
    return spec


def changed(plan: RunConfig, changes: Mapping[str, Any], directory: Run) -> RunConfig:
    """Return `plan` with those changes that leave a resumed run the same run.

    Raises:
        InputError: a change that does not, named with both values.
    """
    new = RunConfig.read(plan.data, plan.recipe_class, plan.settings() | dict(changes))
    old = plan.settings()
    differing = {name: value for name, value in new.settings().items() if value != old[name]}
    free = RESUMABLE | {"rounds", "cache"} | plan.options.moved(new.options)
    refused = {name: value for name, value in differing.items() if name not in free}
    if refused:
        said = ", ".join(
            f"{flag(name)} is {old[name]} in the run and {value} was asked" for name, value in refused.items()
        )
        raise InputError(f"{directory.path} cannot be resumed with other settings: {said}; start a new run for that.")
    return new


def _of_other_version(directory: Run, error: InputError) -> InputError:
    return InputError(f"{directory.path}/run.json was edited, or is of another version: {error}")


def _edited(directory: Run) -> InputError:
    return InputError(f"{directory.path}/run.json lacks entries that every run has; it was edited or damaged.")
