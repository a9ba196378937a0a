"""Bringing a plan, its data and the machine together: a game that is ready to be played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zerosum import kinds, recipes, report
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationContext
from zerosum.evaluation.during_training import TrainingEvaluator, watch
from zerosum.game import Game
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint import restore
from zerosum.run.config import RunConfig, change_of_recipe, changed, read_config
from zerosum.run.directory import Run, require_free
from zerosum.run.load import build_recipe
from zerosum.run.metadata import describe, keep_recipe, require_same_data, tell_of_other_conditions
from zerosum.runtime import distributed, rng
from zerosum.runtime.device import keep_freed_memory, pick_device, pick_memory_format, pick_precision
from zerosum.runtime.distributed import World
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import Progress, Silent, make_progress, progress_callback
from zerosum.text import command
from zerosum.training.nearest_images import write_nearest
from zerosum.training.open_data import open_again, open_data
from zerosum.training.preview import Previews, preview_batch
from zerosum.training.trainer import Trainer


def build_game(plan: RunConfig, dataset: Dataset, device: torch.device, world: World) -> Game[Any]:
    """Build the recipe from the plan's seed and seat it at a game, before its first round.

    Raises:
        InputError: the recipe cannot take the data, or the batch does not divide as asked.
    """
    torch.manual_seed(plan.training.seed)
    recipe = build_recipe(plan, dataset.spec)
    _require_divisible(plan, recipe, world)
    training = plan.training
    kind = kinds.find(dataset.spec.kind)
    precision = pick_precision(training.precision, device)
    if kind.precision == "float32" and training.precision == "auto":
        precision = torch.float32
    memory_format = pick_memory_format(training.memory_format, device, precision)
    keep_freed_memory()
    if memory_format is torch.channels_last:
        memory_format = kind.memory_format or torch.contiguous_format
        recipe = recipe.to(memory_format=memory_format)  # type: ignore[call-overload]
    share = world if recipe.divisible else World()
    source = Stream(dataset, seed=training.seed, rank=share.rank, world=share.size, jitter=recipe.jitter)
    return Game(
        recipe.to(device),
        source,
        world=world,
        precision=precision,
        memory_format=memory_format,
        micro_batches=training.micro_batches,
    )


def _require_divisible(plan: RunConfig, recipe: Recipe, world: World) -> None:
    training = plan.training
    size = world.size if recipe.divisible else 1
    whole = size * training.micro_batches * recipe.minibatch_group
    batches = {plan.config.batch, *(phase.batch for phase in recipe.phases() if phase.batch)}
    if uneven := [batch for batch in sorted(batches) if batch % whole]:
        groups = f" of groups of {recipe.minibatch_group}" if recipe.minibatch_group > 1 else ""
        raise InputError(
            f"--batch {uneven[0]} does not divide among {world.size} processes of {training.micro_batches} "
            f"micro-batches{groups}: give a multiple of {whole}."
        )
    if training.micro_batches > 1 and not recipe.divisible:
        who = f"--stabilise {training.stabilise}" if type(recipe).divisible else plan.recipe
        raise InputError(f"--micro-batches is {training.micro_batches}, but {who} needs each batch whole: give 1.")


def start(
    plan: RunConfig, *, run: str | Path | None = None, progress: Progress | None = None, command: str | None = None
) -> Run:
    """Train as `plan` says, in a new run directory."""
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (make_progress() if world.is_first else Silent())
    path = expanded(run) if run is not None else _free_folder(plan)
    if world.is_first:
        require_free(path)
    dataset = open_data(plan, world, progress)
    plan = replace(plan, options=replace(plan.options, range=dataset.spec.range))
    with rng.fork(device):
        game = build_game(plan, dataset, device, world)
        judge = _judge(game, plan, progress)
        shown = preview_batch(game.recipe, dataset, plan.options, most=plan.training.previews)
        directory = _create(path, describe(plan, dataset, game, command), world)
        if world.is_first:
            keep_recipe(plan, directory)
        return run_training(game, directory, plan, dataset, progress, judge, shown)


def resume(
    run: str | Path,
    *,
    recipe: RecipeLike | None = None,
    data: str | Path | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Run:
    """Go on with a run from its newest checkpoint, to the last bit as if it had never stopped.

    Args:
        run: the run directory.
        recipe: for a run of a recipe of your own: its file, package.module:Class or class.
        data: where the run's data lie now, if they were moved.
        progress: who is told how it goes.
        changes: settings to change: `rounds` to train longer, and those that do not change what is computed.

    Raises:
        InputError: no run, no checkpoint, a change that would make it another run, or other data than before.
    """
    directory = Run.open(run)
    before = read_config(directory, recipe)
    plan = changed(before, changes, directory)
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (make_progress() if world.is_first else Silent())
    plan, dataset = open_again(plan, data, directory, world, progress)
    require_same_data(directory, dataset, progress, moved=data is not None)
    with rng.fork(device):
        game = build_game(plan, dataset, device, world)
        latest = directory.latest()
        restore(latest, game)
        if game.rounds < game.clock.round:
            raise InputError(
                f"{run} has played {game.clock.round} rounds already, and --rounds {plan.config.rounds} makes "
                f"{game.rounds}."
            )
        judge = _judge(game, plan, progress)
        shown = preview_batch(game.recipe, dataset, plan.options, most=plan.training.previews)
        tell_of_other_conditions(directory, game, progress)
        if (note := change_of_recipe(directory, plan.recipe_class)) is not None:
            progress.note(note)
        if world.is_first:
            if (note := directory.rewind(game.clock.round)) is not None:
                progress.note(note)
            if plan != before:
                directory.describe(directory.description | _settings_now(plan, directory))
            progress.note(f"Going on from round {game.clock.round:,} ({latest}).")
        world.wait()
        return run_training(game, directory, plan, dataset, progress, judge, shown)


def _settings_now(plan: RunConfig, directory: Run) -> dict[str, Any]:
    """What a run's description says of the settings that may change, and of where the data lie."""
    place = directory.description["data"] | {"source": plan.data}
    return {"config": plan.config.to_json(), "training": plan.training.to_json(), "data": place}


