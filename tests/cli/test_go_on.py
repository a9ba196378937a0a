"""One command starts a run, goes on with it after whatever has ended it, and ends at once when it is done."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import assert_same_checkpoint, process
from zerosum import api
from zerosum.errors import InputError
from zerosum.run.directory import Run

GAN = ("--batch", 8, "--generator-hidden", 16, "--discriminator-hidden", 16, "--save-every", 2)


@pytest.fixture
def train(zerosum: Any, tmp_path: Path) -> Any:
    def run(*more: object, data: str = "ring8", recipe: str = "gan") -> Any:
        return zerosum("train", data, "--recipe", recipe, *GAN, "--run", tmp_path / "run", "--go-on", *more)

    return run


def test_the_same_command_starts_goes_on_and_is_done(train: Any, tmp_path: Path, zerosum: Any) -> None:
    assert train("--rounds", 4).code == 0
    run = Run(tmp_path / "run")
    for made in (run.checkpoint(4), run.path / "report.html"):  # as if it had been killed after round 2
        made.rename(tmp_path / made.name)
    went_on = train("--rounds", 4)
    assert went_on.code == 0
    assert "Going on from round 2" in went_on.err
    assert_same_checkpoint(run.checkpoint(4), tmp_path / "00000004")
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    done = train("--rounds", 4)
    assert (done.code, done.out) == (0, "")
    longer = f"zerosum train --resume {run.path} --rounds 8"
    assert done.err == f"{run.path} is done: all 4 rounds are played. To train it longer: {longer}\n"
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before
    (run.path / "report.html").unlink()  # a kill between the last checkpoint and the report
    assert train("--rounds", 4).code == 0
    assert (run.path / "report.html").exists()


@pytest.mark.parametrize(
    ("more", "other", "said"),
    [
        (("--rounds", 2, "--batch", 16), {}, "--batch is 8 in the run and 16 was asked"),
        (("--rounds", 2, "--seed", 3), {}, "--seed is 0 in the run and 3 was asked"),
        (("--rounds", 2), {"recipe": "unrolled"}, "was trained by gan, and the recipe that is given is unrolled."),
        (("--rounds", 2), {"data": "grid25"}, "The data at grid25 are no longer those of the run"),
    ],
)
def test_what_would_be_another_run_is_refused(
    more: tuple[object, ...], other: dict[str, str], said: str, train: Any, tmp_path: Path
) -> None:
    assert train("--rounds", 2).code == 0
    for _ in ("done", "not done"):
        found = train(*more, **other)
        assert found.code == 2
        assert said in found.err
        assert len(found.err.splitlines()) == 1
        (tmp_path / "run" / "report.html").unlink(missing_ok=True)


@pytest.mark.slow
def test_a_setting_that_the_data_had_changed_is_not_another_one(zerosum: Any, tmp_path: Path) -> None:
    command = ("train", "digits", "--recipe", "dcgan", "--size", "8", "--width", 4, "--batch", 8, "--rounds", 1)
    for expected in ("Done: 1 round.", "is done"):
        found = zerosum(*command, "--run", tmp_path / "run", "--go-on")
        assert found.code == 0, found.err
        assert expected in found.err


def test_a_run_killed_before_it_was_described_starts_again(train: Any, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for folder in ("samples", "checkpoints"):
        (run / folder).mkdir(parents=True)
    (run / ".zerosum-0123").write_text("{")
    assert train("--rounds", 2).code == 0
    assert not (run / ".zerosum-0123").exists()


def test_without_a_name_there_is_nothing_to_go_on_with(zerosum: Any) -> None:
    said = zerosum("train", "ring8", "--go-on")
    assert said.code == 2
    assert said.err == "--go-on needs the name of the run, which stays the same: add --run FOLDER.\n"


@pytest.mark.slow
def test_in_python_too(tmp_path: Path) -> None:
    settings = {"recipe": "gan", "batch": 8, "generator_hidden": (16,), "discriminator_hidden": (16,), "go_on": True}
    for rounds in (2, 3):
        api.train("ring8", run=tmp_path / "run", rounds=rounds, **settings)
    assert Run(tmp_path / "run").latest().name == "00000003"
    with pytest.raises(InputError, match="--batch is 8 in the run and 16 was asked"):
        api.train("ring8", run=tmp_path / "run", **settings | {"batch": 16})
    with pytest.raises(InputError, match="There is no setting 'batches' for gan; did you mean 'batch'"):
        api.train("ring8", run=tmp_path / "run", batches=1, **settings)


@pytest.mark.slow
def test_a_scheduler_can_tell_a_stopped_run_from_a_finished_one(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    command = (
        "train",
        "ring8",
        "--recipe",
        "gan",
        *GAN,
        "--rounds",
        100_000,
        "--log-every",
        1,
        "--run",
        run.path,
        "--go-on",
    )
    last = 0
    for number in (signal.SIGUSR1, signal.SIGTERM):
        child = process(*command)
        while not (run.path / "history.jsonl").exists() or len(run.history()) < last + 3:
            assert child.poll() is None, child.communicate()[1]
            time.sleep(0.05)
        child.send_signal(number)
        said = child.communicate(timeout=60)[1]
        assert child.returncode == 128 + number
        assert "Stopped and saved at round" in said
        assert last < int(run.latest().name)
        last = int(run.latest().name)
        assert run.history()[-1]["round"] == last
