"""A run with the autopilot goes back where it fails, changes settings, and ends healthy, or else where it last was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import TIMED, assert_same_checkpoint
from tests.cli.failing_run import BY_REMEDIES, FAST, PLACES, SLOW, finding, resume, start, stopping
from zerosum import api
from zerosum.doctor import Evidence, Finding
from zerosum.errors import DivergedError, UnhealthyError
from zerosum.run.directory import Run
from zerosum.run.history import History
from zerosum.run.rescues import rescues_of
from zerosum.runtime.progress import Silent, Status
from zerosum.training.autopilot import Budget

ROOT = Path(__file__).parents[2]


class Stopped(BaseException):
    """A process that ends in the middle."""


class Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def stop() -> None:
    raise Stopped


def rows(run: Run) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in TIMED} for row in run.history()]


def known(run: Run) -> dict[str, Any]:
    """What two equal runs say of themselves."""
    return {name: run.description[name] for name in ("config", "training", "rescues")}


def assert_same_run(one: Run, other: Run) -> None:
    assert [path.name for path in one.checkpoints()] == [path.name for path in other.checkpoints()]
    for mine, theirs in zip(one.checkpoints(), other.checkpoints(), strict=True):
        assert_same_checkpoint(mine, theirs)
    assert rows(one) == rows(other)
    assert known(one) == known(other)
    assert "rolling_back" not in other.description


@pytest.fixture(scope="module")
def rescued(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return start(tmp_path_factory.mktemp("rescued") / "run")


def test_a_failing_run_is_rescued_until_it_is_healthy(rescued: Run) -> None:
    first, second = rescues_of(rescued)
    assert (first.round, first.to, first.attempt) == (30, 10, 1)
    assert first.changes == {"discriminator_lr": (FAST, 5e-3)}
    assert first.skipped == (
        "--activation relu: --activation makes another game, which the weights of round 10 do not fit.",
    )
    assert (second.round, second.to, second.attempt) == (50, 40, 2)
    assert second.changes == {"discriminator_lr": (5e-3, SLOW), "ema_decay": (0.99, 0.9)}
    assert rescued.latest().name == "00000060"
    assert rescued.description["config"]["discriminator_lr"] == SLOW


def test_void_rows_are_kept_aside(rescued: Run) -> None:
    assert [row["round"] for row in rescued.history()] == list(range(5, 61, 5))
    aside = [History.read(rescued.path / f"history-before-rescue-{number}.jsonl") for number in (1, 2)]
    assert [[row["round"] for row in history] for history in aside] == [[15, 20, 25, 30], [45, 50]]


def test_the_report_lists_rescues(rescued: Run) -> None:
    page = (rescued.path / "report.html").read_text()
    assert "<h2>Rescues</h2>" in page
    assert "--discriminator-lr 0.001 (was 0.005), --ema-decay 0.9 (was 0.99)" in page
    assert "--activation makes another game" in page


def test_each_rescue_is_said_in_a_line(tmp_path: Path) -> None:
    notes = Notes()
    start(tmp_path / "run", progress=notes)
    said = [line for line in notes.said if line.startswith("Rescue ")]
    assert said[0] == (
        "Rescue (try 1 of 3): It is too fast since round 15 (learning rate: 1, threshold 0). "
        "Back to round 10 with --discriminator-lr 0.005 (was 0.01)."
    )
    assert len(said) == 2


def test_a_rescued_run_is_the_same_each_time(rescued: Run, tmp_path: Path) -> None:
    assert_same_run(rescued, start(tmp_path / "run"))


@pytest.mark.parametrize("place", PLACES)
def test_a_rescue_that_is_stopped_in_the_middle_goes_on_to_the_same_bits(
    place: str, rescued: Run, tmp_path: Path
) -> None:
    with pytest.raises(Stopped), stopping(place, stop):
        start(tmp_path / "run")
    assert_same_run(rescued, resume(tmp_path / "run"))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before the commit", "after the commit", "before the first checkpoint of a rescue"])
def test_a_rescue_that_is_killed_goes_on_to_the_same_bits(place: str, rescued: Run, tmp_path: Path) -> None:
    killed = program("start", tmp_path / "run", place)
    assert killed == -signal.SIGKILL
    assert program("resume", tmp_path / "run") == 0
    assert_same_run(rescued, Run.open(tmp_path / "run"))


def program(*arguments: object) -> int:
    command = [sys.executable, "-m", "tests.cli.failing_run", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    return subprocess.run(command, env=environment, check=False).returncode


def unsteady(evidence: Evidence) -> list[Finding]:
    """Find fault from round 30 on with a game that is not stabilised."""
    steadier = {"stabilise": "r1:1.0,instance-noise:0.1,label-noise:0.1", "batch": 32, "n_discriminator": 2}
    return [finding(15, steadier)] if evidence.last_round >= 30 and not evidence.facts.training["stabilise"] else []


def test_a_game_that_is_stabilised_by_a_rescue_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    class Stopping(Silent):
        def __init__(self) -> None:
            self.rescued = False

        def note(self, text: str) -> None:
            self.rescued = self.rescued or text.startswith("Rescue ")

        def update(self, status: Status) -> None:
            if self.rescued and status.round == 35:
                raise Stopped

    pilot = replace(BY_REMEDIES, diagnose=unsteady)
    whole = start(tmp_path / "whole", pilot)
    assert [rescue.to for rescue in rescues_of(whole)] == [10]
    with pytest.raises(Stopped):
        start(tmp_path / "stopped", pilot, Stopping())
    assert_same_run(whole, resume(tmp_path / "stopped", pilot))
    with pytest.raises(Stopped), stopping("before the first checkpoint of a rescue", stop):
        start(tmp_path / "early", pilot)
    assert_same_run(whole, resume(tmp_path / "early", pilot))


def test_a_healthy_run_is_the_same_without_the_autopilot(tmp_path: Path) -> None:
    with_, without = (
        start(tmp_path / str(autopilot), discriminator_lr=SLOW, autopilot=autopilot) for autopilot in (True, False)
    )
    assert_same_checkpoint(with_.latest(), without.latest())
    assert rows(with_) == rows(without)


def test_a_run_that_is_asked_to_stop_as_it_fails_stops_and_goes_on_to_the_same_bits(
    rescued: Run, tmp_path: Path
) -> None:
    class Interrupting(Silent):
        def update(self, status: Status) -> None:
            if status.round == 30:
                os.kill(os.getpid(), signal.SIGTERM)

    stopped = start(tmp_path / "run", progress=Interrupting())
    assert stopped.stopped_by == signal.SIGTERM
    assert len(rescues_of(stopped)) == 1
    assert_same_run(rescued, resume(tmp_path / "run"))


def test_a_game_that_really_fails_ends_healthy(tmp_path: Path) -> None:
    def hopeless(evidence: Evidence) -> list[Finding]:
        rounds, losses = evidence.series("generator/loss")
        rate = evidence.facts.config["discriminator_lr"]
        failing = len(losses) >= 4 and losses[-4:].mean() > 2
        return [finding(int(rounds[-4]), {"discriminator_lr": rate / 30})] if failing else []

    pilot = replace(BY_REMEDIES, diagnose=hopeless)
    run = start(tmp_path / "run", pilot, discriminator_lr=1.0, rounds=150)
    assert run.latest().name == "00000150"
    (rescue,) = rescues_of(run)
    assert rescue.to == 0
    assert History.read(run.path / "history-before-rescue-1.jsonl").last("generator/loss") > 2
    assert run.history().last("generator/loss") < 2


def test_a_game_that_is_not_finite_is_rescued_by_lower_rates(tmp_path: Path) -> None:
    quiet = replace(BY_REMEDIES, diagnose=lambda evidence: [])
    with pytest.raises(DivergedError):
        start(tmp_path / "alone", quiet, discriminator_lr=1e38, autopilot=False)
    run = start(tmp_path / "run", quiet, discriminator_lr=1e38)
    assert run.latest().name == "00000060"
    assert {rescue.sign for rescue in rescues_of(run)} == {"not-finite"}


def test_a_game_that_begins_again_has_the_default_rules_and_a_penalty(zerosum: Any, tmp_path: Path) -> None:
    small = ("--batch", 8, "--generator-hidden", 8, "--discriminator-hidden", 8, "--rounds", 20)
    rates = ("--generator-lr", 1e38, "--discriminator-lr", 1e38, "--activation", "relu")
    done = zerosum("train", "ring8", "--recipe", "gan", *small, *rates, "--autopilot", "--run", tmp_path / "run")
    assert done.code == 0, done.err
    (rescue,) = rescues_of(Run.open(tmp_path / "run"))
    assert rescue.step == "steady"
    assert {name: now for name, (_, now) in rescue.changes.items()} == {
        "activation": "tanh", "generator_lr": 1e-3, "discriminator_lr": 1e-3, "stabilise": "r1:0.1",
    }  # fmt: skip


def never(evidence: Evidence) -> list[Finding]:
    """Find a failure that nothing helps against."""
    return [finding(25)] if evidence.last_round >= 30 else []


def test_a_run_that_nothing_helps_ends_at_its_last_healthy_checkpoint(tmp_path: Path) -> None:
    pilot = replace(BY_REMEDIES, diagnose=never)
    with pytest.raises(UnhealthyError, match=r"fails after 3 rescues: .* It ends at round 20") as given_up:
        start(tmp_path / "run", pilot)
    assert given_up.value.exit_code == 3
    run = Run.open(tmp_path / "run")
    assert run.latest().name == "00000020"
    assert [each.to for each in rescues_of(run)] == [20, 0, 0, 20], (
        "what did not last begins again; the end is the last healthy one"
    )
    assert run.description["config"]["discriminator_lr"] == FAST / 8
    assert len(api.load(run.path).sample(3)) == 3
    with pytest.raises(UnhealthyError, match="--no-autopilot"):
        resume(run.path, pilot)
    assert resume(run.path, pilot, autopilot=False).latest().name == "00000060"


def test_a_run_that_was_never_healthy_keeps_its_last_state(tmp_path: Path) -> None:
    pilot = replace(BY_REMEDIES, diagnose=lambda evidence: [finding(1)], budget=Budget(per_finding=1))
    with pytest.raises(UnhealthyError, match=r"fails after 1 rescue: .* It ends at round 10"):
        start(tmp_path / "run", pilot)
    assert Run.open(tmp_path / "run").latest().name == "00000010"


def test_the_budget_of_a_run_bounds_rescues_from_different_findings(tmp_path: Path) -> None:
    def ever_new(evidence: Evidence) -> list[Finding]:
        return [replace(finding(1), sign=f"sign-{evidence.facts.config['discriminator_lr']}")]

    with pytest.raises(UnhealthyError, match="fails after 4 rescues"):
        start(tmp_path / "run", replace(BY_REMEDIES, diagnose=ever_new, budget=Budget(per_run=4)))


def test_the_command_line_ends_with_a_code_of_its_own(zerosum: Any, tmp_path: Path) -> None:
    arguments = ("--batch", 8, "--generator-hidden", 8, "--discriminator-hidden", 8, "--rounds", 20)
    hopeless = ("--stabilise", "weight-penalty:1e38")
    done = zerosum("train", "ring8", "--recipe", "gan", *arguments, *hopeless, "--autopilot", "--run", tmp_path / "run")
    assert done.code == 3, done.err
    assert "The run fails after 3 rescues" in done.err
    assert json.loads((tmp_path / "run" / "run.json").read_text())["training"]["autopilot"] is True
