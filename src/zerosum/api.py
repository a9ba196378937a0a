"""What the command line, and whoever imports zerosum, calls: train, resume, load, sample."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import zerosum
from zerosum import checkpoint, distributed, live, machine, recipes, report
from zerosum.data.dataset import Dataset
from zerosum.data.kinds import AnyDataset, for_previews, open_as
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.distributed import World
from zerosum.errors import InputError
from zerosum.gallery import memorisation
from zerosum.game import Game
from zerosum.plan import Plan, changed, plan_of, spec_of
from zerosum.recipe import Recipe, TranslationRecipe
from zerosum.run import Run, require_free
from zerosum.training import Trainer


def train(
    data: str | Path,
    *,
    recipe: str = "dcgan",
    run: str | Path | None = None,
    progress: live.Progress | None = None,
    command: str | None = None,
    **settings: Any,
) -> Run:
    """Train `recipe` on `data` and return the run directory.

    Args:
        data: a folder, a zip, an array file, or a name such as "digits" (see `zerosum.data.open`).
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
    plan: Plan, *, run: str | Path | None = None, progress: live.Progress | None = None, command: str | None = None
) -> Run:
    """Train as `plan` says, in a new run directory."""
    device = machine.pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (live.choose() if world.is_first else live.Silent())
    path = Path(run) if run is not None else _free_folder(plan)
    if world.is_first:
        require_free(path)
    dataset = _open(plan, world, progress)
    recipe = _build(plan, dataset.spec)
    game = _seat(recipe, plan, dataset, device, world)
    directory = _create(path, _describe(plan, dataset, game, command), world)
    return _play(game, directory, plan, dataset, progress)


