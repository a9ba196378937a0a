"""The Optuna study of a search: where it is kept, what it proposes, and trials that a killed process left."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.errors import InputError
from zerosum.tuning.space import Choice, Range

if TYPE_CHECKING:
    import optuna

STARTED = 4
"""Trials that play to their end before others are compared with their median."""


def open_study(place: Path, *, lower_is_better: bool, first: Mapping[str, Any]) -> optuna.Study:
    """Open the study that is kept in a folder, or begin one whose first trial is given."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(place / "study.log"))),
        study_name="tune",
        direction="minimize" if lower_is_better else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTED),
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial(dict(first))
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):  # a killed process left it
        put_back(study, trial)
    return study


def ask(study: optuna.Study, space: Mapping[str, Range | Choice], *, seed: int) -> optuna.Trial:
    """Return the next trial, which depends on the seed and on the trials that ended before it alone."""
    import optuna

    study.sampler = optuna.samplers.TPESampler(seed=seed + len(ended(study)))
    return study.ask(
        {
            name: optuna.distributions.FloatDistribution(part.low, part.high, log=True)
            if isinstance(part, Range)
            else optuna.distributions.CategoricalDistribution(tuple(range(len(part.values))))
            for name, part in space.items()
        }
    )


def put_back(study: optuna.Study, trial: optuna.Trial | optuna.trial.FrozenTrial) -> None:
    """Have a trial that did not come to its end asked for again."""
    import optuna

    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    study.enqueue_trial(trial.params)


def end_early(study: optuna.Study, trial: optuna.Trial, why: str) -> None:
    """Tell a study that a trial ended early."""
    import optuna

    trial.set_user_attr("ended", why)
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)


def ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that played to their end, or were ended early."""
    import optuna

    return study.get_trials(states=(optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED))


def require_optuna() -> None:
    """Raise InputError where Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise InputError("tune needs Optuna, which is not installed: pip install 'zerosum[tune]'.")
