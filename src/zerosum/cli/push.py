"""`zerosum push`: a run to the Hugging Face Hub, with a model card."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.hub.package import Asked, pack
from zerosum.hub.push import checked_licence, plan, push
from zerosum.run.directory import Run, Which
from zerosum.runtime import hub_client as client
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.terminal import say, tell


@dataclass(frozen=True, kw_only=True)
class Push(BaseConfig):
    """Push a run to the Hugging Face Hub: averaged weights, run.json without paths, a card. Private unless --public."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """The run directory that `zerosum train` made; it stays as it is."""

    repository: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OWNER/NAME")]
    """The repository, which is made if need be."""

    licence: str | None = None
    """What others may do with it: an identifier such as apache-2.0, cc-by-4.0 or other. Needed for --public; asked for
    on a terminal, and never guessed."""

    public: bool = False
    """Show it to everybody."""

    with_state: bool = False
    """Also what training resumes from: live weights, optimizers, random state."""

    preview: bool = False
    """For runs that make images from images or text: show the newest preview, which holds images of the data."""

    yes: bool = False
    """Do not ask; needed where there is no terminal."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute the samples of the card: cuda, mps, cpu, or auto."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class; its code is not pushed."""


def run(arguments: list[str]) -> None:
    """Say what goes up, ask, and push it.

    Raises:
        InputError: the run has no weights, something given cannot be used, or nobody agreed.
    """
    given: Push = flags.parse(Push, arguments, prog="zerosum push").checked()
    repository = Repository.read(given.repository, revised=False)
    asking = sys.stdin.isatty() and not given.yes
    licence = given.licence
    if licence is None and asking:
        licence = _answer("Licence, such as apache-2.0 or cc-by-4.0 (Enter for none): ") or None
    licence = checked_licence(licence, public=given.public)
    client.require()
    directory = Run.open(given.run)
    asked = Asked(
        repository=repository,
        licence=licence,
        checkpoint=given.checkpoint,
        recipe=given.recipe,
        device=given.device,
        with_state=given.with_state,
        preview=given.preview,
    )
    package = pack(directory, asked)
    say(*plan(package, repository, directory.path, public=given.public))
    if asking and _answer("Push it? [y/N] ").lower() not in ("y", "yes"):
        raise InputError("Nothing was sent.")
    if not asking and not given.yes:
        raise InputError("Nothing was sent, because there is no terminal to ask on: add --yes to push it.")
    page, commit = push(package, repository, public=given.public)
    say(page)
    tell(f"Commit {commit}. Others use it as hf:{repository.id}@{commit}, as in zerosum sample hf:{repository.id}")


def _answer(question: str) -> str:
    """Ask on the terminal.

    Raises:
        InputError: the input has ended, as by Ctrl-D.
    """
    try:
        return input(question).strip()
    except EOFError:
        raise InputError("Nothing was sent, because the question was not answered: add --yes to push it.") from None
