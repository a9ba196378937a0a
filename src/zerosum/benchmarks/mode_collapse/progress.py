"""What a person sees of a benchmark: which run of how many, and the time that all of them together still take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from zerosum.benchmarks.mode_collapse.experiment import Experiment
from zerosum.runtime.progress import Progress, Status


class BenchmarkProgress:
    """Estimates the time left from the trials that were played so far."""

    def __init__(self, shown: Progress, waiting: Sequence[Experiment]) -> None:
        self.shown = shown
        self._waiting = list(waiting)
        self._total = len(self._waiting)
        self._took: dict[tuple[str, str], list[float]] = {}
        self._began = time.perf_counter()

    def begin(self, trial: Experiment) -> ExperimentProgress:
        """Take note that a trial begins; return what its training is to tell of its progress."""
        self._waiting.remove(trial)
        self._began = time.perf_counter()
        return ExperimentProgress(
            self, trial, f"{trial.title}, run {self._total - len(self._waiting)} of {self._total}"
        )

    def end(self, trial: Experiment) -> None:
        """Take note that a trial has ended."""
        self._took.setdefault(_kind(trial), []).append(time.perf_counter() - self._began)

    def left(self, seconds_left: float) -> float:
        """Estimate the seconds for the present trial, which has `seconds_left`, and for all that wait.

        A trial takes as long as others of its variant on its data did, else as long as the present one will.
        """
        whole = time.perf_counter() - self._began + seconds_left
        means = {kind: statistics.mean(seconds) for kind, seconds in self._took.items()}
        return seconds_left + sum(means.get(_kind(trial), whole) for trial in self._waiting)


class ExperimentProgress:
    """Progress of one trial's training, told as progress of the benchmark.

    Notes come through only while rounds are played: what is said of the data, and of where the run lies, would be said
    once a run.
    """

    def __init__(self, watch: BenchmarkProgress, trial: Experiment, title: str) -> None:
        self._watch, self._title = watch, title
        self._playing = (trial.path / "run.json").exists()

    def update(self, status: Status) -> None:
        """Pass on where the trial stands, with the time that all trials still take."""
        self._playing = True
        seconds = self._watch.left(status.seconds_left)
        self._watch.shown.update(replace(status, phase=self._title, seconds_left=seconds))

    def note(self, text: str) -> None:
        """Pass on what is said while rounds are played."""
        if self._playing:
            self._watch.shown.note(text)

    def close(self) -> None:
        """Leave the display to the next trial."""
        self._playing = False


def _kind(trial: Experiment) -> tuple[str, str]:
    return trial.protocol.data, trial.variant.name
