"""The commands of each guide run as they stand, but for fewer rounds on smaller networks and less data."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import guides
from zerosum import recipes

QUICK = ["--rounds", "2", "--batch", "4", "--save-every", "1", "--previews", "4"]


def shortened(words: list[str]) -> list[str]:
    """Shorten a command that trains, evaluates or samples; what is said last counts."""
    if "train" in words and "--explain" not in words:
        name = words[words.index("--recipe") + 1] if "--recipe" in words else "cgan"
        narrow = ["--width", "4"] if "width" in recipes.find(name).Config.names() else []
        return [*words, *QUICK, *narrow]
    return [*words, "--count", "40", "--features", "random"] if words[1] == "evaluate" else words


@pytest.mark.slow
@pytest.mark.parametrize("page", guides.GUIDES_WITH_COMMANDS)
def test_the_commands_of_a_guide_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    if page == "two-gans":
        pytest.importorskip("matplotlib")
    if page == "page":
        pytest.importorskip("onnxruntime")
    folder = tmp_path / "work"
    folder.mkdir()
    printed = guides.play(page, folder, shorten=shortened, count=24)
    assert list(printed) == guides.commands(page)
    assert len(printed) >= 1


def test_every_guide_is_played():
    assert {path.stem for path in guides.GUIDES.glob("*.md")} - {"index"} == guides.GUIDES_WITH_COMMANDS.keys()
