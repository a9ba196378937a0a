"""The interface of a task: what a recipe is for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a recipe is for. Commands, previews, the report, evaluation and refusals read these rows."""

    name: str
    """How run.json and the documentation name it."""

    method: str
    """The recipe's method at use, whose keywords are the user's controls."""

    does: str
    """What its runs do, as the end of the sentence "This run ..."."""

    invitation: str
    """What a user may do with a finished run."""

    command: str
    """What to type for that; `{run}` stands for the run directory."""

    python: str
    """The same in Python, where `model` is what `zerosum.load` returns."""

    given: Literal["nothing", "images", "labels", "text"]
    """What a result is made from."""

    paired: bool
    """Whether a result has one real answer, unless the kind of sample says that the data hold none."""

    keeps: bool = False
    """Whether a result repeats what is known of its answer, and only the rest of it is made."""

    def typed(self, run: object, *flags: str) -> str:
        """Spell the command for a run directory, quoted for a shell, with flags that name its recipe."""
        return self.command.format(run=shlex.join([str(run), *flags]))
