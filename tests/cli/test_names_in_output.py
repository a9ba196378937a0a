"""Names that hold ends of lines: whatever a command prints of them, no line of its output is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum import api
from zerosum.runtime.progress import Silent

FORGED = "Finished without errors"
QUICK = ("--features", "pixels", "--count", 40, "--metrics", "fid")


def named(name: str) -> str:
    return f"{name}\n{FORGED}\r{FORGED}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of classes in which every name makes a line: of folders, of images, of copies, and of what is broken."""
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / named("cache")))
    monkeypatch.chdir(tmp_path)
    root, noise = tmp_path / named("data"), np.random.default_rng(5)
    for label in ("oak", "elm"):
        (root / named(label)).mkdir(parents=True)
        for index in range(24):
            pixels = noise.integers(0, 256, (8, 8, 3), dtype=np.uint8) if index else np.zeros((8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(root / named(label) / f"{named(str(index))}.png")
    return root


def forged(said: Any) -> list[str]:
    """Lines of the output that are a name's."""
    return [line for line in (said.out + said.err).splitlines() if line.strip().startswith(FORGED)]


def test_a_report_on_data_keeps_each_name_on_a_line(place: Path, zerosum: Any) -> None:
    (place / named("oak") / f"{named('broken')}.png").write_bytes(b"no image")
    said = zerosum("data", "check", place)
    assert (said.code, forged(said)) == (0, [])
    assert "broken\\nFinished" in said.out.partition("Corrupt files")[2]
    assert "Duplicates" in said.out


def test_packing_and_listing_the_cache_keep_each_name_on_a_line(place: Path, zerosum: Any) -> None:
    for command in (("pack", place, "--size", "8"), ("cache",), ("cache", "--clear")):
        said = zerosum("data", *command)
        assert (said.code, forged(said)) == (0, []), command
        assert FORGED in said.out


def test_evaluations_and_comparisons_keep_each_name_on_a_line(place: Path, zerosum: Any) -> None:
    outs = [named("first") + ".json", named("second") + ".json"]
    for out in outs:
        said = zerosum("evaluate", place, "--against", place, *QUICK, "--out", out)
        assert (said.code, forged(said)) == (0, []), said.err
    said = zerosum("compare", *outs)
    assert (said.code, forged(said)) == (0, []), said.err
    assert FORGED in said.out


def test_what_a_command_wrote_is_named_on_a_line(place: Path, zerosum: Any) -> None:
    run = named("run")
    api.train(place, run=run, rounds=1, batch=4, width=4, size="16", previews=2, progress=Silent())
    for command in (("sample", run, "-n", 1, "--out", f"{named('one')}.png"), ("report", run)):
        said = zerosum(*command)
        assert (said.code, forged(said)) == (0, []), said.err
        assert FORGED in said.out
