"""A run that rescues do not help ends at the best of its failing states, with the settings and the history of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import assert_same_checkpoint
from tests.cli.failing_run import BY_REMEDIES, FALLING, finding, resume, start, stopping
from tests.cli.test_autopilot import Stopped, assert_same_run, rows, stop
from zerosum import api
from zerosum.doctor import Evidence, Facts, Finding
from zerosum.doctor.measures import DISTANCE
from zerosum.errors import UnhealthyError
from zerosum.run import fallback
from zerosum.run.directory import Run
from zerosum.run.history import History
from zerosum.run.rescues import rescues_of
from zerosum.training.autopilot import LEFT_ALONE, Budget, distance

GOOD, RUINOUS = 1e-3, 0.5
LOOKED_AT = {"generator_lr": GOOD, "discriminator_lr": GOOD, "watch_every": 5}


def ruined(evidence: Evidence) -> list[Finding]:
    """Find fault from round 30 on, and change what makes it worse."""
    return [finding(1, {"generator_lr": RUINOUS})] if evidence.last_round >= 30 else []


def ruined_once(evidence: Evidence) -> list[Finding]:
    """Find fault with the first try alone."""
    return ruined(evidence) if evidence.facts.config["generator_lr"] == GOOD else []


PILOT = replace(BY_REMEDIES, diagnose=ruined, budget=Budget(per_finding=2))


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("fallen") / "run"
    with pytest.raises(UnhealthyError, match=r"after 2 rescues: .* at round 30 .* nearest to real ones"):
        start(place, PILOT, **LOOKED_AT)
    return Run.open(place)


def test_it_ends_at_the_failing_state_before_the_rescues_that_made_it_worse(fallen: Run, tmp_path: Path) -> None:
    plain = start(tmp_path / "plain", **LOOKED_AT, autopilot=False, keep=5)
    assert [path.name for path in fallen.checkpoints()] == ["00000030"]
    assert_same_checkpoint(fallen.latest(), plain.checkpoint(30))
    assert rows(fallen) == rows(plain)[: len(rows(fallen))]
    assert fallen.history().rows[-1]["round"] == 30
    assert fallen.description["config"]["generator_lr"] == GOOD
    assert len(api.load(fallen.path).sample(3)) == 3


def test_no_state_that_it_passed_over_was_nearer_to_real_samples(fallen: Run) -> None:
    assert [(each.gave_up, each.fell_back) for each in rescues_of(fallen)] == [
        (False, False),
        (False, False),
        (True, True),
    ]
    void = [History.read(fallen.path / f"history-before-rescue-{number}.jsonl") for number in (1, 2, 3)]
    ends = [found for history in void if (found := distance(history.rows)) is not None]
    assert len(ends) == 3
    now = distance(fallen.history().rows)
    assert now is not None
    assert now == pytest.approx(min(ends))
    assert max(ends) > 1.1 * now, "the rescues made it no worse, so this test shows nothing"


@pytest.mark.parametrize("place", FALLING)
def test_it_falls_back_to_the_same_bits_where_it_is_stopped_in_the_middle(
    place: str, fallen: Run, tmp_path: Path
) -> None:
    with pytest.raises(Stopped), stopping(place, stop):
        start(tmp_path / "run", PILOT, **LOOKED_AT)
    with pytest.raises(UnhealthyError, match="nearest to real ones"):
        resume(tmp_path / "run", PILOT)
    assert_same_run(fallen, Run.open(tmp_path / "run"))


def test_a_run_that_comes_to_its_end_and_is_worse_falls_back_too(fallen: Run, tmp_path: Path) -> None:
    with pytest.raises(UnhealthyError, match=r"after 1 rescue: .* at round 30 .* nearest to real ones"):
        start(tmp_path / "run", replace(PILOT, diagnose=ruined_once), **LOOKED_AT)
    run = Run.open(tmp_path / "run")
    assert_same_checkpoint(run.latest(), fallen.latest())
    assert DISTANCE in run.history().rows[-1]


def test_a_rescue_that_helps_leaves_nothing_to_fall_back_on(tmp_path: Path) -> None:
    def wild(evidence: Evidence) -> list[Finding]:
        fails = evidence.last_round >= 30 and evidence.facts.config["generator_lr"] == RUINOUS
        return [finding(1, {"generator_lr": GOOD})] if fails else []

    asked = LOOKED_AT | {"generator_lr": RUINOUS, "discriminator_lr": RUINOUS}
    run = start(tmp_path / "run", replace(PILOT, diagnose=wild), **asked)
    assert run.latest().name == "00000060"
    assert fallback.kept(run) is None


def held(since: int, sign: str = "too-fast") -> Callable[[Evidence], list[Finding]]:
    warning = replace(finding(since), severity="warning", sign=sign)
    return lambda evidence: [warning] if evidence.last_round >= since else []


@pytest.mark.parametrize(("since", "acts"), [(90, True), (91, False)])
def test_a_warning_is_acted_on_once_it_has_lasted_a_tenth_of_the_run(since: int, acts: bool) -> None:
    history = History([{"round": round_} for round_ in range(1, 101)])
    found = replace(PILOT, diagnose=held(since)).failure(history, Facts(rounds=100))
    assert (found is not None) is acts


@pytest.mark.parametrize("sign", sorted(LEFT_ALONE))
def test_warnings_that_no_change_of_the_game_mends_are_left_alone(sign: str) -> None:
    history = History([{"round": round_} for round_ in range(1, 101)])
    assert replace(PILOT, diagnose=held(1, sign)).failure(history, Facts(rounds=100)) is None


def test_a_run_goes_on_to_its_end_where_nothing_helps_against_a_warning(tmp_path: Path) -> None:
    pilot = replace(BY_REMEDIES, diagnose=held(1), budget=Budget(per_finding=1))
    run = start(tmp_path / "run", pilot)
    assert run.latest().name == "00000060"
    assert [each.resigned for each in rescues_of(run)] == [False, True]
    assert_same_run(run, start(tmp_path / "again", pilot))
    with pytest.raises(Stopped), stopping("in the second rescue", stop):
        start(tmp_path / "stopped", pilot)
    assert_same_run(run, resume(tmp_path / "stopped", pilot))
