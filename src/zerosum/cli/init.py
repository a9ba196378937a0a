"""`zerosum init`: three questions, and the command that they lead to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.runtime.terminal import say
from zerosum.text import command, is_whole

WANTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "more": ("more images like mine", ()),
    "pairs": ("images from images, from pairs that I have", ("--recipe", "pix2pix")),
    "colour": ("colour for gray photographs", ("--recipe", "pix2pix", "--degrade", "gray")),
    "domains": ("images of one sort as images of another, without pairs", ("--recipe", "cyclegan")),
    "larger": (
        "larger photographs",
        ("--recipe", "srgan", "--fit", "tiles", "--size", "24", "--degrade", "downscale:4"),
    ),
    "holes": ("holes filled", ("--recipe", "inpaint")),
    "text": ("images of sentences", ("--recipe", "stackgan")),
}


@dataclass(frozen=True, kw_only=True)
class Init(BaseConfig):
    """Ask three questions, and print the command to type. Nothing is trained."""


def run(arguments: list[str]) -> None:
    """Ask on the terminal, or read three lines from a pipe."""
    flags.parse(Init, arguments, prog="zerosum init").checked()
    say("What do you want?", *(f"  {name:<8} {what}" for name, (what, _) in WANTED.items()))
    wanted = _answer("more")
    if wanted not in WANTED:
        raise InputError(f"{wanted!r} is none of these: type one of {', '.join(WANTED)}.")
    say("Where are your data: a folder, a .zip, an array file, or a name such as digits?")
    data = _answer("digits")
    say("How many minutes may it take on this machine? Empty: the recipe's own number of rounds.")
    minutes = _answer("")
    if minutes and not (is_whole(minutes) and int(minutes)):
        raise InputError(f"{minutes!r} is no number of minutes: type a whole number such as 60, or nothing.")
    what = WANTED[wanted][1]
    if minutes and what:
        raise InputError(
            f"Minutes can be given where you want {WANTED['more'][0]}: leave this answer empty, and set --rounds."
        )
    limit = ("--minutes", minutes) if minutes else ()
    run_ = Path("runs", Path(os.path.abspath(data)).stem or "first")
    say(
        "",
        "Look at the data:  " + command("zerosum", "data", "check", data),
        "Train:             " + command("zerosum", "train", data, *what, *limit, "--run", run_),
        "Ask the doctor:    " + command("zerosum", "doctor", run_),
    )


def _answer(default: str) -> str:
    """Read a line; an empty one stands for the default."""
    if sys.stdin.isatty():
        print(f"[{default}] " if default else "> ", end="", flush=True)
    return sys.stdin.readline().strip() or default