def run_training(
    game: Game[Any],
    directory: Run,
    plan: RunConfig,
    dataset: Dataset,
    progress: Progress,
    judge: TrainingEvaluator | None,
    shown: Previews,
) -> Run:
    """Play the rounds that are left, then write the report and say what to type next."""
    for note in (*dataset.notes, *game.recipe.notes):
        progress.note(note)
    preview, measured, note = shown
    if note is not None:
        progress.note(note)
    trainer = Trainer(game, directory, plan.training, preview, progress, measured=measured, judge=judge)
    try:
        finished = trainer.train()
        if game.world.is_first:
            if finished and isinstance(dataset, SampleDataset):
                with game.averaged(), game.autocast():
                    write_nearest(directory, game.recipe, dataset, seed=plan.training.seed)
            page = report.write(directory.path)
            progress.close()
            progress.note(closing_message(directory, page, game, finished))
    finally:
        progress.close()
        game.source.close()
    return directory


def _judge(game: Game[Any], plan: RunConfig, progress: Progress) -> TrainingEvaluator | None:
    """Prepare the evaluations that are asked for, in the process that makes them."""
    if not plan.training.evaluate_every or not game.world.is_first:
        return None
    context = EvaluationContext(
        device=game.device, cache=plan.options.cache_folder(), progress=progress_callback(progress), world=World()
    )
    with rng.fork(game.device, seed=plan.training.seed):
        judge = watch(plan, game.recipe, context)
    for note in (*judge.reference.notes, judge.floor):
        progress.note(note)
    return judge


def closing_message(directory: Run, page: Path, game: Game[Any], finished: bool) -> str:
    """Say where everything lies and what to type next."""
    picture = directory.sample(game.clock.round)
    kind, task = type(game.recipe), game.recipe.task
    flags = () if recipes.origin(kind) is None else ("--recipe", recipes.argument(kind) or "path/to/my_gan.py")
    if not finished:
        resumed = command("zerosum", "train", "--resume", directory.path, *flags)
        return f"Stopped and saved at round {game.clock.round:,}. Continue with: {resumed}"
    use = f"{task.invitation}: {task.typed(directory.path, *flags)}"
    return f"Done: {game.clock.round:,} rounds. Report: {page}. Last samples: {picture}. {use}"


def _create(path: Path, description: Mapping[str, Any], world: World) -> Run:
    run = Run.create(path, description) if world.is_first else Run(path)
    world.wait()
    return run


def _free_folder(plan: RunConfig) -> Path:
    """Name a run after its data and recipe, numbered when the name is taken."""
    stem = Path("runs") / f"{Path(plan.data).stem}-{plan.recipe}"
    candidates = [stem, *(stem.with_name(f"{stem.name}-{number}") for number in range(2, 10_000))]
    return next(path for path in candidates if not path.exists())
