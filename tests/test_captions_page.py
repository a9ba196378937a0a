"""The commands of docs/captions.md run as they stand, but for fewer rounds and smaller networks."""

from __future__ import annotations

import json
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from zerosum.cli import main
from zerosum.data.sources import shapes
from zerosum.features import captions

PAGE = Path(__file__).parents[1] / "docs" / "captions.md"
QUICK = {
    "train": ["--rounds", "6", "--batch", "4", "--width", "4", "--discriminator-width", "4", "--embedding", "6"],
    "evaluate": ["--count", "40"],
}


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(captions, "fit", partial(captions.fit, steps=2))
    monkeypatch.setitem(shapes.COUNTS, "train", 400)
    commands = [line[2:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("$ ")]
    assert {shlex.split(command)[1] for command in commands} == {"train", "paint", "evaluate"}
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "zerosum"
        assert main([*words, *QUICK.get(words[0], [])]) == 0, f"{command}: {capsys.readouterr().err}"
    assert len(list(Path("circles").glob("*.png"))) == 8
    found = {row["metric"]: row for row in json.loads(Path("runs/shapes/evaluation.json").read_text())["figures"]}
    assert {"fid", "caption-rank", "r-precision", "attributes", "attributes-unseen"} <= found.keys()
    assert all(found[name]["floor"] is not None for name in ("caption-rank", "attributes"))