def resume(
    run: str | Path,
    *,
    progress: live.Progress | None = None,
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
    device = machine.pick_device(plan.training.device)
    world = distributed.join(device)
    progress = progress or (live.choose() if world.is_first else live.Silent())
    dataset = _open(plan, world, progress)
    _require_same_data(directory, dataset, progress)
    recipe = _build(plan, dataset.spec)
    game = _seat(recipe, plan, dataset, device, world)
    latest = directory.latest()
    checkpoint.restore(latest, game)
    rounds = sum(phase.rounds for phase in recipe.phases())
    if rounds < game.clock.round:
        raise InputError(
            f"{run} has played {game.clock.round} rounds already, and --rounds {plan.config.rounds} makes {rounds}."
        )
    _tell_of_other_conditions(directory, game, progress)
    if world.is_first:
        directory.rewind(game.clock.round)
        if plan != before:
            directory.describe(
                directory.description | {"config": plan.config.to_json(), "training": plan.training.to_json()}
            )
        progress.note(f"Going on from round {game.clock.round:,} ({latest}).")
    world.wait()
    return _play(game, directory, plan, dataset, progress)


def load(run: str | Path, *, device: str = "auto") -> Recipe:
    """Return a trained model: the recipe with its averaged weights, ready to `sample`.

    Args:
        run: the run directory.
        device: where to put it: cuda, mps, cpu, or auto.

    Raises:
        InputError: no run, no checkpoint, or one that is damaged or of another model.
    """
    directory = Run.open(run)
    plan = plan_of(directory)
    with torch.random.fork_rng([]):
        recipe = recipes.find(plan.recipe)(plan.config, spec_of(directory))
    checkpoint.load_model(directory.latest(), recipe)
    return recipe.to(machine.pick_device(device)).eval().requires_grad_(False)


def recipe_of(run: str | Path) -> type[Recipe]:
    """Return the recipe that a run was trained by.

    Raises:
        InputError: no run there, or of a recipe that this version does not have.
    """
    return recipes.find(plan_of(Run.open(run)).recipe)


def _open(plan: Plan, world: World, progress: live.Progress) -> AnyDataset:
    """Open the data, the first process alone at first so that they are packed once."""
    told, kinds = live.counting(progress), recipes.find(plan.recipe).data
    dataset = open_as(kinds, plan.data, options=plan.options, progress=told) if world.is_first else None
    world.wait()
    return dataset or open_as(kinds, plan.data, options=plan.options)


def _build(plan: Plan, spec: Spec) -> Recipe:
    kind = recipes.find(plan.recipe)
    torch.manual_seed(plan.training.seed)
    return kind(plan.config, spec)


def _seat(recipe: Recipe, plan: Plan, dataset: AnyDataset, device: torch.device, world: World) -> Game[Any]:
    """Bring recipe, data and machine together."""
    training = plan.training
    whole = world.size * training.micro_batches * recipe.group
    if plan.config.batch % whole:
        groups = f" of groups of {recipe.group}" if recipe.group > 1 else ""
        raise InputError(
            f"--batch {plan.config.batch} does not divide among {world.size} processes of {training.micro_batches} "
            f"micro-batches{groups}: give a multiple of {whole}."
        )
    if training.micro_batches > 1 and not recipe.divisible:
        raise InputError(
            f"--micro-batches is {training.micro_batches}, but {plan.recipe} needs each batch whole: give 1."
        )
    precision = machine.pick_precision(training.precision, device)
    if dataset.spec.is_points and training.precision == "auto":
        precision = torch.float32
    memory_format = machine.pick_memory_format(training.memory_format, device, precision)
    machine.keep_memory()
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


def _play(game: Game[Any], directory: Run, plan: Plan, dataset: AnyDataset, progress: live.Progress) -> Run:
    for note in dataset.notes:
        progress.note(note)
    preview, measured, note = for_previews(dataset, game.recipe.data, plan.options, most=plan.training.previews)
    if note is not None:
        progress.note(note)
    trainer = Trainer(game, directory, plan.training, preview, progress, measured=measured)
    try:
        finished = trainer.train()
        if game.world.is_first:
            if isinstance(dataset, Dataset) and not dataset.spec.is_points:
                _remember(directory, game, dataset, plan.training.seed)
            page = report.write(directory.path)
            progress.close()
            progress.note(_farewell(directory, page, game, finished))
    finally:
        progress.close()
        game.source.close()
        distributed.leave()
    return directory


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
        use = f"Translate images: zerosum translate {directory.path} INPUT --out OUTPUT"
    return f"Done: {game.clock.round:,} rounds. Report: {page}. Last samples: {picture}. {use}"


def _describe(plan: Plan, dataset: AnyDataset, game: Game[Any], command: str | None) -> dict[str, Any]:
    """Say what run.json says."""
    return {
        "recipe": plan.recipe,
        "config": plan.config.to_json(),
        "training": plan.training.to_json(),
        "data_options": plan.options.located().to_json(),
        "spec": {name: value for name, value in asdict(dataset.spec).items() if value is not None},
        "data": {
            "source": dataset.source,
            "fingerprint": dataset.fingerprint,
            "count": len(dataset),
            "notes": list(dataset.notes),
        },
        "machine": machine.describe() | game.conditions(),
        "versions": {"zerosum": zerosum.__version__, "torch": torch.__version__, "python": platform.python_version()},
        "command": command,
    }


def _require_same_data(directory: Run, dataset: AnyDataset, progress: live.Progress) -> None:
    known, spec = directory.description["data"], spec_of(directory)
    if known.get("count") != len(dataset) or spec != dataset.spec:
        raise InputError(
            f"The data at {dataset.source} are no longer those of the run: {len(dataset)} samples of shape "
            f"{dataset.spec.shape} and {len(dataset.spec.classes)} classes now, {known.get('count')} of {spec.shape} "
            f"and {len(spec.classes)} then; bring them back, or start a new run."
        )
    if known.get("fingerprint") != dataset.fingerprint:
        progress.note(
            f"The files at {dataset.source} have changed since the run began; it goes on with what is there now."
        )


def _tell_of_other_conditions(directory: Run, game: Game[Any], progress: live.Progress) -> None:
    """Say what a resumed run will compute with that is not what it began with: its numbers may differ from here on."""
    began = directory.description.get("machine", {})
    for name, value in game.conditions().items():
        if began.get(name, value) != value:
            progress.note(f"The run began with {name.replace('_', ' ')} {began[name]} and goes on with {value}.")


def _create(path: Path, description: Mapping[str, Any], world: World) -> Run:
    run = Run.create(path, description) if world.is_first else Run(path)
    world.wait()
    return run


def _free_folder(plan: Plan) -> Path:
    """Name a run after its data and recipe, numbered when the name is taken."""
    stem = Path("runs") / f"{Path(plan.data).stem}-{plan.recipe}"
    candidates = [stem, *(stem.with_name(f"{stem.name}-{number}") for number in range(2, 10_000))]
    return next(path for path in candidates if not path.exists())
