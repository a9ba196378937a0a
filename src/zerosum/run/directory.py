"""The run directory: names and formats. Training writes it; everything else only reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Literal

from pydantic import NonNegativeInt

from zerosum.errors import InputError
from zerosum.run import shown
from zerosum.run.history import History
from zerosum.run.older_format import FORMAT, in_present_format
from zerosum.runtime.atomic_files import PREFIX, replacing, storing, sweep
from zerosum.runtime.lock import LOCK
from zerosum.runtime.paths import expanded
from zerosum.runtime.regular_files import read_regular
from zerosum.runtime.untrusted_json import parse
from zerosum.text import command, is_whole, listed

Which = Literal["newest", "best"] | NonNegativeInt
"""Which checkpoint: the newest, the one that evaluations during training found best, or that of a round."""


@dataclass(frozen=True)
class Run:
    """A run directory.

    run.json         what was asked: recipe, settings, data, versions, seed, command line
    recipe.py        the recipe, where it comes from outside and has a file: a copy to read, never run
    history.jsonl    what was measured, a line every few rounds
    samples/         preview pictures by round
    checkpoints/     states to resume from, by round; best, if evaluations chose one
    evaluation.json  how good it is
    report.html      all of it for a person
    """

    path: Path

    stopped_by: int | None = field(default=None, compare=False)
    """Number of the signal that stopped the training that returned this run, such as 2 after Ctrl-C; None where it
    was played to its end, and for a run that was opened. The work is saved: `zerosum.resume` goes on with it."""

    @property
    def interrupted(self) -> bool:
        """Whether the training that returned this run was stopped before its end."""
        return self.stopped_by is not None

    @classmethod
    def create(cls, path: Path, description: Mapping[str, Any]) -> Run:
        """Make a new run directory.

        Raises:
            InputError: something other than an empty folder is there already, or no folder can be made there.
        """
        require_free(path)
        try:
            (path / "samples").mkdir(parents=True, exist_ok=True)
            (path / "checkpoints").mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"{path} cannot be made ({error.strerror}): name another folder with --run.") from None
        run = cls(path)
        run.sweep()
        run.describe(description)
        return run

    @classmethod
    def open(cls, path: str | Path | Run) -> Run:
        """Open an existing run directory; one that is open already is returned as it is, with what it has read.

        Raises:
            InputError: it is not one, or of a format that this version does not read.
        """
        if isinstance(path, Run):
            return path
        path = expanded(path)
        if not path.exists():
            raise InputError(f"There is no run at {path}: give the folder that `zerosum train` made.")
        run = cls(path)
        try:
            description = run.description
        except (OSError, ValueError, RecursionError):
            raise InputError(
                f"{path} is not a zerosum run (no readable run.json): give a folder that `zerosum train` made."
            ) from None
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            found = description.get("format") if isinstance(description, dict) else None
            raise InputError(
                f"{path}/run.json has format {found!r}, and this version of zerosum reads format {FORMAT}."
            )
        return run

    def describe(self, description: Mapping[str, Any]) -> None:
        """Write run.json."""
        for kept in ("description", "parsed"):
            self.__dict__.pop(kept, None)
        with replacing(self.path / "run.json") as partial:
            partial.write_text(json.dumps({"format": FORMAT, **description}, indent=2) + "\n", encoding="utf-8")

    @cached_property
    def description(self) -> dict[str, Any]:
        """What run.json says, in the words of the present format; read once, until `describe` writes it."""
        found = parse(read_regular(self.path / "run.json").decode())
        return in_present_format(found) if isinstance(found, dict) else found

    @cached_property
    def parsed(self) -> dict[Any, Any]:
        """What readers made of the description, by type, so that it is validated once."""
        return {}

    def log(self, values: Mapping[str, Any]) -> None:
        """Append a line to the history."""
        with storing(self.path), (self.path / "history.jsonl").open("a") as file:
            file.write(json.dumps(values) + "\n")

    def _repr_html_(self) -> str:
        return shown.html(self.path, self.description, self.history())

    def history(self) -> History:
        """Return the rows of the history."""
        return History.read(self.path / "history.jsonl")

    def rewind(self, round_: int) -> str | None:
        """Drop what was written after `round_`, so that a resumed run writes it again, once.

        A history with lines that cannot be read is first copied beside; the sentence that says so is returned.
        """
        path, history, said = self.path / "history.jsonl", self.history(), None
        if history.damaged:
            aside = next(p for p in _aside(path) if not p.exists())
            with replacing(aside) as partial:
                shutil.copyfile(path, partial)
            lines = f"{history.damaged} damaged line{'s' * (history.damaged > 1)}"
            said = f"{path} has {lines}, left out; a copy is {aside}."
        with replacing(path) as partial:
            partial.write_text("".join(json.dumps(row) + "\n" for row in history.until(round_)), encoding="utf-8")
        for picture in (self.path / "samples").glob("*.png"):
            if is_whole(picture.stem) and int(picture.stem) > round_:
                picture.unlink()
        return said

    def sweep(self) -> None:
        """Remove what a killed process left unfinished; call it in the process that holds the run's lock."""
        for folder in (self.path, self.path / "samples", self.path / "checkpoints"):
            sweep(folder)

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints, oldest first; one that was being written when the process died is not among them."""
        folder = self.path / "checkpoints"
        return sorted(p for p in folder.iterdir() if is_whole(p.name)) if folder.is_dir() else []

    def latest(self) -> Path:
        """Return the newest checkpoint.

        Raises:
            InputError: there is none.
        """
        checkpoints = self.checkpoints()
        if not checkpoints:
            go_on = command("zerosum", "train", "--resume", self.path)
            raise InputError(f"{self.path} holds no checkpoint: it was stopped before its first; go on by `{go_on}`.")
        return checkpoints[-1]

    @property
    def best(self) -> Path:
        """Where the checkpoint lies that evaluations found best; it need not be there."""
        return self.path / "checkpoints" / "best"

    @property
    def fallback(self) -> Path:
        """Where the state lies that rescues fall back on; it need not be there."""
        return self.path / "checkpoints" / "fallback"

    def chosen(self, which: Which) -> Path:
        """Return the newest checkpoint, the best, or that of a round.

        Raises:
            InputError: there is none, or another word is given.
        """
        if which == "newest":
            return self.latest()
        if isinstance(which, int):
            if (path := self.checkpoint(which)) in (kept := self.checkpoints()):
                return path
            rounds = listed([f"{int(path.name):,}" for path in kept], most=6) or "none"
            raise InputError(
                f"{self.path} keeps no checkpoint of round {which:,}; it keeps: {rounds}. Give one of them, or train "
                "with --keep 100 or another number of checkpoints."
            )
        if which != "best":
            raise InputError(f"There is no checkpoint {which!r} to choose: give newest, best or a round such as 5000.")
        if not self.best.is_dir():
            raise InputError(
                f"{self.path} keeps no best checkpoint: train with --evaluate-every 500 or another number of rounds, "
                "or use the newest one."
            )
        return self.best

    def checkpoint(self, round_: int) -> Path:
        """Name the checkpoint of a round."""
        return self.path / "checkpoints" / f"{round_:08d}"

    def sample(self, round_: int) -> Path:
        """Name the preview picture of a round."""
        return self.path / "samples" / f"{round_:08d}.png"

    @property
    def played(self) -> Path:
        """Path without an ending of the files of the newest preview that are heard, watched or turned."""
        return self.path / "samples" / "newest"


def require_free(path: Path) -> None:
    """Refuse a folder that a new run may not take.

    Raises:
        InputError: something other than an empty folder is there already.
    """
    if (path / "run.json").exists():
        go_on = command("zerosum", "train", "--resume", path)
        raise InputError(f"{path} already holds a run: go on with it by `{go_on}`, or name another folder with --run.")
    if path.exists() and (not path.is_dir() or any(not _is_beginning(inside) for inside in path.iterdir())):
        raise InputError(f"{path} exists and is not an empty folder: name another folder with --run.")


def _is_beginning(inside: Path) -> bool:
    """Whether something in a folder is what a run that was killed before its run.json leaves."""
    if inside.name in ("samples", "checkpoints"):
        return inside.is_dir() and not any(inside.iterdir())
    return inside.name == LOCK or inside.name.startswith(PREFIX)


def _aside(path: Path) -> Iterator[Path]:
    """Name places for copies of a damaged file, without end."""
    yield path.with_name(f"{path.name}.damaged")
    yield from (path.with_name(f"{path.name}.damaged-{number}") for number in count(2))
