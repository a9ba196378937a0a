"""The search itself: Optuna proposes settings, runs are its trials, and a metric is the judge."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.during_training import watch
from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.measures import better
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.device import pick_device
from zerosum.runtime.display import display
from zerosum.runtime.distributed import World
from zerosum.runtime.lock import locked
from zerosum.runtime.paths import expanded
from zerosum.runtime.progress import Progress, Silent, progress_callback
from zerosum.runtime.surroundings import own_settings
from zerosum.training.prepare import prepare
from zerosum.tuning.results import Results, TrialResult, typed
from zerosum.tuning.space import Choice, Range, require_comparable, space_of
from zerosum.tuning.study import ask, end_early, ended, open_study, put_back, require_optuna
from zerosum.tuning.trial import TrialProgress, critical, play, with_settings

if TYPE_CHECKING:
    import optuna

EVALUATIONS = 4
"""Evaluations of a trial, at which it may be ended."""

OTHER_SEED = 1_000
"""Added to the seed of the samples by which the best trial is evaluated again."""


@own_settings()
def tune(
    plan: RunConfig,
    *,
    out: str | Path,
    trials: int = 20,
    minutes: float | None = None,
    metric: str | None = None,
    progress: Progress | None = None,
) -> Results:
    """Search for the settings under which a recipe does best on some data.

    The first trial has the default settings. Every trial is a run of its own in `out`; one that falls behind the median
    of the others at the same round, or in which something critical is found, ends early. The same call on the same
    `out` goes on where the search was stopped.

    Args:
        plan: the data, the recipe, and what is not varied: what it was asked for.
        out: folder of the search: runs, study.log of Optuna, tune.json.
        trials: at most, those of earlier calls counted.
        minutes: after which no further trial begins; None for no limit.
        metric: by which trials are compared; by default the one that chooses the best checkpoint of a run.
        progress: who is told how it goes.

    Raises:
        InputError: something given cannot be used, `out` holds another search or is searched by another process, or
            Optuna is not installed.
        StorageError: the disk refuses.
    """
    require_optuna()
    require_comparable(plan, metric)
    shown = display(progress)
    try:
        search = _Search(plan, expanded(out), metric, shown)
        _make(search.place)
        with locked(search.place):
            results = search.run(trials, minutes)
            with replacing(search.place / "tune.json") as partial:
                partial.write_text(json.dumps(results.to_json(), indent=1) + "\n", encoding="utf-8")
    finally:
        shown.close()
    return results


def _make(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place} cannot be made ({error.strerror}): name another folder with --out.") from None


class _Search:
    def __init__(self, plan: RunConfig, place: Path, metric: str | None, progress: Progress) -> None:
        device = pick_device(plan.training.device)
        self.asked, self.place, self.progress, self.device = plan, place, progress, device
        fitted, dataset, _ = prepare(plan, None, device, World(), progress)
        # Sizes and presets are chosen by the data; what is varied is chosen here.
        self.space = space_of(replace(fitted, asked=plan.asked), dataset.spec, device.type)
        self.defaults = vars(fitted.config)
        every = max(1, fitted.config.rounds // EVALUATIONS)
        pace = {"evaluate_every": every, "save_every": every, "preview_every": every, "keep": 1}
        self.pace = {name: value for name, value in pace.items() if name not in plan.asked}
        self.pace |= {} if metric is None else {"best": metric}
        training = replace(fitted.training, **self.pace)
        context = EvaluationContext(
            device=device, cache=plan.options.cache_folder(), progress=progress_callback(progress), world=World()
        )
        judge = watch(replace(fitted, training=training), build_recipe(fitted, dataset.spec), context)
        self.metric, self.key = judge.chooses, judge.best
        if better()[self.metric] == "near 0.5":
            raise InputError(
                f"--metric {self.metric} is best in between: choose one that is better the lower or higher."
            )
        self.lower = better()[self.metric] == "lower"

    def run(self, trials: int, minutes: float | None) -> Results:
        """Play trials until the budget is spent."""
        self._require_same()
        study = open_study(self.place, lower_is_better=self.lower, first=self._defaults())
        begun, stopped = time.monotonic(), None
        while len(ended(study)) < trials and (minutes is None or time.monotonic() - begun < 60 * minutes):
            stopped = self._one(study, trials)
            if stopped is not None:
                break
        return self._results(study, finished=stopped is None, stopped_by=stopped)

    def _defaults(self) -> dict[str, Any]:
        return {name: self.defaults[name] if isinstance(part, Range) else 0 for name, part in self.space.items()}

    def _require_same(self) -> None:
        """Refuse a folder that holds another search; write down what this one is of."""
        path = self.place / "search.json"
        space = {name: asdict(part) for name, part in self.space.items()}
        now = {
            "data": self.asked.data,
            "recipe": self.asked.recipe,
            "settings": dict(self.asked.asked),
            "metric": self.metric,
            "space": space,
        }
        now = json.loads(json.dumps(now))
        if not path.exists():
            with replacing(path) as partial:
                partial.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
            return
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            differing = [name for name in now if before[name] != now[name]]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path} cannot be read: name another folder with --out.") from None
        if differing:
            raise InputError(
                f"{self.place} holds a search of other {' and '.join(differing)}: name another folder with --out."
            )

    def _one(self, study: optuna.Study, trials: int) -> int | None:
        """Play one trial and tell the study of it; return the signal that stopped it, if one did."""
        trial = ask(study, self.space, seed=self.asked.training.seed)
        place = self.place / _name(len(ended(study)))
        plan = with_settings(self.asked, self._chosen(trial.params) | self.pace)

        def behind(value: float, round_: int) -> bool:
            trial.report(value, round_)
            return trial.should_prune()

        title = f"trial {len(ended(study)) + 1} of {trials}"
        watched = TrialProgress(self.progress, title, self.key, behind, lambda: critical(place))
        outcome = play(plan, place, watched)
        if outcome.stopped_by is not None:
            put_back(study, trial)
            return outcome.stopped_by
        if outcome.ended is not None:
            end_early(study, trial, outcome.ended)
            self.progress.note(f"{title}: ended early, {outcome.ended}.")
            return None
        value, interval = self._evaluated(place, seed=plan.training.seed)
        trial.set_user_attr("interval", interval)
        if value is None:
            end_early(study, trial, f"{self.metric} is no finite number")
            return None
        study.tell(trial, value)
        self.progress.note(f"{title}: {self.metric} {value:.4g} with {_said(self._chosen(trial.params))}.")
        return None

    def _evaluated(self, place: Path, *, seed: int) -> tuple[float | None, tuple[float, float] | None]:
        """Return the metric of a run's samples, and its interval."""
        config = EvaluationConfig(metrics=self.metric, seed=seed, features=self.asked.training.evaluate_features)
        found = evaluate(
            config,
            place,
            recipe=self.asked.recipe_class,
            out=place / f"tuning-{seed}.json",
            device=self.asked.training.device,
            progress=Silent(),  # features of real samples are in the cache since the search began
        )
        figure = next(result for result in found.figures if result.metric == self.metric)
        interval = figure.interval
        return figure.value, None if interval is None else (interval.low, interval.high)

    def _results(self, study: optuna.Study, *, finished: bool, stopped_by: int | None) -> Results:
        """Lay out what was found, and evaluate the best trial again on other samples."""
        found = [self._result(place, trial) for place, trial in enumerate(ended(study))]
        sign = 1 if self.lower else -1
        found.sort(key=lambda trial: (trial.value is None, sign * (trial.value or 0.0)))  # among equals the earlier
        if found and found[0].value is not None and finished:
            seed = self.asked.training.seed + OTHER_SEED
            again, _ = self._evaluated(self.place / found[0].run, seed=seed)
            found[0] = replace(found[0], again=again)
        return Results(
            metric=self.metric,
            lower_is_better=self.lower,
            trials=tuple(found),
            finished=finished,
            stopped_by=stopped_by,
        )

    def _result(self, place: int, trial: optuna.trial.FrozenTrial) -> TrialResult:
        ended, interval = trial.user_attrs.get("ended"), trial.user_attrs.get("interval")
        return TrialResult(
            run=_name(place),
            settings=self._chosen(trial.params),
            state=ended or "complete",
            value=None if ended else trial.value,
            interval=None if interval is None else (interval[0], interval[1]),
        )

    def _chosen(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings by name from what the study proposes: a number, or the place of a value."""
        parts = {name: self.space[name] for name in params}
        return {
            name: part.values[params[name]] if isinstance(part, Choice) else params[name]
            for name, part in parts.items()
        }


def _name(place: int) -> str:
    """Name the run of a trial by its place among those that ended: one that is put back keeps its own."""
    return f"trial-{place}"


def _said(settings: Mapping[str, Any]) -> str:
    return ", ".join(typed(name, value) for name, value in settings.items())
