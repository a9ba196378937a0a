"""How many files one reads from `zerosum evaluate` to a Frechet distance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

import zerosum as package
from zerosum.cli import main

SOURCE = Path(package.__file__).parent
SHARED = (
    "data",
    "kinds",
    "runtime",
    "run",
    "hub/__init__.py",
    "cli/__init__.py",
    "cli/flags.py",
    "cli/unknown_flags.py",
    "config.py",
    "text.py",
    "errors.py",
)
"""What every command goes through, whatever it does: reading of data, the machine, flags."""
LEAVES = ("features/extractor.py", "metrics/checks.py")
"""A digest of names, and a check of shapes: nothing on the way to the number."""
LISTS = ("groups",)
"""Functions that are lists: each file of metrics declares its own."""


@contextmanager
def entered(until: str) -> Iterator[list[str]]:
    """Collect the files of the package whose functions are entered until one of the name `until` returns."""
    files: list[str] = []
    done = False

    def hear(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal done
        code = frame.f_code
        path = Path(code.co_filename)
        if done or not path.is_relative_to(SOURCE) or code.co_name in (*LISTS, "<module>"):
            return
        name = path.relative_to(SOURCE).as_posix()
        if event == "call" and name not in files and not name.startswith((*SHARED, *LEAVES)):
            files.append(name)
        done = event == "return" and code.co_name.startswith(until)

    sys.setprofile(hear)
    try:
        yield files
    finally:
        sys.setprofile(None)


def test_eighteen_files_lead_from_the_command_to_a_frechet_distance() -> None:
    for name, seed in (("real", 0), ("made", 1)):
        Path(name).mkdir()
        for index in range(24):
            pixels = np.random.default_rng([seed, index]).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(f"{name}/{index}.png")
    command = ("evaluate", "made", "--against", "real", "--features", "pixels", "--metrics", "fid")
    assert main(command) == 0  # imports run the bodies of classes, which are no stations
    with entered(until="frechet_distance") as files:
        assert main(command) == 0
    assert "metrics/frechet.py" in files
    assert len(files) <= 18, files
