"""What a run directory holds while the run is trained, by the run's number and a round: no route takes a path."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
from zerosum.report.live import live, title
from zerosum.report.run_data import read
from zerosum.run import save_request
from zerosum.run.directory import Run
from zerosum.run.public import places_of, without_paths
from zerosum.runtime.lock import LOCK, holder
from zerosum.runtime.regular_files import open_regular
from zerosum.text import is_whole, shown

LARGEST = 64 * 2**20
"""Bytes of a preview beyond which it is not shown."""


@dataclass
class LiveRun:
    """A run directory that may be written to while it is read."""

    path: Path
    _known: tuple[str, dict[str, Any]] | None = field(default=None, init=False)

    def stamp(self) -> str:
        """Return what changes when anything that is shown does: sizes and times of files, without reading them."""
        files = ("run.json", "history.jsonl", "evaluation.json", "samples", "checkpoints", LOCK)
        parts = [f"{found.st_size:x}.{found.st_mtime_ns:x}" if (found := _stat(self.path / n)) else "" for n in files]
        return f'"{"-".join(parts)}-{self.trained_by() or 0:x}"'

    def state(self) -> dict[str, Any]:
        """Return how far the run is, the rounds of its previews, and the changing part of its report as HTML."""
        stamp = self.stamp()
        if self._known is None or self._known[0] != stamp:
            evidence = read(self.path)
            known = places_of(self.path, evidence.about)
            evidence = replace(evidence, evaluation=without_paths(evidence.evaluation, known))
            self._known = (
                stamp,
                {
                    "title": shown(title(evidence)),
                    "training": self.trained_by() is not None,
                    "played": evidence.history[-1]["round"] if evidence.history else 0,
                    "checkpoints": evidence.checkpoints,
                    "previews": self.previews(),
                    "html": shown(str(live(evidence))),
                },
            )
        return self._known[1]

    def previews(self) -> list[int]:
        """Return the rounds of preview pictures, ascending."""
        folder = self.path / "samples"
        return sorted(int(p.stem) for p in folder.glob("*.png") if is_whole(p.stem))

    def preview(self, round_: int) -> bytes:
        """Return the preview picture of a round, a PNG.

        Raises:
            InputError: there is none.
        """
        try:
            with open_regular(Run(self.path).sample(round_)) as file:
                content = file.read(LARGEST)
        except OSError:
            content = b""
        if content[:8] != b"\x89PNG\r\n\x1a\n" or content[-8:-4] != b"IEND":
            raise InputError(f"There is no preview of round {round_}.")
        return content

    def trained_by(self) -> int | None:
        """Return the number of the process on this machine that trains the run."""
        return holder(self.path)

    def save(self) -> None:
        """Ask the training process to save a checkpoint after the round that it plays.

        Raises:
            InputError: none trains the run on this machine.
            StorageError: the run's folder cannot be written to.
        """
        self._training_process("save")
        save_request.leave(self.path)

    def stop(self) -> None:
        """Ask the training process to save and stop, as Ctrl-C does.

        Raises:
            InputError: none trains the run on this machine.
        """
        os.kill(self._training_process("stop"), signal.SIGINT)

    def _training_process(self, what: str) -> int:
        process = self.trained_by()
        if process is None or process == os.getpid():
            raise InputError(f"No process on this machine trains this run: nothing to {what}.")
        return process


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
