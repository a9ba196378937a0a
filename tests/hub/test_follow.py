"""Following a run: each line once, whatever happens to the run and to the tracker in between."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from zerosum.errors import InputError
from zerosum.media.image_grid import grid, write_png
from zerosum.run.directory import Run
from zerosum.runtime.lock import locked
from zerosum.trackers import connect, follow
from zerosum.trackers.base import About
from zerosum.trackers.follow import TrackerError
from zerosum.trackers.sending import STATE

ABOUT = {
    "id": "a",
    "recipe": "gan",
    "config": {"rounds": 9},
    "training": {},
    "spec": {"shape": [2]},
    "data": {"source": "/home/ada/x"},
}


class Recorder:
    """A tracker that remembers."""

    def __init__(self, about: About, session: str | None) -> None:
        self.about, self.session = about, session or "first"
        self.rounds: list[int] = []
        self.pictures: list[int] = []
        self.finished = False
        self.broken = False

    def log(self, values: Mapping[str, float], round_: int) -> None:
        if self.broken:
            raise ConnectionError("no network")
        assert "phase" not in values
        self.rounds.append(round_)

    def picture(self, path: Path, round_: int) -> None:
        self.pictures.append(round_)

    def summary(self, values: Mapping[str, float]) -> None: ...

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []
    module = ModuleType("zerosum.trackers.to_wandb")
    module.connect = lambda about, session: made.append(Recorder(about, session)) or made[-1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "zerosum.trackers.to_wandb", module)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path / "run", ABOUT)
    for round_ in (10, 20, 30):
        measure(run, round_)
    return run


def measure(run: Run, round_: int) -> None:
    import torch

    run.log({"round": round_, "phase": "main", "generator/loss": 1.0, "critic/penalty": float("nan")})
    write_png(grid(torch.zeros(1, 1, 8, 8)), run.sample(round_))


def test_rounds_of_a_game_that_a_rescue_gave_up_are_said(run: Run, trackers: list[Recorder]) -> None:
    said: list[str] = []
    follow.follow(run, to="wandb", project="p", note=said.append)
    assert said == []
    rescue = {"round": 30, "sign": "mode-collapse", "finding": "It collapses.", "to": 10, "attempt": 1}
    Run(run.path).describe(ABOUT | {"rescues": [rescue]})
    for _ in range(2):
        follow.follow(run, to="wandb", project="p", note=said.append)
    assert said == [
        "The autopilot went back to round 10: wandb shows rounds up to 30 of the game before. Follow it with another "
        "--project to send the run as it is now."
    ]
    follow.follow(run, to="wandb", project="other", note=said.append)
    assert len(said) == 1


def test_a_second_call_goes_on_where_the_first_ended(run: Run, trackers: list[Recorder]) -> None:
    follow.follow(run, to="wandb", project="p")
    measure(run, 40)
    done = follow.follow(run, to="wandb", project="p")
    assert [t.rounds for t in trackers] == [[10, 20, 30], [40]]
    assert [t.pictures for t in trackers] == [[10, 20, 30], [40]]
    assert (done.rows, done.pictures) == (1, 1)
    assert [t.session for t in trackers] == ["first", "first"]
    assert all(t.finished for t in trackers)
    assert "/home/ada" not in str(trackers[0].about)


def test_rounds_that_are_played_again_are_not_sent_again(run: Run, trackers: list[Recorder]) -> None:
    follow.follow(run, to="wandb", project="p")
    run.rewind(10)
    for round_ in (20, 30, 40):
        measure(run, round_)
    follow.follow(run, to="wandb", project="p")
    assert trackers[1].rounds == trackers[1].pictures == [40]


def test_another_project_gets_all_of_it(run: Run, trackers: list[Recorder]) -> None:
    follow.follow(run, to="wandb", project="p")
    follow.follow(run, to="wandb", project="q")
    assert trackers[1].rounds == [10, 20, 30]


def test_a_run_is_followed_while_it_is_trained_and_through_lost_connections(run: Run, trackers: list[Recorder]) -> None:
    lock, said = locked(run.path), []
    lock.__enter__()
    steps = iter("abcd")

    def sleep(_: float) -> None:
        match next(steps):
            case "a":
                assert trackers[0].rounds == [10, 20, 30]
                measure(run, 40)
                trackers[0].broken = True
            case "b":
                assert trackers[0].rounds == [10, 20, 30]
                trackers[0].broken = False
            case "c":
                measure(run, 50)
                lock.__exit__(None, None, None)

    follow.follow(run, to="wandb", project="p", note=said.append, sleep=sleep)
    assert trackers[0].rounds == trackers[0].pictures == [10, 20, 30, 40, 50]
    assert said == ["wandb refuses (no network): trying again."]


def test_what_is_refused_after_training_is_said_and_gone_on_with(
    run: Run, trackers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "log", lambda *_: (_ for _ in ()).throw(ConnectionError("no network")))
    with pytest.raises(TrackerError, match=r"no network.*goes on from here"):
        follow.follow(run, to="wandb", project="p")
    monkeypatch.undo()
    assert json.loads((run.path / STATE).read_text())["wandb:p"]["round"] == -1


def test_a_damaged_state_and_an_unknown_tracker_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="no tracker 'x'"):
        connect("x", About(project="p", name="n", settings={}), None)
    for damaged in ("{", "[]", "7"):
        (run.path / STATE).write_text(damaged)
        with pytest.raises(InputError, match="damaged: delete it"):
            follow.follow(run, to="wandb", project="p")


@pytest.mark.slow
def test_wandb_offline_writes_its_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for more in (None, 40):
        if more is not None:
            measure(run, more)
        follow.follow(run, to="wandb", project="p")
    assert len(list(Path.cwd().rglob("*.wandb"))) == 2
    assert len({path.stem for path in Path.cwd().rglob("*.wandb")}) == 1, "both are of one run"


@pytest.mark.slow
def test_mlflow_keeps_rows_in_its_database(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    follow.follow(run, to="mlflow", project="p")
    measure(run, 40)
    follow.follow(run, to="mlflow", project="p")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (found,) = client.search_runs([client.get_experiment_by_name("p").experiment_id])
    assert [m.step for m in client.get_metric_history(found.info.run_id, "generator/loss")] == [10, 20, 30, 40]
    assert found.data.params["recipe"] == "gan"
    assert [a.path for a in client.list_artifacts(found.info.run_id, "samples")][-1] == "samples/00000040.png"


class Shelf(ModuleType):
    """Trackio 0.43 as far as it is used: a run is gone on with by its name, and two of one name are kept apart."""

    def __init__(self) -> None:
        super().__init__("trackio")
        self.runs: dict[str, list[tuple[int | None, dict[str, Any]]]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.open: set[str] = set()

    def init(self, project: str, name: str | None = None, *, config: dict | None = None, resume: str = "never") -> Any:
        assert resume in ("never", "allow")
        assert name is not None
        taken = f"{project}/{name}" in self.runs
        key = f"{project}/{name}" if not taken or resume == "allow" else f"{project}/{name}-{len(self.runs)}"
        self.runs.setdefault(key, [])
        self.configs.setdefault(key, config or {})
        self.open.add(key)

        def log(metrics: dict[str, Any], step: int | None = None) -> None:
            assert key in self.open
            self.runs[key].append((step, metrics))

        return SimpleNamespace(name=key.partition("/")[2], log=log, finish=lambda: self.open.remove(key))

    @staticmethod
    def Image(value: str) -> bytes:  # noqa: N802
        return Path(value).read_bytes()


def test_trackio_gets_rows_pictures_and_figures_in_one_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.evaluation.test_result import WHOLE

    shelf = Shelf()
    monkeypatch.setitem(sys.modules, "trackio", shelf)
    monkeypatch.delitem(sys.modules, "zerosum.trackers.to_trackio", raising=False)
    follow.follow(run, to="trackio", project="p")
    measure(run, 40)
    WHOLE.write(run.path / "evaluation.json")
    follow.follow(run, to="trackio", project="p")
    (found,) = shelf.runs.values()
    assert [step for step, row in found if "generator/loss" in row] == [10, 20, 30, 40]
    assert [step for step, row in found if row.get("samples", b"")[:4] == b"\x89PNG"] == [10, 20, 30, 40]
    assert [step for step, row in found if any(name.startswith("evaluation/FID") for name in row)] == [None]
    assert shelf.configs["p/run"]["recipe"] == "gan"
    assert shelf.open == set()
    sys.modules.pop("zerosum.trackers.to_trackio")


def test_a_tracker_that_is_not_installed_is_named_with_its_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "zerosum.trackers.to_wandb", raising=False)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"pip install 'zerosum\[trackers\]'"):
        follow.follow(run, to="wandb", project="p")


def test_figures_are_sent_once_under_their_protocol(
    run: Run, trackers: list[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.unit.evaluation.test_result import WHOLE

    told: list[Any] = []
    monkeypatch.setattr(Recorder, "summary", lambda self, values: told.append(values))
    WHOLE.write(run.path / "evaluation.json")
    for _ in range(2):
        follow.follow(run, to="wandb", project="p")
    ((name, value),) = told[0].items()
    assert len(told) == 1
    assert name.startswith("evaluation/FID (")
    assert f"split {WHOLE.protocol.split}" in name
    assert value == 1.5


@pytest.mark.parametrize(("change", "sentence"), [("gone", "The run is gone"), ("replaced", "holds another run now")])
def test_a_run_that_goes_away_while_it_is_followed_is_no_fault_of_the_tracker(
    run: Run, trackers: list[Recorder], change: str, sentence: str
) -> None:
    with locked(run.path):

        def sleep(_: float) -> None:
            shutil.rmtree(run.path)
            if change == "replaced":
                measure(Run.create(run.path, ABOUT | {"id": "b"}), 40)

        with pytest.raises(InputError, match=sentence):
            follow.follow(run, to="wandb", project="p", sleep=sleep)
    assert (trackers[0].rounds, trackers[0].finished) == ([10, 20, 30], True)
    assert not (run.path / STATE).exists()


def test_what_is_damaged_in_a_run_is_left_out_and_said(run: Run, trackers: list[Recorder]) -> None:
    half, said = run.sample(20), []
    half.write_bytes(half.read_bytes()[:-20])
    done = follow.follow(run, to="wandb", project="p", note=said.append)
    assert (trackers[0].pictures, done.pictures) == ([10, 30], 2)
    assert said == [f"{half} is no whole PNG, and is not sent."]

    def damage(_: float) -> None:
        (run.path / STATE).write_text("{")

    with locked(run.path), pytest.raises(InputError, match="damaged: delete it"):
        follow.follow(run, to="wandb", project="p", sleep=damage)
