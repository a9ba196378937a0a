"""The commands of docs/hub.md run as they stand, against a Hub on this machine; those of docs/trackers.md are taken."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome
from tests.hub.fake_hub import FakeHub
from zerosum.cli import flags
from zerosum.cli.follow import Follow

DOCS = Path(__file__).parents[2] / "docs"
FEW = {"evaluate": ("--count", "40", "--features", "pixels")}


def commands(page: str) -> list[list[str]]:
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return [shlex.split(line.removeprefix("$ zerosum ")) for line in lines if line.startswith("$ zerosum ")]


@pytest.mark.slow
def test_the_commands_of_the_page_on_the_hub_run(trained: Path, hub: FakeHub, zerosum: Callable[..., Outcome]) -> None:
    shutil.copytree(trained, "runs/photos")
    shutil.copytree(trained.parent / "photos", "photos")
    ran = commands("hub.md")
    assert len(ran) == 6
    for words in ran:
        said = zerosum(*words, *FEW.get(words[0], ()))
        assert said.code == 0, f"{words}: {said.err}"
    assert Path("samples.png").exists()
    assert Path("runs/theirs/report.html").exists()


def test_the_commands_of_the_page_on_trackers_are_taken() -> None:
    for words in commands("trackers.md"):
        assert words[0] == "follow"
        assert flags.parse(Follow, words[1:], prog="zerosum follow").to == "wandb"
