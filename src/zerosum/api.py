"""The Python interface: train, tune, resume, load, evaluate, compare, diagnose, export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerosum.doctor.columns import as_typed
from zerosum.doctor.diagnosis import Diagnosis
from zerosum.doctor.examine import examine
from zerosum.errors import InputError
from zerosum.evaluation import evaluate as evaluation
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.result import Evaluation
from zerosum.exporting import Exported, Form
from zerosum.exporting import export as exporting
from zerosum.hub import local
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run import load as loading
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run, Which
from zerosum.runtime.progress import Progress
from zerosum.training import go_on as going_on
from zerosum.training import launch
from zerosum.tuning.results import Results
from zerosum.tuning.search import tune as tuning


def train(
    data: str | Path,
    *,
    recipe: RecipeLike | None = None,
    run: str | Path | None = None,
    go_on: bool = False,
    minutes: float | None = None,
    progress: Progress | None = None,
    command: str | None = None,
    **settings: Any,
) -> Run:
    """Train `recipe` on `data` and return the run directory.

    Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 save and end the training: the run that is returned is then `interrupted`.

    Args:
        data: a folder, a zip, an array file, or a name such as "digits" (see `zerosum.kinds.images`).
        recipe: name of the recipe (`zerosum recipes` lists them), or one of your own: a file, package.module:Class, or
            a class; by default one is chosen by the data, and it is said which and why.
        run: folder to write; by default a new one under runs/.
        go_on: whether `run`, where it has begun, is resumed, with these settings and those that it has.
        minutes: time to train; size, preset and number of rounds are chosen for it, after a trial on this machine.
        progress: who is told how it goes, by default a terminal; what it raises ends the training once that is saved.
        command: what a person would type for this; kept in run.json.
        settings: any setting of the recipe, of `Training` and of `DataConfig`, by name.

    Raises:
        InputError: something given cannot be used; nothing was written, or the run holds what was there before.
        DivergedError: a loss is no longer finite.
        UnhealthyError: with `autopilot`, the run fails and no try is left; it ends at its last healthy checkpoint.
        StorageError: the disk refuses.
    """
    if go_on and (directory := going_on.begun(run, settings.get("copy_to"))) is not None:
        return going_on.go_on(directory, settings, data=data, recipe=recipe, progress=progress)
    plan = RunConfig.read(data, recipe, settings)
    return launch.start(plan, run=run, minutes=minutes, progress=progress, command=command)


def tune(
    data: str | Path,
    *,
    recipe: RecipeLike | None = None,
    out: str | Path = "runs/tune",
    trials: int = 20,
    minutes: float | None = None,
    metric: str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Results:
    """Search for the settings under which a recipe does best on `data`; every trial is a run in `out`.

    The same call on the same `out` goes on where the search was stopped: the result is then `stopped_by` a signal.

    Args:
        data: what `train` would be given.
        recipe: likewise.
        out: folder for the runs and tune.json.
        trials: runs at most, those of earlier calls on the same `out` counted.
        minutes: time after which no further run begins; None for no limit.
        metric: by which runs are compared, such as "fid"; by default the one that chooses the best checkpoint of a run.
        progress: who is told how it goes.
        settings: any setting of the recipe, of `Training` and of `DataConfig`, by name; none of these is varied.

    Raises:
        InputError: something given cannot be used, `out` holds another search, or Optuna is not installed.
        StorageError: the disk refuses.
    """
    for name, value, kind in (("trials", trials, int), ("minutes", minutes, int | float)):
        if value is not None and not (isinstance(value, kind) and value > 0):
            raise InputError(f"{name}={value!r} was given: give more than 0{', in whole numbers' * (kind is int)}.")
    plan = RunConfig.read(data, recipe, settings)
    return tuning(plan, out=out, trials=trials, minutes=minutes, metric=metric, progress=progress)


def resume(
    run: str | Path | Run,
    *,
    recipe: RecipeLike | None = None,
    data: str | Path | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Run:
    """Go on with a run from its newest checkpoint, or its beginning, to the last bit as if it had never stopped.

    Args:
        run: the run directory.
        recipe: for a run of a recipe of your own, as for `train`: a run never says which code is run.
        data: where the run's data lie now, if they were moved.
        progress: who is told how it goes.
        changes: settings to change: `rounds` to train longer, those that do not change what is computed, and `target`
            and `labels` where those files were moved.

    Raises:
        InputError: no run, no checkpoint, a change that would make it another run, or other data than before.
    """
    return launch.resume(local(run), recipe=recipe, data=data, progress=progress, **changes)


def load(
    run: str | Path | Run,
    *,
    recipe: RecipeLike | None = None,
    device: str = "auto",
    checkpoint: Which = "newest",
) -> Recipe:
    """Return a trained model: the recipe with its averaged weights, ready to `sample`.

    Args:
        run: the run, its directory, or hf:owner/name, or hf:owner/name@revision of the Hugging Face Hub.
        recipe: for a run of a recipe of your own, as for `resume`.
        device: where to put it: cuda, mps, cpu, or auto.
        checkpoint: which of them: the "newest", the "best" that evaluations during training chose, or that of a round.

    Raises:
        InputError: no run, no such checkpoint, or one that is damaged or of another model.
    """
    opened = run if isinstance(run, Run) else local(run)  # one that is open keeps what it has read
    return loading.load(opened, recipe=recipe, device=device, checkpoint=checkpoint)


def evaluate(
    subject: str | Path | Run,
    *,
    recipe: RecipeLike | None = None,
    checkpoint: Which = "newest",
    out: str | Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
    **asked: Any,
) -> Evaluation:
    """Say how good a run, or a folder of images, is.

    Args:
        subject: a run directory, or a folder, .zip or array file of images, or a name.
        recipe: for a run of a recipe of your own, as for `resume`.
        checkpoint: which of a run's: "newest", the "best" that training kept, or that of a round.
        out: a .json file for the numbers; by default evaluation.json in the run, and none for a folder.
        device: where to compute: cuda, mps, cpu, or auto.
        progress: who is told how it goes.
        asked: any field of `EvaluationConfig` by name: against, split, metrics, per_class, features,
            perceptual, perceptual_heads, count, fake_count, size, seed.

    Raises:
        InputError: something given cannot be used.
        StorageError: the disk refuses.
    """
    config = EvaluationConfig.read(asked)
    return evaluation.evaluate(
        config, local(subject), recipe=recipe, checkpoint=checkpoint, out=out, device=device, progress=progress
    )


def compare(
    *places: str | Path | Run,
    recipe: RecipeLike | None = None,
    progress: Progress | None = None,
    **asked: Any,
) -> list[Evaluation]:
    """Return the evaluations of several runs, once they may stand side by side.

    Args:
        places: runs that were evaluated, or .json files that an evaluation was written to.
        recipe: of those that are evaluated here and were trained by a recipe of your own.
        progress: who is told how it goes.
        asked: how to evaluate those of the runs that were not evaluated yet, as for `evaluate`; without, they are
            refused.

    Raises:
        InputError: one was not evaluated, or under another protocol; the sentence says what to type.
    """
    return evaluation.compare(*map(local, places), recipe=recipe, progress=progress, **asked)


def diagnose(
    place: str | Path | Run,
    *,
    against: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Return what goes wrong in a run, a log of another program or a set of images: a list, the most severe first.

    A notebook shows it as a page of findings.

    Args:
        place: a run directory; a log, .csv, .tsv, .jsonl, printed lines (.log, .txt) or TensorBoard's events; or a
            folder, .zip or array file of images.
        against: of images, the real ones to compare them with.
        columns: of a log, what columns are whose names are not understood: {"loss1": "discriminator/loss"}.

    Raises:
        InputError: there is nothing of these at the place, or it cannot be read.
        StorageError: the cache for images cannot be written to.
    """
    return Diagnosis(examine(local(place), against=against, columns=as_typed(columns or {})).findings)


def export(
    run: str | Path | Run,
    *,
    to: Form = "onnx",
    out: str | Path | None = None,
    recipe: RecipeLike | None = None,
    checkpoint: Which = "newest",
    **asked: Any,
) -> list[Exported]:
    """Write a run's generator as a file that needs no zerosum, by its averaged weights, and return what was written.

    Args:
        run: the run directory.
        to: onnx; pt2, for torch.export.load; or web, a page that generates in a browser.
        out: the file, or the folder of a page; by default in the run's exports/.
        recipe: for a run of a recipe of your own, as for `resume`.
        checkpoint: which of them.
        asked: precision ("float32" or "float16"), and of a page folder, title and runtime: see `zerosum export --help`.

    Raises:
        InputError: something given cannot be used, or the recipe cannot be exported.
        StorageError: the disk refuses.
    """
    return exporting(local(run), to=to, out=out, recipe=recipe, checkpoint=checkpoint, **asked)
