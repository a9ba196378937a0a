"""Bringing a plan, its data and the machine together: a game that is ready to be played."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from zerosum import recipes, report
from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError, ProcessLostError, UnhealthyError
from zerosum.evaluation.config import EvaluationContext
from zerosum.evaluation.during_training import TrainingEvaluator, watch
from zerosum.game import Game
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint import restore
from zerosum.run.config import RunConfig, change_of_recipe, changed, read_config
from zerosum.run.directory import Run, require_free
from zerosum.run.metadata import (
    describe,
    keep_recipe,
    outlook,
    require_same_data,
    tell_of_other_conditions,
    tell_of_other_length,
)
from zerosum.runtime import distributed, rng
from zerosum.runtime.device import pick_device
from zerosum.runtime.display import display
from zerosum.runtime.distributed import World
from zerosum.runtime.lock import locked
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import Progress, progress_callback
from zerosum.runtime.surroundings import only_training
from zerosum.text import command, counted
from zerosum.training.autopilot import Autopilot
from zerosum.training.build import build_game
from zerosum.training.listener import Listener
from zerosum.training.nearest_images import write_nearest
from zerosum.training.open_data import open_again
from zerosum.training.prepare import prepare
from zerosum.training.preview import preview_batch, require_samples
from zerosum.training.run_folder import make_folder
from zerosum.training.shared_folder import require_shared
from zerosum.training.sitting import Sitting, require_not_given_up, tidy


@only_training()
def start(
    plan: RunConfig,
    *,
    run: str | Path | None = None,
    minutes: float | None = None,
    progress: Progress | None = None,
    command: str | None = None,
    pilot: Autopilot = Autopilot(),
) -> Run:
    """Train as `plan` says, in a new run directory, where `minutes` are given for as long as they last."""
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = display(progress, silent=not world.is_first)
    if run is not None and world.is_first:
        require_free(expanded(run))
    plan, dataset, reasons = prepare(plan.normalised(), minutes, device, world, progress)
    with rng.fork(device), ExitStack() as held:
        game = build_game(plan, dataset, device, world)
        shown = preview_batch(game.recipe, dataset, plan.options, most=plan.training.previews)
        require_samples(game, shown[0])
        judge = _judge(game, plan, progress)
        path = make_folder(plan, run, world)
        if world.is_first:
            held.enter_context(locked(path))
            keep_recipe(plan, Run.create(path, describe(plan, dataset, game, command)))
        world.wait()
        require_shared(path, world)
        return run_training(Sitting(game, Run(path), plan, dataset, progress, judge, shown, pilot), reasons)


@only_training()
def resume(
    run: str | Path,
    *,
    recipe: RecipeLike | None = None,
    data: str | Path | None = None,
    progress: Progress | None = None,
    pilot: Autopilot = Autopilot(),
    **changes: Any,
) -> Run:
    """Resume a run from its newest checkpoint, or from its beginning, as `zerosum.resume` says."""
    directory = Run.open(run)
    before = read_config(directory, recipe)
    plan = changed(before, changes, directory)
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = display(progress, silent=not world.is_first)
    with ExitStack() as held:
        if world.is_first:
            held.enter_context(locked(directory.path))
            tidy(directory, plan)
        world.wait()
        if plan.training.autopilot:
            require_not_given_up(Run.open(directory.path))
        plan, dataset = open_again(plan, data, directory, world, progress)
        moved = data is not None or bool(before.options.moved(plan.options))
        require_same_data(directory, dataset, progress, moved=moved)
        held.enter_context(rng.fork(device))
        game = build_game(plan, dataset, device, world)
        began = _restore(game, directory, plan)
        judge = _judge(game, plan, progress)
        shown = preview_batch(game.recipe, dataset, plan.options, most=plan.training.previews)
        tell_of_other_conditions(directory, game, progress)
        tell_of_other_length(before, plan, game, progress)
        if (note := change_of_recipe(directory, plan.recipe_class)) is not None:
            progress.note(note)
        if world.is_first:
            _rewind(directory, game, plan, progress)
            progress.note(began)
        world.wait()
        return run_training(Sitting(game, directory, plan, dataset, progress, judge, shown, pilot))


def _rewind(directory: Run, game: Game[Any], plan: RunConfig, progress: Progress) -> None:
    """Drop what was written after the round that the game stands after, and write down what changes from here on."""
    if (note := directory.rewind(game.clock.round)) is not None:
        progress.note(note)
    asked = _settings_now(plan, directory, game)
    if directory.description | asked != directory.description:
        directory.describe(directory.description | asked)


def _restore(game: Game[Any], directory: Run, plan: RunConfig) -> str:
    """Bring a fresh game to the newest checkpoint, or leave it at its beginning; return a sentence on it."""
    if not directory.checkpoints():
        return "No checkpoint was written before the run stopped: it starts again with its own settings."
    latest = directory.latest()
    restore(latest, game, run=directory)
    if game.rounds < game.clock.round:
        raise InputError(
            f"{directory.path} has played {counted(game.clock.round, 'round')} already, and --rounds "
            f"{plan.config.rounds} makes {game.rounds}."
        )
    return f"Going on from round {game.clock.round:,} ({latest})."


def _settings_now(plan: RunConfig, directory: Run, game: Game[Any]) -> dict[str, Any]:
    """What a run's description says of the settings that may change, and of where the data lie."""
    place = directory.description["data"] | {"source": plan.data}
    options = directory.description["data_options"] | plan.options.located().to_json()
    return {
        "config": plan.config.to_json(), "training": plan.training.to_json(), "data": place, "data_options": options,
        **outlook(game),
    }  # fmt: skip


