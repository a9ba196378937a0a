"""Tasks: what a recipe is for, a file each with its row and the base class of its recipes."""

from __future__ import annotations

from zerosum import kinds
from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.recipe import Recipe
from zerosum.tasks.age import AGE, AgeingRecipe
from zerosum.tasks.base import Task
from zerosum.tasks.conditions import class_number, condition, draw_conditions, label_of
from zerosum.tasks.generate import (
    GENERATE,
    ConditionalRecipe,
    Decoder,
    GenerativeRecipe,
    LatentConfig,
    LatentRecipe,
)
from zerosum.tasks.inpaint import INPAINT, InpaintingRecipe
from zerosum.tasks.paint import PAINT, PaintingRecipe, TextFunction
from zerosum.tasks.presets import PresetConfig
from zerosum.tasks.translate import TRANSLATE, TranslationConfig, TranslationRecipe
from zerosum.tasks.upscale import UPSCALE, UpscalingRecipe

__all__ = [
    "AGE",
    "GENERATE",
    "INPAINT",
    "PAINT",
    "TASKS",
    "TRANSLATE",
    "UPSCALE",
    "AgeingRecipe",
    "ConditionalRecipe",
    "Decoder",
    "GenerativeRecipe",
    "InpaintingRecipe",
    "LatentConfig",
    "LatentRecipe",
    "PaintingRecipe",
    "PresetConfig",
    "Task",
    "TextFunction",
    "TranslationConfig",
    "TranslationRecipe",
    "UpscalingRecipe",
    "class_number",
    "condition",
    "draw_conditions",
    "has_latents",
    "is_paired",
    "label_of",
    "painter",
    "require_latents",
    "require_task",
    "texts_of",
]


TASKS = {task.name: task for task in (GENERATE, TRANSLATE, UPSCALE, INPAINT, AGE, PAINT)}


def is_paired(recipe: type[Recipe] | Recipe) -> bool:
    """Whether each result of a recipe has one real answer in the data."""
    return recipe.task.paired and all(kind.paired for kind in kinds.of_batches(recipe.data))


def require_task(recipe: type[Recipe], run: object | None, *accepted: Task) -> None:
    """Refuse a run, or a loaded recipe where no run is named, that is for something else.

    Raises:
        InputError: what the run does instead, and what to type.
    """
    if recipe.task not in accepted:
        task, wanted = recipe.task, " or ".join(one.does for one in accepted)
        subject, place = ("This run", "RUN") if run is None else (run, run)
        raise InputError(f"{subject} {task.does}, and what {wanted} is needed here. Type: {task.typed(place)}")


def painter(recipe: Recipe) -> PaintingRecipe:
    """Return a recipe that paints; ask only of one whose task that is."""
    assert isinstance(recipe, PaintingRecipe)
    return recipe


def texts_of(recipe: Recipe, batch: Batch) -> tuple[str, ...]:
    """Return the texts that images of a preview are made from, in their order; none of recipes of other tasks."""
    return recipe.preview_texts(batch) if isinstance(recipe, PaintingRecipe) else ()


def require_latents(recipe: Recipe) -> GenerativeRecipe:
    """Return a recipe that maps latents to samples.

    Raises:
        InputError: it has none.
    """
    if not isinstance(recipe, GenerativeRecipe):
        raise InputError(
            f"{type(recipe).__name__} says nothing of its latents, which are needed here: make it from "
            "zerosum.tasks.GenerativeRecipe, whose sample(n, latent=...) maps what prior(n) draws."
        )
    return recipe


def has_latents(recipe: Recipe | None) -> bool:
    """Whether a recipe maps latents to samples."""
    return isinstance(recipe, GenerativeRecipe)
