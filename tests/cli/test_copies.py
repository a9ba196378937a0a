"""A run is copied to an object store, and goes on from there on another machine to the same bits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import assert_same_checkpoint
from zerosum import api
from zerosum.errors import InputError
from zerosum.run.checkpoint_index import INDEX
from zerosum.run.copies import Copies, checkpoints, fetch, opened
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent, Status

fsspec = pytest.importorskip("fsspec")

PLACE = "memory://bucket/run"
SMALL = {"recipe": "gan", "batch": 16, "generator_hidden": (8,), "discriminator_hidden": (8,), "save_every": 10}


class Stopped(BaseException):
    """A machine that is taken away."""


class Notes(Silent):
    """Keeps what is said, and stops at a round."""

    def __init__(self, stop: int | None = None) -> None:
        self.said, self.stop = list[str](), stop

    def note(self, text: str) -> None:
        self.said.append(text)

    def update(self, status: Status) -> None:
        if status.round == self.stop:
            raise Stopped


@pytest.fixture(autouse=True)
def store() -> Iterator[Any]:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    yield memory
    memory.store.clear()


def train(run: Path, stop: int | None = None, **settings: Any) -> tuple[Any, Notes]:
    notes = Notes(stop)
    asked = {**SMALL, "rounds": 50, "copy_to": PLACE, "go_on": True, "progress": notes, **settings}
    return api.train("ring8", run=run, **asked), notes


def test_a_run_goes_on_on_another_machine_from_its_copy(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(tmp_path / "one" / "run", stop=40)
    shutil.rmtree(tmp_path / "one")
    run, _ = train(tmp_path / "other" / "run")
    whole, _ = train(tmp_path / "whole" / "run", copy_to=None)
    assert_same_checkpoint(run.latest(), whole.latest())
    assert [row["round"] for row in run.history()] == [row["round"] for row in whole.history()]


def test_the_copy_is_the_run_with_its_report_and_no_more_checkpoints(tmp_path: Path, store: Any) -> None:
    run, _ = train(tmp_path / "run", keep=2)
    there = sorted(path.removeprefix("/bucket/run/") for path in store.find("bucket/run"))
    here = [str(path.relative_to(run.path)) for folder in run.checkpoints() for path in folder.iterdir()]
    assert there == sorted([*here, "history.jsonl", "report.html", "run.json"])
    assert store.cat_file("bucket/run/history.jsonl") == (run.path / "history.jsonl").read_bytes()
    assert fetch(PLACE, tmp_path / "fetched")
    assert_same_checkpoint(Run.open(tmp_path / "fetched").latest(), run.latest())


def test_the_copy_holds_what_the_autopilot_and_a_recipe_from_outside_leave_in_a_run(tmp_path: Path) -> None:
    run, _ = train(tmp_path / "run", copy_to=None)
    left = {"recipe.py": b"# mine", "history-before-rescue-1.jsonl": b'{"round": 9}\n'}
    for name, content in left.items():
        (run.path / name).write_bytes(content)
    shutil.copytree(run.latest(), run.fallback)
    assert Copies(run, PLACE, pytest.fail).update()
    assert fetch(PLACE, tmp_path / "fetched")
    assert {name: (tmp_path / "fetched" / name).read_bytes() for name in left} == left
    assert_same_checkpoint(Run.open(tmp_path / "fetched").fallback, run.fallback)
    shutil.rmtree(run.fallback)
    assert Copies(run, PLACE, pytest.fail).update()
    assert "fallback" not in checkpoints(*opened(PLACE))


def test_the_index_is_copied_last_and_a_half_copied_checkpoint_is_not_used(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = train(tmp_path / "run", copy_to=None)
    written, real = list[str](), type(store).pipe_file

    def counted(self: Any, path: str, value: bytes, **given: Any) -> None:
        written.append(path.rpartition("/")[2])
        if len(written) == 7:
            raise Stopped
        real(self, path, value, **given)

    monkeypatch.setattr(type(store), "pipe_file", counted)
    with pytest.raises(Stopped):
        Copies(run, PLACE, pytest.fail).update()
    assert written[3] == INDEX
    assert list(checkpoints(*opened(PLACE))) == [run.checkpoints()[0].name]
    monkeypatch.setattr(type(store), "pipe_file", real)
    assert not fetch(PLACE, tmp_path / "early"), "without run.json there is no run yet"
    assert Copies(run, PLACE, pytest.fail).update()
    assert len(checkpoints(*opened(PLACE))) == len(run.checkpoints())


def test_a_store_that_does_not_answer_stops_nothing(
    tmp_path: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = type(store).pipe_file, []

    def refused(self: Any, *given: Any, **named: Any) -> None:
        calls.append(given)
        if len(calls) < 3:
            raise TimeoutError("no answer")
        real(self, *given, **named)

    monkeypatch.setattr(type(store), "pipe_file", refused)
    run, notes = train(tmp_path / "run")
    assert run.latest().name == "00000050"
    assert [line for line in notes.said if "could not be written (TimeoutError: no answer)" in line]
    assert len(checkpoints(*opened(PLACE))) == len(run.checkpoints())


@pytest.mark.parametrize(
    ("place", "sentence"),
    [("bucket/run", "no place of an object store"), ("nowhere://bucket", "nowhere://bucket cannot be opened")],
)
def test_a_place_that_is_none_is_refused_before_the_training(place: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        train(tmp_path / "run", copy_to=place)
    assert not (tmp_path / "run").exists()
