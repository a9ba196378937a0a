"""Bringing a plan, its data and the machine together: a game that is ready to be played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from zerosum import recipes, report
from zerosum.data.dataset import Dataset
from zerosum.data.sources.find import built_in, name_of
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.evaluation.during_training import TrainingEvaluator, watch
from zerosum.evaluation.reference import EvaluationContext
from zerosum.game import Game
from zerosum.kinds import AnyDataset, for_previews, open_as
from zerosum.recipe import Recipe
from zerosum.run.checkpoint import restore
from zerosum.run.config import RunConfig, changed, read_config
from zerosum.run.directory import Run, require_free
from zerosum.run.metadata import describe, require_same_data, tell_of_other_conditions
from zerosum.runtime import distributed, rng
from zerosum.runtime.device import keep_freed_memory, pick_device, pick_memory_format, pick_precision
from zerosum.runtime.distributed import World
from zerosum.runtime.paths import absolute, expanded
from zerosum.runtime.progress import Progress, Silent, make_progress, progress_callback
from zerosum.tasks import Inpainter, TranslationRecipe, Upscaler
from zerosum.training.nearest_images import memorisation
from zerosum.training.trainer import Trainer


def open_data(plan: RunConfig, world: World, progress: Progress) -> AnyDataset:
    """Open the data, the first process alone at first so that they are packed once."""
    told, kinds = progress_callback(progress), recipes.find(plan.recipe).data
    dataset = open_as(kinds, plan.data, options=plan.options, progress=told) if world.is_first else None
    world.wait()
    return dataset or open_as(kinds, plan.data, options=plan.options)


def build_game(plan: RunConfig, dataset: AnyDataset, device: torch.device, world: World) -> Game[Any]:
    """Build the recipe from the plan's seed and seat it at a game, before its first round.

    Raises:
        InputError: the recipe cannot take the data, or the batch does not divide as asked.
    """
    torch.manual_seed(plan.training.seed)
    recipe = recipes.find(plan.recipe)(plan.config, dataset.spec)
    _require_divisible(plan, recipe, world)
    training = plan.training
    precision = pick_precision(training.precision, device)
    if dataset.spec.is_points and training.precision == "auto":
        precision = torch.float32
    memory_format = pick_memory_format(training.memory_format, device, precision)
    keep_freed_memory()
    if not dataset.spec.is_points:
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
        raise InputError(
            f"--micro-batches is {training.micro_batches}, but {plan.recipe} needs each batch whole: give 1."
        )


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
        directory = _create(path, describe(plan, dataset, game, command), world)
        return run_training(game, directory, plan, dataset, progress, judge)


def resume(
    run: str | Path,
    *,
    data: str | Path | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Run:
    """Go on with a run from its newest checkpoint, to the last bit as if it had never stopped.

    Args:
        run: the run directory.
        data: where the run's data lie now, if they were moved.
        progress: who is told how it goes.
        changes: settings to change: `rounds` to train longer, and those that do not change what is computed.

    Raises:
        InputError: no run, no checkpoint, a change that would make it another run, or other data than before.
    """
    directory = Run.open(run)
    before = read_config(directory)
    plan = changed(before, changes, directory)
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (make_progress() if world.is_first else Silent())
    plan, dataset = _open_again(plan, data, directory, world, progress)
    require_same_data(directory, dataset, progress, moved=data is not None)
    with rng.fork(device):
        game = build_game(plan, dataset, device, world)
        latest = directory.latest()
        restore(latest, game)
        rounds = sum(phase.rounds for phase in game.recipe.phases())
        if rounds < game.clock.round:
            raise InputError(
                f"{run} has played {game.clock.round} rounds already, and --rounds {plan.config.rounds} makes {rounds}."
            )
        judge = _judge(game, plan, progress)
        tell_of_other_conditions(directory, game, progress)
        if world.is_first:
            directory.rewind(game.clock.round)
            if plan != before:
                began = directory.description
                place = {"data": began["data"] | {"source": plan.data}}
                settings = {"config": plan.config.to_json(), "training": plan.training.to_json()}
                directory.describe(began | settings | place)
            progress.note(f"Going on from round {game.clock.round:,} ({latest}).")
        world.wait()
        return run_training(game, directory, plan, dataset, progress, judge)


def _open_again(
    plan: RunConfig, data: str | Path | None, directory: Run, world: World, progress: Progress
) -> tuple[RunConfig, AnyDataset]:
    """Open a run's data where they lay, or where they lie now; return the plan with their place."""
    plan = plan if data is None else replace(plan, data=name_of(data))
    try:
        return plan, open_data(plan, world, progress)
    except InputError as error:
        if data is not None or built_in(plan.data) or absolute(plan.data).exists():
            raise
        raise InputError(
            f"The data of the run are no longer at {plan.data}: say where they are now, with "
            f"zerosum train DATA --resume {directory.path}."
        ) from error


def run_training(
    game: Game[Any],
    directory: Run,
    plan: RunConfig,
    dataset: AnyDataset,
    progress: Progress,
    judge: TrainingEvaluator | None,
) -> Run:
    """Play the rounds that are left, then write the report and say what to type next."""
    for note in (*dataset.notes, *game.recipe.notes):
        progress.note(note)
    made_from = "images" if isinstance(game.recipe, TranslationRecipe | Inpainter) else "latents"
    preview, measured, note = for_previews(
        dataset, game.recipe.data, plan.options, most=plan.training.previews, made_from=made_from
    )
    if note is not None:
        progress.note(note)
    trainer = Trainer(game, directory, plan.training, preview, progress, measured=measured, judge=judge)
    try:
        finished = trainer.train()
        if game.world.is_first:
            if finished and made_from == "latents" and isinstance(dataset, Dataset) and not dataset.spec.is_points:
                _remember(directory, game, dataset, plan.training.seed)
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
    setting = EvaluationContext(
        device=game.device, cache=plan.options.cache_folder(), progress=progress_callback(progress), world=World()
    )
    with rng.fork(game.device, seed=plan.training.seed):
        judge = watch(plan, game.recipe, setting)
    for note in (*judge.prepared.notes, judge.floor):
        progress.note(note)
    return judge


def _remember(directory: Run, game: Game[Any], dataset: Dataset, seed: int) -> None:
    with game.averaged(), game.autocast():
        memorisation(directory, game.recipe, dataset, seed=seed)


def closing_message(directory: Run, page: Path, game: Game[Any], finished: bool) -> str:
    """Say where everything lies and what to type next."""
    picture = directory.sample(game.clock.round)
    if not finished:
        return f"Stopped and saved at round {game.clock.round:,}. Go on with: zerosum train --resume {directory.path}"
    use = f"More samples: zerosum sample {directory.path} -n 16"
    if isinstance(game.recipe, TranslationRecipe):
        verb = "upscale" if isinstance(game.recipe, Upscaler) else "translate"
        use = f"{verb.capitalize()} images: zerosum {verb} {directory.path} INPUT --out OUTPUT"
    if isinstance(game.recipe, Inpainter):
        use = f"Fill holes in images: zerosum inpaint {directory.path} INPUT --mask MASK"
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
