"""`zerosum pull`: a run from the Hugging Face Hub, as a run directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.hub.pull import pull
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.terminal import say, tell


@dataclass(frozen=True, kw_only=True)
class Pull(BaseConfig):
    """Pull a run that `zerosum push` sent. Sizes and checksums are checked, and nothing in it is run."""

    repository: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OWNER/NAME[@REVISION]")]
    """The repository, and a branch, tag or commit of it; by default the newest."""

    to: Path | None = None
    """The folder to make; by default runs/NAME."""

    with_state: bool = False
    """Also what training resumes from, if it was pushed."""


def run(arguments: list[str]) -> None:
    """Pull, and say where the run is and which commit it is.

    Raises:
        InputError: there is no such run, or it is damaged.
    """
    given: Pull = flags.parse(Pull, arguments, prog="zerosum pull").checked()
    repository = Repository.read(given.repository)
    found, commit = pull(repository, given.to or Path("runs") / repository.name, with_state=given.with_state)
    say(found.path)
    tell(f"{repository.id} at commit {commit}, of the recipe {found.description.get('recipe')}")
