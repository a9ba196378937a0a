"""The commands of docs/clips.md run as they stand, but for fewer rounds; what a run leaves behind can be looked at."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from zerosum.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "clips.md"
QUICK = {"train": ["--rounds", "2", "--batch", "4", "--width", "2", "--previews", "4"], "evaluate": ["--count", "40"]}


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    commands = [line[2:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("$ ")]
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "zerosum"
        assert main([*words, *QUICK.get(words[0], [])]) == 0, f"{command}: {capsys.readouterr().err}"
    assert Path("up.gif").exists()
    assert len(list(Path("strips").glob("*.png"))) == 4
    assert Path("runs/shapes/samples/newest.gif").exists()
    assert (
        "newest.gif" in Path("runs/shapes/report.html").read_text()
        or "image/gif" in Path("runs/shapes/report.html").read_text()
    )
    found = {row["metric"]: row for row in json.loads(Path("runs/shapes/evaluation.json").read_text())["figures"]}
    assert {"fid", "motion", "frozen", "class-accuracy", "frame-fid"} <= found.keys()
    assert found["fid"]["title"] == "FVD-classifier"
    assert all(found[name]["floor"] is not None and found[name]["interval"] for name in ("motion", "frozen"))
