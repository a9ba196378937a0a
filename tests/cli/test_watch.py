"""A run is watched as it is trained: what is found is said, lies in the history, and can be switched off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import assert_same_checkpoint
from zerosum.cli import main
from zerosum.doctor import live
from zerosum.doctor.finding import Finding
from zerosum.doctor.measures import DATA_WAIT, DIVERSITY
from zerosum.run.directory import Run

GAN = ["train", "ring8", "--recipe", "gan", "--batch", "8", "--generator-hidden", "16", "--discriminator-hidden", "16"]
FOUND = Finding(
    sign="mode-collapse", title="The samples look alike", severity="warning", confidence="likely", since=2,
    measure="variety", value=0.2, threshold=0.5, meaning="Alike.",
)  # fmt: skip


def train(run: Path, *flags: str) -> Run:
    assert main([*GAN, "--log-every", "2", "--run", str(run), *flags]) == 0
    return Run(run)


def test_findings_are_said_once_while_a_run_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "diagnose", lambda evidence: [FOUND] if evidence.last_round >= 4 else [])
    run = train(tmp_path / "run", "--rounds", "8", "--watch-every", "2")
    said = capfd.readouterr().err
    assert said.count(FOUND.sentence()) == 1
    assert [DIVERSITY in row for row in run.history()] == [True] * 4
    assert run.history().last("watch/generator/update") > 0


def test_a_run_is_the_same_whether_it_is_watched_and_says_so_in_run_json(tmp_path: Path) -> None:
    watched, unwatched = (
        train(tmp_path / every, "--rounds", "6", "--watch-every", every, "--save-every", "3") for every in ("2", "0")
    )
    for round_ in (3, 6):
        assert_same_checkpoint(watched.checkpoint(round_), unwatched.checkpoint(round_))
    assert not [key for key in unwatched.history().measured() if key.startswith("watch/")]
    assert all(0 <= row[DATA_WAIT] <= 1 for row in watched.history())
    about = json.loads((watched.path / "run.json").read_text())
    assert (about["rounds"], about["objective"], about["batch_norm"]) == (6, "logistic", False)


def test_a_resumed_run_may_be_watched_otherwise(tmp_path: Path) -> None:
    run = train(tmp_path / "run", "--rounds", "4", "--watch-every", "0")
    assert main(["train", "--resume", str(run.path), "--rounds", "8", "--watch-every", "2"]) == 0
    assert run.history().series(DIVERSITY)[0] == [6, 8]
    about = json.loads((run.path / "run.json").read_text())
    assert (about["rounds"], about["training"]["watch_every"]) == (8, 2)
