"""`zerosum tune`: a search for the settings under which a recipe does best."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from pydantic import PositiveInt

from zerosum.cli.train import parsed
from zerosum.config import Minutes, flag, spelt
from zerosum.evaluation.table import columns
from zerosum.runtime.terminal import say
from zerosum.tuning.results import DEFAULT, Results, TrialResult, typed
from zerosum.tuning.search import tune


@dataclass(frozen=True, kw_only=True)
class Tune:
    """Search for the settings under which a recipe does best on your data; settings that you give are not varied."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """What `zerosum train` would be given."""

    recipe: str | None = None
    """The recipe; by default the one that `zerosum train` would choose."""

    trials: PositiveInt = 20
    """Runs at most, those of earlier calls on the same --out counted."""

    minutes: Minutes | None = None
    """Time after which no further run begins."""

    metric: str | None = None
    """By which runs are compared, such as fid; by default the one that chooses the best checkpoint of a run."""

    out: str = "runs/tune"
    """Folder for the runs and tune.json. The same command on the same folder goes on where it was stopped."""


def run(arguments: list[str]) -> int:
    """Search, print a table and what to type next; return 0, or 128 + N where signal N has stopped it."""
    given, plan = parsed(Tune, arguments, prog="zerosum tune")
    found = tune(plan, out=given.out, trials=given.trials, minutes=given.minutes, metric=given.metric)
    say(*lines(found, given.out))
    if found.stopped_by is not None:
        again = shlex.join(["zerosum", "tune", *arguments])
        say("", f"Stopped; it goes on with: {again}")
        return 128 + found.stopped_by
    return 0


def lines(found: Results, out: str) -> list[str]:
    """Lay out a search: a row a trial, then what the best one is worth."""
    varied = list(dict.fromkeys(name for trial in found.trials for name in trial.settings))
    head = ["trial", *map(flag, varied), found.metric, "95 %", "ended"]
    rows = [
        [
            trial.run,
            *(_short(trial.settings.get(name)) for name in varied),
            "" if trial.value is None else f"{trial.value:.4g}",
            "" if trial.interval is None else "{:.4g} to {:.4g}".format(*trial.interval),
            "" if trial.state == "complete" else trial.state,
        ]
        for trial in found.trials
    ]
    best = found.best
    if best is None:
        return [*columns(head, rows), "", "No trial played to its end: give more --rounds, or another --recipe."]
    said = [f"Best: {out}/{best.run}, {found.metric} {best.value:.4g}."]
    if best.again is not None:
        said.append(
            f"On other samples {best.again:.4g}: the first figure is flattered, because the trial was chosen by it."
        )
    default = next((trial for trial in found.trials if trial.run == DEFAULT and trial.value is not None), None)
    if default is not None and default is not best:
        said.append(f"The default settings got {default.value:.4g}{_apart(best, default)}.")
    settings = " ".join(typed(name, value) for name, value in best.settings.items())
    return [*columns(head, rows), "", *said, f"Its settings: {settings}", f"Use it: zerosum sample {out}/{best.run}"]


def _apart(best: TrialResult, default: TrialResult) -> str:
    if best.interval is None or default.interval is None:
        return ""
    overlap = best.interval[0] <= default.interval[1] and default.interval[0] <= best.interval[1]
    return ", and the intervals overlap: that may be chance" if overlap else ""


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else spelt(value)
