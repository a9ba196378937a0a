"""Each tutorial is built from its own text, in a copy of the package, and its commands are run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zerosum

PACKAGE = Path(zerosum.__file__).parent
PAGES = Path(__file__).parents[1] / "docs" / "tutorials"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"# (\S+?)(?:, after (.+))?\n")


def build(page: str, folder: Path) -> list[str]:
    """Write the files of a page into a folder that holds a copy of the package; return the page's commands."""
    shutil.copytree(PACKAGE, folder / "src" / "zerosum", ignore=shutil.ignore_patterns("__pycache__"))
    commands = []
    for language, text in BLOCK.findall((PAGES / f"{page}.md").read_text(encoding="utf-8")):
        if language == "console":
            commands += [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
            continue
        head = PLACE.match(text)
        assert head is not None, f"{page}.md has a block of {language} that does not say where it goes"
        place, after, body = folder / head[1], head[2], text[head.end() :]
        if after is None:
            place.write_text(body, encoding="utf-8")
        else:  # a line more in a table, after the entry named
            lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
            (index,) = (number for number, line in enumerate(lines) if line.strip().startswith(after))
            place.write_text("".join([*lines[: index + 1], body, *lines[index + 1 :]]), encoding="utf-8")
    return commands


NAMES = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("page", [pytest.param(name, marks=[pytest.mark.slow] * (name != "metric")) for name in NAMES])
def test_a_tutorial_builds_and_its_commands_run(page: str, tmp_path: Path) -> None:
    commands = build(page, tmp_path)
    np.save(tmp_path / "table.npy", np.random.default_rng(0).normal(size=(300, 5)))
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src"), "ZEROSUM_CACHE": str(tmp_path / "cache")}
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "zerosum", command
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert (done.stdout + done.stderr).strip(), f"{command} printed nothing"