def run_training(sitting: Sitting, reasons: Sequence[str] = ()) -> Run:
    """Play the rounds that are left, then write the report and say what to type next.

    Raises:
        UnhealthyError: the autopilot has given up; all is written.
    """
    sitting.progress = progress = Listener.of(sitting.progress)
    directory, note = sitting.run, sitting.shown[2]
    for said in (*sitting.dataset.notes, *reasons, *sitting.game.recipe.notes, *([] if note is None else [note])):
        progress.note(said)
    distributed.wait_at_most(sitting.plan.training.lost_after)
    try:
        stopped_by = sitting.play()
        if sitting.game.world.is_first:
            _close(sitting, stopped_by)
    finally:
        progress.close()
        sitting.game.source.close()
    progress.require_heard(directory.path, sitting.game.clock.round)
    if sitting.given_up is not None:
        raise UnhealthyError(sitting.given_up) if sitting.game.world.is_first else ProcessLostError(sitting.given_up)
    return replace(directory, stopped_by=stopped_by)


def _close(sitting: Sitting, stopped_by: int | None) -> None:
    game, directory, dataset = sitting.game, sitting.run, sitting.dataset
    finished = stopped_by is None and sitting.given_up is None
    if finished and isinstance(dataset, SampleDataset):
        with game.averaged(), game.autocast():
            write_nearest(directory, game.recipe, dataset, seed=sitting.plan.training.seed)
    page = report.write(directory.path)
    if sitting.copies is not None:
        sitting.copies.update()
    sitting.progress.close()
    if sitting.given_up is None:
        sitting.progress.note(closing_message(directory, page, game, finished=finished))


def _judge(game: Game[Any], plan: RunConfig, progress: Progress) -> TrainingEvaluator | None:
    """Prepare the evaluations that are asked for, in the process that makes them."""
    if not plan.training.evaluate_every or not game.world.is_first:
        return None
    context = EvaluationContext(
        device=game.device, cache=plan.options.cache_folder(), progress=progress_callback(progress), world=World()
    )
    with rng.fork(game.device, seed=rng.derived(plan.training.seed, "evaluations")):
        judge = watch(plan, game.recipe, context)
    for note in (*judge.reference.notes, judge.floor):
        progress.note(note)
    return judge


def closing_message(directory: Run, page: Path, game: Game[Any], *, finished: bool) -> str:
    """Say where everything lies and what to type next."""
    picture = directory.sample(game.clock.round)
    kind, task = type(game.recipe), game.recipe.task
    flags = () if recipes.origin(kind) is None else ("--recipe", recipes.argument(kind) or "path/to/my_gan.py")
    if not finished:
        resumed = command("zerosum", "train", "--resume", directory.path, *flags)
        return f"Stopped and saved at round {game.clock.round:,}. Continue with: {resumed}"
    use = f"{task.invitation}: {task.typed(directory.path, *flags)}"
    return f"Done: {counted(game.clock.round, 'round')}. Report: {page}. Last samples: {picture}. {use}"
