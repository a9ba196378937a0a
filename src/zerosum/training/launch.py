"""Bringing a plan, its data and the machine together: a game that is ready to be played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum import recipes, report
from zerosum.data.batch import to_float
from zerosum.data.dataset import Dataset
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.evaluation.during_training import Watch, watch
from zerosum.evaluation.reference import Setting
from zerosum.game import Game
from zerosum.inference.sample import generate
from zerosum.kinds import AnyDataset, for_previews, open_as
from zerosum.media import image_grid
from zerosum.metrics.nearest_images import nearest
from zerosum.recipe import Recipe
from zerosum.run.checkpoint import restore
from zerosum.run.config import Plan, changed, plan_of
from zerosum.run.directory import Run, require_free
from zerosum.run.metadata import describe, require_same_data, tell_of_other_conditions
from zerosum.runtime import distributed, rng
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.device import keep_memory, pick_device, pick_memory_format, pick_precision
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Progress, Silent, choose, counting
from zerosum.tasks import Completing, TranslationRecipe, Upscaler
from zerosum.training.trainer import Trainer


def open_data(plan: Plan, world: World, progress: Progress) -> AnyDataset:
    """Open the data, the first process alone at first so that they are packed once."""
    told, kinds = counting(progress), recipes.find(plan.recipe).data
    dataset = open_as(kinds, plan.data, options=plan.options, progress=told) if world.is_first else None
    world.wait()
    return dataset or open_as(kinds, plan.data, options=plan.options)


def seat(plan: Plan, dataset: AnyDataset, device: torch.device, world: World) -> Game[Any]:
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
    keep_memory()
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


def _require_divisible(plan: Plan, recipe: Recipe, world: World) -> None:
    training = plan.training
    size = world.size if recipe.divisible else 1
    whole = size * training.micro_batches * recipe.group
    batches = {plan.config.batch, *(phase.batch for phase in recipe.phases() if phase.batch)}
    if uneven := [batch for batch in sorted(batches) if batch % whole]:
        groups = f" of groups of {recipe.group}" if recipe.group > 1 else ""
        raise InputError(
            f"--batch {uneven[0]} does not divide among {world.size} processes of {training.micro_batches} "
            f"micro-batches{groups}: give a multiple of {whole}."
        )
    if training.micro_batches > 1 and not recipe.divisible:
        raise InputError(
            f"--micro-batches is {training.micro_batches}, but {plan.recipe} needs each batch whole: give 1."
        )


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


def memorisation(run: Run, recipe: Recipe, dataset: Dataset, *, seed: int, n: int = 12, k: int = 4) -> None:
    """Write samples beside their nearest training images (mean absolute difference) into the run, and the distances.

    For scale, the same is measured from n training images to the rest: samples much nearer than that are copies.
    Searches at most 50,000 training images, chosen at random.
    """
    chosen = np.random.default_rng(seed).permutation(len(dataset))[:50_000]
    own, rest = chosen[:n], np.sort(chosen[n:])
    if len(rest) < k:
        return
    samples = generate(recipe, n, seed=seed, chosen={})
    places, distances = nearest(samples, map(to_float, dataset.chunks(rest)), k=k)
    neighbours = to_float(dataset.real(rest[places.flatten().numpy()])).unflatten(0, (n, k))
    sheet = image_grid.side_by_side(samples, neighbours)
    image_grid.write_png(sheet, run.path / "samples" / "nearest.png", {"seed": str(seed)})
    _, apart = nearest(to_float(dataset.real(own)), map(to_float, dataset.chunks(rest)), k=1)
    found = {
        "samples": [{"distance": d} for d in distances[:, 0].tolist()],
        "training": [{"distance": d} for d in apart[:, 0].tolist()],
        "searched": len(rest),
    }
    with replacing(run.path / "samples" / "nearest.json") as partial:
        partial.write_text(json.dumps(found, indent=2), encoding="utf-8")
