"""The page on volumes: its commands run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from zerosum.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "volumes.md"
COMMANDS = re.findall(r"^\$ (zerosum .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.slow
def test_the_pages_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        assert main(shlex.split(command)[1:]) == 0, command
    report = (tmp_path / "runs/shapes/report.html").read_text(encoding="utf-8")
    assert "data:image/gif;base64," in report
    assert (tmp_path / "shapes.png").exists()
    assert (tmp_path / "shapes.npy").exists()
