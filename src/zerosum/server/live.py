"""What a run directory holds while the run is trained, by the run's number and a round: no route takes a path."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zerosum.media.whole_png import whole_png
from zerosum.report.live import live, title
from zerosum.report.run_data import read
from zerosum.run import save_request
from zerosum.run.directory import Run
from zerosum.run.public import places_of, without_paths
from zerosum.runtime.lock import LOCK, holder
from zerosum.text import is_whole, shown

Look = tuple[str, dict[str, Any]]
"""The stamp of a run's directory, and its state at that stamp."""


@dataclass
class LiveRun:
    """A run directory that may be written to while it is read."""

    path: Path
    _known: Look | None = field(default=None, init=False)

    def stamp(self) -> str:
        """Return what changes when anything that is shown does: sizes and times of files, without reading them."""
        files = ("run.json", "history.jsonl", "evaluation.json", "samples", "checkpoints", LOCK)
        parts = [f"{found.st_size:x}.{found.st_mtime_ns:x}" if (found := _stat(self.path / n)) else "" for n in files]
        return f'"{"-".join(parts)}-{self.trained_by() or 0:x}"'

    def look(self) -> Look:
        """Return how far the run is, the rounds of its previews, and the changing part of its report as HTML.

        Raises:
            InputError: the directory is no run.
        """
        stamp = self.stamp()
        if self._known is None or self._known[0] != stamp:
            evidence = read(self.path)
            known = places_of(self.path, evidence.about)
            evidence = replace(evidence, evaluation=without_paths(evidence.evaluation, known))
            state = {
                "title": shown(title(evidence)),
                "training": self.trained_by() is not None,
                "played": evidence.history[-1]["round"] if evidence.history else 0,
                "checkpoints": evidence.checkpoints,
                "previews": self.previews(),
                "html": shown(str(live(evidence))),
            }
            self._known = stamp, state
        return self._known

    def unread(self, why: str) -> Look:
        """Return what is shown in the place of a run that cannot be read, and why."""
        name, html = shown(self.path.resolve().name), str(Markup('<p class="story">{}</p>').format(why))
        empty: dict[str, Any] = {"training": False, "played": 0, "checkpoints": [], "previews": []}
        return self.stamp(), {"title": name, **empty, "html": html}

    def previews(self) -> list[int]:
        """Return the rounds of preview pictures, ascending."""
        folder = self.path / "samples"
        return sorted(int(p.stem) for p in folder.glob("*.png") if is_whole(p.stem))

    def preview(self, round_: int) -> bytes | None:
        """Return the preview picture of a round, a PNG; None where there is none."""
        return whole_png(Run(self.path).sample(round_))

    def trained_by(self) -> int | None:
        """Return the number of the process on this machine that trains the run."""
        return holder(self.path)

    def save(self) -> bool:
        """Ask the training process to save a checkpoint after the round that it plays; return whether there is one.

        Raises:
            StorageError: the run's folder cannot be written to.
        """
        if there := self._training_process() is not None:
            save_request.leave(self.path)
        return there

    def stop(self) -> bool:
        """Ask the training process to save and stop, as Ctrl-C does; return whether there is one."""
        process = self._training_process()
        if process is not None:
            os.kill(process, signal.SIGINT)
        return process is not None

    def _training_process(self) -> int | None:
        process = self.trained_by()
        return None if process == os.getpid() else process


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
