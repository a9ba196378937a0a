"""An error of whoever is told how a training goes: the work is saved, then it is raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import assert_same_checkpoint
from zerosum import api
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent, Status

SMALL: dict[str, Any] = {
    "recipe": "gan", "batch": 8, "rounds": 6, "log_every": 1, "save_every": 100, "preview_every": 100,
    "generator_hidden": (4,), "discriminator_hidden": (4,),
}  # fmt: skip


class Enough(Exception):  # noqa: N818
    """What a user's own progress object raises to stop."""


class Failing(Silent):
    """Fails once it hears of a round, and keeps what it is told."""

    def __init__(self, at: int) -> None:
        self.at, self.closed, self.heard = at, 0, list[int]()

    def update(self, status: Status) -> None:
        self.heard.append(status.round)
        if status.round == self.at:
            raise Enough("of it")

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("at", [3, 6])
def test_the_rounds_that_were_played_are_saved_before_the_error_is_raised(at: int, tmp_path: Path) -> None:
    progress = Failing(at)
    with pytest.raises(Enough, match="of it") as caught:
        api.train("ring8", run=tmp_path / "run", progress=progress, **SMALL)
    assert f"saved at round {at}: zerosum.resume('{tmp_path}/run')" in caught.value.__notes__[0]
    assert progress.heard == list(range(1, at + 1))
    assert progress.closed
    assert Run.open(tmp_path / "run").latest().name == f"{at:08d}"
    resumed = api.resume(tmp_path / "run", progress=Silent())
    whole = api.train("ring8", run=tmp_path / "whole", progress=Silent(), **SMALL)
    assert_same_checkpoint(resumed.latest(), whole.latest())


class Mute(Failing):
    """Fails where it is told a line, and where it ends."""

    def note(self, text: str) -> None:
        if text.startswith("Done"):
            raise Enough("said")

    def close(self) -> None:
        raise ValueError("closed")


def test_an_error_at_the_end_does_not_keep_a_run_from_its_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="closed"):
        api.train("ring8", run=tmp_path / "run", progress=Mute(0), **SMALL)
    assert (tmp_path / "run" / "report.html").is_file()
    assert Run.open(tmp_path / "run").latest().name == "00000006"
