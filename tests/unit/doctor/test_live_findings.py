"""Findings while a run is trained: each is said once, and again only when it is worse or back after long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zerosum.doctor import live
from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.facts import facts_of
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.live import LiveFindings
from zerosum.doctor.measures import DATA_WAIT, DIVERSITY
from zerosum.run.directory import Run

COLLAPSE = Finding(
    sign="mode-collapse", title="The samples look alike", severity="warning", confidence="likely", since=100,
    measure="variety", value=0.2, threshold=0.5, keys=(DIVERSITY,), meaning="Alike.",
    remedies=(Remedy(flags="--batch 128", why="shows more at once"),),
)  # fmt: skip
WORSE = replace(COLLAPSE, severity="critical", value=0.01, threshold=0.1)
NOTE = replace(COLLAPSE, severity="note", sign="too-short")


class Clock:
    def __init__(self) -> None:
        self.seconds, self.step = 0.0, 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def say_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Sequence[Sequence[Finding]], clock: Clock | None = None
) -> list[tuple[int, str]]:
    """Log a row with a look every 100 rounds, of which each has the findings given; return what is said, and when."""
    run = Run.create(tmp_path / "run", {})
    asked: list[Evidence] = []
    said: list[tuple[int, str]] = []
    at = 0

    def diagnose(evidence: Evidence) -> Sequence[Finding]:
        asked.append(evidence)
        return found[at // 100 - 1]

    monkeypatch.setattr(live, "diagnose", diagnose)
    facts = Facts(rounds=100 * len(found))
    logger = LiveFindings(run, after=0, facts=facts, say=lambda text: said.append((at, text)), now=clock or Clock())
    for place in range(len(found)):
        at = 100 * (place + 1)
        row = {"round": at, DIVERSITY: 0.5}
        run.log(row)
        logger.log(row)
    logger.close()
    assert all(evidence.facts is facts for evidence in asked)
    assert asked[0].history.series(DIVERSITY)[0] == [100]
    return said


def test_a_finding_is_said_once_and_again_when_it_is_worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = say_of(tmp_path, monkeypatch, [[], [COLLAPSE], [COLLAPSE], [WORSE], [WORSE], [COLLAPSE], [WORSE]] + [[]] * 9)
    assert said == [(200, COLLAPSE.sentence()), (400, WORSE.sentence())]
    assert said[0][1].endswith("Try --batch 128: shows more at once.")
    assert "\n" not in said[0][1]


def test_a_finding_that_ended_is_said_again_after_a_long_stretch_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [[COLLAPSE], [], [COLLAPSE], [], [], [], [], [COLLAPSE], [COLLAPSE], [], []]
    said = say_of(tmp_path, monkeypatch, found)
    assert [at for at, _ in said] == [100, 800], "gone for 1 look of 11, then for 4"


def test_notes_are_for_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert say_of(tmp_path, monkeypatch, [[NOTE], [NOTE, COLLAPSE]]) == [(200, COLLAPSE.sentence())]


def test_diagnoses_that_take_long_are_made_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.step = 1.0  # of which a diagnosis takes one
    worse = [[replace(COLLAPSE, sign=f"sign-{place}")] for place in range(250)]
    said = say_of(tmp_path, monkeypatch, worse, clock)
    assert 2 <= len(said) <= 4, "a hundredth of about 250 seconds"


def test_rows_without_a_look_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose(evidence: Evidence) -> Any:
        raise AssertionError("there was no look")

    monkeypatch.setattr(live, "diagnose", diagnose)
    run = Run.create(tmp_path / "run", {})
    LiveFindings(run, after=0, facts=Facts(), say=print).log({"round": 1, DATA_WAIT: 0.5, "generator/loss": 1.0})


def test_a_fault_of_the_doctor_is_said_once_and_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose(evidence: Evidence) -> Any:
        raise ZeroDivisionError("of nothing")

    monkeypatch.setattr(live, "diagnose", diagnose)
    said: list[str] = []
    logger = LiveFindings(Run.create(tmp_path / "run", {}), after=0, facts=Facts(), say=said.append)
    for round_ in (1, 2):
        logger.log({"round": round_, DIVERSITY: 0.5})
    assert len(said) == 1
    assert "ZeroDivisionError('of nothing')" in said[0]


def test_facts_come_from_run_json_and_damage_is_unknown() -> None:
    about = {
        "recipe": "dcgan", "objective": "logistic", "batch_norm": True, "rounds": 900,
        "config": {"batch": 64, "rounds": 300}, "training": {"seed": 0},
        "spec": {"shape": [3, 32, 32]}, "data": {"count": 12, "notes": ["2 images were cut."]},
    }  # fmt: skip
    facts = facts_of(about)
    assert facts == Facts(
        recipe="dcgan", config=about["config"], training={"seed": 0}, objective="logistic", batch_norm=True,
        flags=frozenset({"batch", "rounds", "seed"}), images=12, shape=(3, 32, 32), rounds=900,
        notes=("2 images were cut.",), epochs=False,
    )  # fmt: skip
    assert facts_of({**about, "rounds": None}).rounds == 300, "of a run of an earlier version"
    assert facts_of({"config": [], "data": 3, "spec": {"shape": "wide"}, "batch_norm": 1, "recipe": 4}) == Facts(
        epochs=False
    )
