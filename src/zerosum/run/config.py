"""The configuration of a run: data, recipe, and the settings of recipe, training and data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from zerosum import recipes, stabilisers
from zerosum.config import BaseConfig, flag
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.recipe import RecipeConfig
from zerosum.run.directory import Run


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run is asked to be."""

    data: str
    recipe: str
    config: RecipeConfig
    training: TrainingConfig
    options: DataConfig

    @classmethod
    def read(cls, data: str, recipe: str, settings: Mapping[str, Any]) -> RunConfig:
        """Sort settings by what they belong to: the recipe, the training, or the data.

        Raises:
            InputError: an unknown recipe or setting, or a value outside its type or range.
        """
        config = recipes.find(recipe).Config
        parts = (config, TrainingConfig, DataConfig)
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


def read_config(directory: Run) -> RunConfig:
    """Read what a run was asked to be.

    Raises:
        InputError: run.json is damaged, or of a recipe that this version does not have.
    """
    if RunConfig not in directory.parsed:
        directory.parsed[RunConfig] = _parse_config(directory)
    return directory.parsed[RunConfig]


def read_spec(directory: Run) -> Spec:
    """Read what the data of a run look like.

    Raises:
        InputError: run.json is damaged.
    """
    if Spec not in directory.parsed:
        directory.parsed[Spec] = _parse_spec(directory)
    return directory.parsed[Spec]


def _parse_config(directory: Run) -> RunConfig:
    description = directory.description
    try:
        settings = description["config"] | description["training"] | description["data_options"]
        return RunConfig.read(str(description["data"]["source"]), description["recipe"], settings)
    except (KeyError, TypeError):
        raise _edited(directory) from None
    except InputError as error:
        raise InputError(f"{directory.path}/run.json was edited, or is of another version: {error}") from None


def _parse_spec(directory: Run) -> Spec:
    try:
        spec = TypeAdapter(Spec).validate_python(directory.description["spec"])
    except (KeyError, ValidationError):
        raise _edited(directory) from None
    if len(spec.shape) not in (1, 3) or min(spec.shape) < 1:
        raise _edited(directory)
    return spec


def changed(plan: RunConfig, changes: Mapping[str, Any], directory: Run) -> RunConfig:
    """Return `plan` with those changes that leave a resumed run the same run.

    Raises:
        InputError: a change that does not, named with both values.
    """
    new = RunConfig.read(plan.data, plan.recipe, plan.settings() | dict(changes))
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


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(BaseConfig):
    """How to train, whatever the recipe."""

    seed: NonNegativeInt = 0
    """Start of all randomness: initial weights, order of the data, latents. Equal seeds give equal runs on a CPU."""

    save_every: PositiveInt = 200
    """Rounds between checkpoints. A kill loses at most the rounds since the last one; Ctrl-C and SIGTERM lose none."""

    keep: PositiveInt = 3
    """Newest checkpoints to keep."""

    preview_every: PositiveInt = 200
    """Rounds between preview pictures."""

    log_every: PositiveInt = 10
    """Rounds over which logged values are averaged into one line of history."""

    previews: PositiveInt = 64
    """Samples in a preview picture; of a recipe that translates, at most 8 are shown, each beside its source."""

    micro_batches: PositiveInt = 1
    """Pieces in which a batch is differentiated: more take less memory, for the same gradient without batch norm."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto for the first of these that is there."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the networks; auto takes bfloat16 where the machine has units for it and the data are images."""

    memory_format: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Order of an image's values in memory; auto takes channels_last where that is faster."""

    stabilise: Annotated[str | None, AfterValidator(stabilisers.checked)] = None
    """Additions that keep a game stable, by commas, each with its strength after a colon or else its own default:
    instance-noise:0.1,feature-matching:1.0 (docs/stabilisers.md). None is the paper's game."""

    evaluate_every: NonNegativeInt = 0
    """Rounds between evaluations, whose figures become curves; 0: never. They cost time and change nothing else."""

    evaluate_features: str | None = None
    """What sees the images of evaluations, as --features of `zerosum evaluate`."""

    evaluate_count: PositiveInt = 1_000
    """Samples on each side of an evaluation during training: few, so that it is quick; figures compare within a run."""

    best: str | None = None
    """The metric by which evaluations choose the checkpoint that is kept as checkpoints/best; by default the first that
    there is of fid, high-quality (of points) and psnr (of pairs)."""


RESUMABLE = frozenset({"save_every", "keep", "preview_every", "log_every", "device", "evaluate_every"})
"""Settings of `Training` that a resumed run may change without becoming another run."""
