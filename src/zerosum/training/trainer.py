"""The trainer: plays rounds, phase after phase, and writes the run directory. It knows the contract, never a recipe."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from zerosum import kinds
from zerosum.data.batch import Batch
from zerosum.doctor.measures import DATA_WAIT
from zerosum.doctor.watch import Watch
from zerosum.errors import DivergedError
from zerosum.game import Game
from zerosum.media import image_grid
from zerosum.run import save_request
from zerosum.run.copies import Copies
from zerosum.run.directory import Run
from zerosum.run.rescues import void_values
from zerosum.run.saver import Saver
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import storing
from zerosum.runtime.device import deterministic
from zerosum.runtime.progress import Progress, Status
from zerosum.tasks import texts_of
from zerosum.text import shown
from zerosum.training.evaluator import Evaluator
from zerosum.training.listener import Listener
from zerosum.training.loggers import HistoryWriter, Logger, OpenLogger
from zerosum.training.preview import draw_preview
from zerosum.training.session import Throughput, advising, peak_memory, phases_left, stop_signals
from zerosum.training.tensorboard import TensorBoardWriter


class Trainer:
    """One sitting of a run.

    Args:
        game: fresh, or restored to a checkpoint of `run`.
        run: where to write.
        settings: how to train.
        preview: real samples to compare previews with.
        progress: who is told.
        measured: under what name the history keeps what previews measure: "training", or "held_out" where the samples
            of `preview` are not trained on.
        judge: evaluates, in the first process, every `settings.evaluate_every` rounds.
        watch: takes the measurements of the doctor in the first process; None takes none.
        loggers: where the first process writes what it measures; each is opened when training begins.
        require_health: called before a checkpoint is written, unless the training is asked to stop; its error ends it.
        copies: of the run elsewhere, in the first process.
    """

    def __init__(
        self,
        game: Game[Any],
        run: Run,
        settings: TrainingConfig,
        preview: Batch,
        progress: Progress,
        *,
        measured: str = "training",
        judge: Evaluator | None = None,
        watch: Watch | None = None,
        loggers: Sequence[OpenLogger] = (HistoryWriter, TensorBoardWriter),
        require_health: Callable[[], None] | None = None,
        copies: Copies | None = None,
    ) -> None:
        self.game = game
        self.run = run
        self.settings = settings
        self._preview_batch = preview.to(game.device)
        self._measured = measured
        self._judge = judge
        self._watch = watch
        self._measurements: dict[str, float] = {}
        self._progress = Listener.of(progress)
        self.stopped_by: int | None = None
        self._require_health = require_health
        self._saver = Saver(run, keep=settings.keep, elders=settings.autopilot, copies=copies)
        trained = run.history().last("seconds") if game.world.is_first else None
        self._pace = Throughput(seen=game.clock.seen, round=game.clock.round, seconds=trained or 0.0)
        self._open_loggers = loggers
        self._loggers: list[Logger] = []
        self._saved: int | None = game.clock.round or None

    def train(self) -> int | None:
        """Play all rounds that are left; return None, or the number of the signal that stopped it, once all is saved.

        Raises:
            DivergedError: a loss or a weight is not finite; the checkpoints before it stand.
            StorageError: the disk refuses; the checkpoints before it stand.
        """
        total, place = self.game.rounds, self.game.device
        with stop_signals(self._ask_to_stop), self._writing(), advising(self.run), self._saver, deterministic(place):
            if self.game.clock.round == 0:
                self._preview()
            for phase in phases_left(self.game):
                while self.game.clock.phase_round < phase.rounds:
                    if self.game.world.any(self.stopped_by is not None or self._progress.error is not None):
                        self._progress.note("Stopping: saving first; interrupt again to stop at once.")
                        self._save(asked=True)
                        self._progress.require_heard(self.run.path, self.game.clock.round)
                        return self.stopped_by or signal.SIGTERM  # to another process
                    with self._watching():
                        phase.play(self.game)
                    self.game.end_round()
                    self._after_round(phase.name, total)
            self._save()
            self._progress.require_heard(self.run.path, self.game.clock.round)
        return None

    def _after_round(self, phase: str, total: int) -> None:
        round_, settings = self.game.clock.round, self.settings
        last = round_ == total
        if round_ % settings.preview_every == 0 or last:
            self._preview()  # before the log, which takes up what it measures: a checkpoint must leave none of it over
        if settings.evaluate_every and (round_ % settings.evaluate_every == 0 or last):
            self._evaluate(phase, total)
        if round_ % settings.log_every == 0 or last:
            self._log(phase, total)
        asked = self.game.world.any(self.game.world.is_first and save_request.take(self.run.path))
        if (asked or round_ % settings.save_every == 0) and not last:
            self._save()

    def _log(self, phase: str, total: int) -> None:
        clock = self.game.clock
        if clock.round == self._pace.round:
            return
        values = self.game.collect() | self._measurements
        self._measurements = {}
        if not self.game.world.is_first:
            return
        images, rounds = self._pace.lap(clock.seen, clock.round, self.game.waited)
        if self._watch is not None:
            values[DATA_WAIT] = round(self._pace.waiting, 4)
        row = {
            "round": clock.round,
            "phase": phase,
            "seen": clock.seen,
            "seconds": round(self._pace.seconds, 3),
            "images_per_second": round(images, 2),
            "peak_rss_bytes": peak_memory(),
            **values,
        }
        with storing(self.run.path):
            for logger in self._loggers:
                logger.log(row)
        self._progress.update(
            Status(
                round=clock.round, rounds=total, phase=phase, seen=clock.seen, images_per_second=images, values=values,
                seconds_left=(total - clock.round) / rounds, unit=kinds.find(self.game.recipe.spec.kind).unit,
            )
        )  # fmt: skip

    def _preview(self) -> None:
        error = None
        if self.game.world.is_first:
            try:
                self._draw_preview()
            except DivergedError as found:
                error = found
        if self.game.world.any(error is not None):
            raise error or DivergedError("A sample of the first process is not finite")

    @torch.no_grad()
    def _draw_preview(self) -> None:
        clock = self.game.clock
        with (
            self._pace.paused(),
            storing(self.run.path),
            rng.fork(self.game.device, seed=rng.derived(self.settings.seed, "previews")),
            self.game.averaged(),
            self.game.autocast(),
        ):
            picture, found = draw_preview(
                self.game.recipe, self._preview_batch, rounds=clock.round, played=self.run.played
            )
            about = {"round": str(clock.round), "seed": str(self.settings.seed)}
            if texts := texts_of(self.game.recipe, self._preview_batch):
                about["captions"] = " | ".join(map(shown, texts))
            image_grid.write_png(picture, self.run.sample(clock.round), about)
        self._measurements |= {f"{self._measured}/{name}": value for name, value in found.items()}

    def _evaluate(self, phase: str, total: int) -> None:
        """Evaluate in the first process while the others wait, and keep the checkpoint if it is the best so far."""
        better = False
        if self._judge is not None:
            with (
                self._pace.paused(),
                rng.fork(self.game.device, seed=rng.derived(self.settings.seed, "evaluations")),
                self.game.averaged(),
            ):
                found = self._judge.figures(self.game.recipe)
            key = self._judge.best
            known = self.run.history().series(key)[1]
            if self.run.best.is_dir():  # which may be of rounds that a rescue made void
                known += void_values(self.run, key)
            # Of a resumed run the history says what was best; it ends where the game goes on.
            better = key in found and all(self._judge.is_better(found[key], value) for value in known)
            self._measurements |= found
        self._log(phase, total)  # a line of its own, so that no figure is lost to the next before it is written
        if self.game.world.any(better):
            with self._pace.paused():
                self._saver.save_best(self.game)

    def _save(self, *, asked: bool = False) -> None:
        """Begin a checkpoint. It closes a line of history: a resumed run logs the lines that a straight one does."""
        clock = self.game.clock
        if self._saved == clock.round:
            return
        self._log(self.game.recipe.phases()[clock.phase].name, self.game.rounds)
        if self._require_health is not None and not asked:
            with self._pace.paused():
                self._require_health()
        with self._pace.paused():
            self._saver.save(self.game)
        self._saved = clock.round

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Watch the round that is played meanwhile, if it is one to watch."""
        if self._watch is None or not self._watch.is_due():
            yield
            return
        with self._watch.observing():
            yield
        with self._pace.paused():
            self._measurements |= self._watch.look()

    def _ask_to_stop(self, number: int) -> None:
        self.stopped_by = number  # and no more: a signal may come in the middle of anything, of writing a line too

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            if self.game.world.is_first:
                with storing(self.run.path):
                    for opened in self._open_loggers:
                        self._loggers.append(opened(self.run, after=self.game.clock.round))
            yield
        finally:
            with ExitStack() as stack:
                stack.enter_context(storing(self.run.path))
                for logger in self._loggers:
                    stack.callback(logger.close)
                self._loggers = []
