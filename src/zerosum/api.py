"""What the command line, and whoever imports zerosum, calls: train, resume, load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from zerosum import recipes, report
from zerosum.data.dataset import Dataset
from zerosum.errors import InputError
from zerosum.evaluation.during_training import Watch, watch
from zerosum.evaluation.reference import Setting
from zerosum.game import Game
from zerosum.inference.sample import memorisation
from zerosum.inference.upscale import Upscaler
from zerosum.kinds import AnyDataset, for_previews
from zerosum.recipe import Completing, Recipe, TranslationRecipe
from zerosum.run.checkpoint import load_model, restore
from zerosum.run.config import Plan, changed, plan_of, spec_of
from zerosum.run.directory import Run, Which, require_free
from zerosum.run.metadata import describe, require_same_data, tell_of_other_conditions
from zerosum.runtime import distributed, rng
from zerosum.runtime.device import pick_device
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Progress, Silent, choose, counting
from zerosum.training.launch import open_data, seat
from zerosum.training.trainer import Trainer


def train(
    data: str | Path,
    *,
    recipe: str = "dcgan",
    run: str | Path | None = None,
    progress: Progress | None = None,
    command: str | None = None,
    **settings: Any,
) -> Run:
    """Train `recipe` on `data` and return the run directory.

    Args:
        data: a folder, a zip, an array file, or a name such as "digits" (see `zerosum.kinds.images`).
        recipe: name of the recipe; `zerosum recipes` lists them.
        run: folder to write; by default a new one under runs/.
        progress: who is told how it goes; by default a live view in a terminal and plain lines elsewhere.
        command: what a person would type for this; kept in run.json.
        settings: any setting of the recipe, of `Training` and of `DataOptions`, by name.

    Raises:
        InputError: something given cannot be used; nothing was written, or the run holds what was there before.
        DivergedError: a loss is no longer finite.
        StorageError: the disk refuses.
    """
    return start(Plan.read(str(data), recipe, settings), run=run, progress=progress, command=command)


def start(
    plan: Plan, *, run: str | Path | None = None, progress: Progress | None = None, command: str | None = None
) -> Run:
    """Train as `plan` says, in a new run directory."""
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (choose() if world.is_first else Silent())
    path = Path(run) if run is not None else _free_folder(plan)
    if world.is_first:
        require_free(path)
    dataset = open_data(plan, world, progress)
    with rng.forked(device):
        game = seat(plan, dataset, device, world)
        judge = _judge(game, plan, progress)
        directory = _create(path, describe(plan, dataset, game, command), world)
        return _play(game, directory, plan, dataset, progress, judge)


def resume(
    run: str | Path,
    *,
    progress: Progress | None = None,
    **changes: Any,
) -> Run:
    """Go on with a run from its newest checkpoint, to the last bit as if it had never stopped.

    Args:
        run: the run directory.
        progress: who is told how it goes.
        changes: settings to change: `rounds` to train longer, and those that do not change what is computed.

    Raises:
        InputError: no run, no checkpoint, a change that would make it another run, or other data than before.
    """
    directory = Run.open(run)
    before = plan_of(directory)
    plan = changed(before, changes, directory)
    device = pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (choose() if world.is_first else Silent())
    dataset = open_data(plan, world, progress)
    require_same_data(directory, dataset, progress)
    with rng.forked(device):
        game = seat(plan, dataset, device, world)
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
                directory.describe(
                    directory.description | {"config": plan.config.to_json(), "training": plan.training.to_json()}
                )
            progress.note(f"Going on from round {game.clock.round:,} ({latest}).")
        world.wait()
        return _play(game, directory, plan, dataset, progress, judge)


def load(run: str | Path, *, device: str = "auto", checkpoint: Which = "newest") -> Recipe:
    """Return a trained model: the recipe with its averaged weights, ready to `sample`.

    Args:
        run: the run directory.
        device: where to put it: cuda, mps, cpu, or auto.
        checkpoint: which of them: the "newest", or the "best" that evaluations during training chose.

    Raises:
        InputError: no run, no such checkpoint, or one that is damaged or of another model.
    """
    directory = Run.open(run)
    plan = plan_of(directory)
    with rng.forked(torch.device("cpu")):
        recipe = recipes.find(plan.recipe)(plan.config, spec_of(directory))
    load_model(directory.chosen(checkpoint), recipe)
    return recipe.to(pick_device(device)).eval().requires_grad_(False)


def recipe_of(run: str | Path) -> type[Recipe]:
    """Return the recipe that a run was trained by.

    Raises:
        InputError: no run there, or of a recipe that this version does not have.
    """
    return recipes.find(plan_of(Run.open(run)).recipe)


def _play(
    game: Game[Any],
    directory: Run,
    plan: Plan,
    dataset: AnyDataset,
    progress: Progress,
    judge: Watch | None,
) -> Run:
    for note in (*dataset.notes, *game.recipe.notes):
        progress.note(note)
    made_from = "images" if isinstance(game.recipe, TranslationRecipe | Completing) else "latents"
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
            progress.note(_farewell(directory, page, game, finished))
    finally:
        progress.close()
        game.source.close()
    return directory


def _judge(game: Game[Any], plan: Plan, progress: Progress) -> Watch | None:
    """Prepare the evaluations that are asked for, in the process that makes them."""
    if not plan.training.evaluate_every or not game.world.is_first:
        return None
    setting = Setting(device=game.device, cache=plan.options.cache_folder(), progress=counting(progress), world=World())
    with rng.forked(game.device, seed=plan.training.seed):
        judge = watch(plan, game.recipe, setting)
    for note in (*judge.prepared.notes, judge.floor):
        progress.note(note)
    return judge


def _remember(directory: Run, game: Game[Any], dataset: Dataset, seed: int) -> None:
    with game.averaged(), game.autocast():
        memorisation(directory, game.recipe, dataset, seed=seed)


def _farewell(directory: Run, page: Path, game: Game[Any], finished: bool) -> str:
    """Say where everything lies and what to type next."""
    picture = directory.sample(game.clock.round)
    if not finished:
        return f"Stopped and saved at round {game.clock.round:,}. Go on with: zerosum train --resume {directory.path}"
    use = f"More samples: zerosum sample {directory.path} -n 16"
    if isinstance(game.recipe, TranslationRecipe):
        verb = "upscale" if isinstance(game.recipe, Upscaler) else "translate"
        use = f"{verb.capitalize()} images: zerosum {verb} {directory.path} INPUT --out OUTPUT"
    if isinstance(game.recipe, Completing):
        use = f"Fill holes in images: zerosum inpaint {directory.path} INPUT --mask MASK"
    return f"Done: {game.clock.round:,} rounds. Report: {page}. Last samples: {picture}. {use}"


def _create(path: Path, description: Mapping[str, Any], world: World) -> Run:
    run = Run.create(path, description) if world.is_first else Run(path)
    world.wait()
    return run


def _free_folder(plan: Plan) -> Path:
    """Name a run after its data and recipe, numbered when the name is taken."""
    stem = Path("runs") / f"{Path(plan.data).stem}-{plan.recipe}"
    candidates = [stem, *(stem.with_name(f"{stem.name}-{number}") for number in range(2, 10_000))]
    return next(path for path in candidates if not path.exists())
