"""`zerosum playground`: games of two networks on points, in a page that trains in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zerosum.cli import flags
from zerosum.errors import InputError
from zerosum.playground.build import page
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.paths import expanded
from zerosum.runtime.terminal import say


@dataclass(frozen=True)
class Playground:
    """Write a page that trains GANs on points of the plane in the browser, with lessons; opened by double click."""

    out: Path = Path("playground.html")
    """The file to write."""


def run(arguments: list[str]) -> None:
    """Write the page and say where it is.

    Raises:
        InputError: the name is that of a folder.
    """
    out = expanded(flags.parse(Playground, arguments, prog="zerosum playground").out)
    if out.is_dir():
        raise InputError(f"{out} is a folder: give the name of a file, as in --out {out / 'playground.html'}.")
    with replacing(out) as partial:
        partial.write_text(page(), encoding="utf-8")
    say(out)
