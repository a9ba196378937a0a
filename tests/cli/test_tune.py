"""`zerosum tune`: trials are runs, the search goes on where it was, and what is given is not varied."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import zerosum
from zerosum.cli import main, tune
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.runtime.lock import locked
from zerosum.runtime.progress import Silent
from zerosum.tuning import search, study
from zerosum.tuning.results import Results, TrialResult
from zerosum.tuning.space import Choice, Range, space_of

FAST = (
    "--recipe",
    "gan",
    "--rounds",
    "40",
    "--batch",
    "32",
    "--generator-hidden",
    "16",
    "--discriminator-hidden",
    "16",
)


def test_what_was_asked_for_is_not_varied_and_rates_are_varied_around_the_defaults():
    plan = RunConfig.read("ring8", "gan", {"dropout": 0.1, "stabilise": "label-smoothing"})
    space = space_of(plan, Spec(shape=(2,), kind="points"), "cpu")
    assert "dropout" not in space
    assert "stabilise" not in space
    rate = plan.config.generator_lr  # type: ignore[attr-defined]
    assert space["generator_lr"] == Range(rate / 8, rate * 8)
    ema = space["ema_decay"]
    assert isinstance(ema, Choice)
    assert ema.values[0] == plan.config.ema_decay  # type: ignore[attr-defined]


def test_stabilisers_that_a_recipe_cannot_have_are_not_tried():
    points = space_of(RunConfig.read("ring8", "gan", {}), Spec(shape=(2,), kind="points"), "cpu")["stabilise"]
    critic = space_of(RunConfig.read("digits", "wgan_gp", {}), Spec(shape=(1, 32, 32)), "cpu")["stabilise"]
    assert isinstance(points, Choice)
    assert isinstance(critic, Choice)
    assert points.values[0] is None
    assert "diff-augment" not in points.values
    assert "label-smoothing:0.1" in points.values
    assert "label-smoothing:0.1" not in critic.values


def test_a_search_ends_in_a_table_and_goes_on_where_it_was(tmp_path, capsys):
    out = str(tmp_path / "tune")
    asked = ("tune", "ring8", *FAST, "--out", out)
    assert main([*asked, "--trials", "2"]) == 0
    said = capsys.readouterr().out
    first = json.loads((tmp_path / "tune" / "tune.json").read_text())
    assert first["finished"]
    assert sorted(trial["run"] for trial in first["trials"]) == ["trial-0", "trial-1"]
    assert "--generator-lr" in said
    assert f"Best: {out}/trial-" in said
    defaults = next(trial for trial in first["trials"] if trial["run"] == "trial-0")
    assert defaults["settings"]["generator_lr"] == RunConfig.read("ring8", "gan", {}).config.generator_lr
    assert main([*asked, "--trials", "3"]) == 0
    second = json.loads((tmp_path / "tune" / "tune.json").read_text())
    assert len(second["trials"]) == 3
    kept = {trial["run"]: trial["value"] for trial in second["trials"]}
    assert all(kept[trial["run"]] == trial["value"] for trial in first["trials"])
    assert (tmp_path / "tune" / second["trials"][0]["run"] / "report.html").exists()
    assert main([*asked, "--batch", "16"]) == 2
    assert "holds a search of other settings" in " ".join(capsys.readouterr().err.split())


def test_python_searches_as_the_command_does(tmp_path, capsys):
    """The first half of the search is the command's, the second Python's: the same folder, the same trials."""
    out = tmp_path / "tune"
    assert main(["tune", "ring8", *FAST, "--out", str(out), "--trials", "1"]) == 0
    capsys.readouterr()
    settings = {"rounds": 40, "batch": 32, "generator_hidden": (16,), "discriminator_hidden": (16,)}
    found = zerosum.tune("ring8", recipe="gan", out=out, trials=2, progress=Silent(), **settings)
    assert found.finished
    assert [trial.run for trial in sorted(found.trials, key=lambda trial: trial.run)] == ["trial-0", "trial-1"]
    assert found.to_json()["trials"][0]["run"] == json.loads((out / "tune.json").read_text())["trials"][0]["run"]
    with pytest.raises(InputError, match="search of other settings"):
        zerosum.tune("ring8", recipe="gan", out=out, trials=2, progress=Silent(), **settings | {"rounds": 41})
    with pytest.raises(InputError, match="trials=0 was given: give more than 0"):
        zerosum.tune("ring8", trials=0)
    with pytest.raises(InputError, match="metric"):
        zerosum.tune("ring8", recipe="gan", out=tmp_path / "other", metric="beauty", progress=Silent(), **settings)


def test_a_trial_that_falls_behind_or_fails_ends_early(tmp_path, monkeypatch, capsys):
    played = []

    def failing(place):
        played.append(place.name)
        return [type("Some", (), {"title": "The discriminator overpowers"})] if place.name == "trial-1" else []

    monkeypatch.setattr(search, "critical", failing)
    assert main(["tune", "ring8", *FAST, "--out", str(tmp_path / "tune"), "--trials", "2"]) == 0
    found = json.loads((tmp_path / "tune" / "tune.json").read_text())
    assert [trial["state"] for trial in found["trials"]] == ["complete", "the discriminator overpowers"]
    assert found["trials"][1]["value"] is None
    assert "trial-1" in played


def test_a_trial_that_was_put_back_keeps_its_run_and_what_is_proposed_next(tmp_path):
    space = space_of(RunConfig.read("ring8", "gan", {}), Spec(shape=(2,), kind="points"), "cpu")
    first = {name: part.low if isinstance(part, Range) else 0 for name, part in space.items()}

    def proposed(folder: str, *, stopped: bool) -> list[dict]:
        (tmp_path / folder).mkdir()
        found = []
        opened = study.open_study(tmp_path / folder, lower_is_better=True, first=first)
        for place in range(4):
            trial = study.ask(opened, space, seed=0)
            if stopped and place == 2:
                study.put_back(opened, trial)
                assert len(study.ended(opened)) == place
                trial = study.ask(opened, space, seed=0)
            found.append(trial.params)
            opened.tell(trial, float(place))
        return found

    assert proposed("straight", stopped=False) == proposed("stopped", stopped=True)


def test_what_was_asked_for_counts_in_every_trial(tmp_path):
    out = tmp_path / "tune"
    asked = {"save_every": 3, "keep": 2, "evaluate_every": 4, "best": "recall", "evaluate_count": 64}
    small = {"rounds": 6, "batch": 8, "generator_hidden": (8,), "discriminator_hidden": (8,), "watch_every": 0}
    found = zerosum.tune("ring8", recipe="gan", out=out, trials=1, progress=Silent(), **small, **asked)
    assert found.metric == "recall"
    training = json.loads((out / "trial-0" / "run.json").read_text())["training"]
    assert {name: training[name] for name in asked} == asked
    assert sorted(path.name for path in (out / "trial-0" / "checkpoints").iterdir()) == ["00000003", "00000006", "best"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"autopilot": True}, "--autopilot changes the settings that a search compares: leave it out"),
        ({"copy_to": "memory://runs"}, "every trial is one: leave it out"),
        ({"best": "recall", "metric": "precision"}, "--metric precision and --best recall both say"),
    ],
)
def test_what_would_make_trials_unlike_is_refused(tmp_path, asked, said):
    with pytest.raises(InputError, match=re.escape(said)):
        zerosum.tune("ring8", recipe="gan", out=tmp_path, progress=Silent(), **asked)
    assert list(tmp_path.iterdir()) == []


def test_what_lies_where_a_trial_would_is_not_touched(tmp_path, capsys):
    theirs = tmp_path / "trial-0" / "thesis.txt"
    theirs.parent.mkdir()
    theirs.write_text("three years")
    assert main(["tune", "ring8", *FAST, "--out", str(tmp_path), "--trials", "1"]) == 2
    assert "trial-0 is no run of this search, and stays" in " ".join(capsys.readouterr().err.split())
    assert theirs.read_text() == "three years"


def test_a_file_in_the_place_of_a_folder_is_an_input_error(tmp_path, capsys):
    (tmp_path / "tune").write_text("")
    assert main(["tune", "ring8", *FAST, "--out", str(tmp_path / "tune"), "--trials", "1"]) == 2
    assert "name another folder with --out" in " ".join(capsys.readouterr().err.split())


def test_two_searches_in_a_folder_at_once_are_refused(tmp_path, capsys):
    with locked(tmp_path):
        assert main(["tune", "ring8", *FAST, "--out", str(tmp_path), "--trials", "1"]) == 2
    assert "is being written by process" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "study.log").exists()


def test_settings_are_said_as_they_are_typed():
    tried = {"ema_decay": 0.9995, "betas": (0.0, 0.9), "stabilise": None}
    best = TrialResult(run="trial-3", settings=tried, state="complete", value=1.5)
    table, said = "\n".join(
        tune.lines(Results(metric="fid", lower_is_better=True, trials=(best,), finished=True), "o")
    ).split("\n\n")
    assert "0.9995" in table
    assert "Its settings: --ema-decay 0.9995 --betas 0.0 0.9 --stabilise none" in said


@pytest.mark.slow
def test_a_killed_search_takes_its_trial_up_again(tmp_path):
    out = tmp_path / "tune"
    words = [sys.executable, "-m", "zerosum", "tune", "ring8", *FAST, "--out", str(out), "--trials", "2"]
    words[words.index("40")] = "1600"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoints = out / "trial-0" / "checkpoints"
    deadline = time.monotonic() + 60
    while not (checkpoints.exists() and any(checkpoints.glob("0*"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "tune.json").exists()
    again = subprocess.run([*words, "--minutes", "0.001"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    again = subprocess.run([*words[:-1], "1"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    found = json.loads((out / "tune.json").read_text())
    assert [trial["run"] for trial in found["trials"]] == ["trial-0"]
    rounds = [json.loads(line)["round"] for line in (out / "trial-0" / "history.jsonl").read_text().splitlines()]
    assert rounds == sorted(set(rounds))
    assert rounds[-1] == 1600
