"""A checkpoint that another process asks for."""

from __future__ import annotations

from pathlib import Path

import zerosum
from zerosum.run import save_request
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent, Status


class Asking(Silent):
    """Asks at the third round, twice, as two clicks do."""

    def __init__(self, run: Path) -> None:
        self.run = run

    def update(self, status: Status) -> None:
        """Ask."""
        if status.round == 3:
            save_request.leave(self.run)
            save_request.leave(self.run)


def test_training_saves_when_asked_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = {"batch": 8, "rounds": 6, "save_every": 100, "log_every": 1, "keep": 9}
    zerosum.train("ring8", recipe="gan", run=run, device="cpu", progress=Asking(run), **settings)
    assert [path.name for path in Run(run).checkpoints()] == ["00000003", "00000006"]
    assert not save_request.take(run)


def test_a_link_in_the_place_of_a_request_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / save_request.REQUEST).symlink_to(tmp_path / "elsewhere")
    save_request.leave(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    assert save_request.take(tmp_path)
