"""`zerosum doctor` at work: on a run, a log and images, for people, for programs and for reports of bugs."""

from __future__ import annotations

import getpass
import json
import platform
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.doctor import signs
from zerosum.doctor.evidence import Evidence
from zerosum.doctor.facts import facts_of
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

FORGED = "Finished without errors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("dcgan") / "run"
    return api.train(
        "digits", recipe="dcgan", run=run, rounds=30, batch=8, size="16", progress=Silent(), **SMALL["dcgan"]
    ).path


@pytest.fixture
def severity(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One sign alone, which finds something of this severity in every round that has a discriminator's loss."""
    chosen = {"is": "warning"}

    def find(evidence: Evidence) -> Finding | None:
        rounds, values = evidence.series("discriminator/loss")
        if not len(values) or chosen["is"] == "nothing":
            return None
        return Finding(
            sign="always",
            title="There is a loss",
            severity=chosen["is"],  # type: ignore[arg-type]
            confidence="certain",
            since=int(rounds[0]),
            measure="loss",
            value=values[0],
            threshold=0.0,
            keys=("discriminator/loss",),
            meaning="Nothing.",
            remedies=(Remedy(flags="--discriminator-lr 0.0001", why="slows it"),),
        )

    monkeypatch.setattr(signs, "names", lambda: ["always"])
    monkeypatch.setattr(signs, "find", lambda name: Sign(name=name, title="", find=find, source=""))
    return chosen


@pytest.mark.parametrize(("found", "code"), [("nothing", 0), ("note", 0), ("warning", 3), ("critical", 3)])
def test_the_exit_code_says_how_bad_it_is(
    found: str, code: int, trained: Path, severity: dict[str, str], zerosum: Any
) -> None:
    severity["is"] = found
    assert zerosum("doctor", trained).code == code
    said = zerosum("doctor", trained, "--json")
    assert (said.code, [each["severity"] for each in json.loads(said.out)["findings"]]) == (
        code,
        [found] if code or found == "note" else [],
    )


def test_a_run_is_examined_with_what_is_known_of_it(trained: Path, severity: dict[str, str], zerosum: Any) -> None:
    said = zerosum("doctor", trained)
    assert said.out.startswith(
        f"{trained}: 1 finding (1 warning).\n\nWARNING: There is a loss\n  Since round 10. Loss: "
    )
    assert "Try --discriminator-lr 0.0001: slows it." in said.out
    assert "in 3 rows, rounds 10 to 30, for 1 of 1 sign." in said.out
    facts = facts_of(Run.open(trained).description)
    assert (facts.recipe, facts.objective, facts.rounds, facts.batch_norm) == ("dcgan", "logistic", 30, True)
    assert {"discriminator_lr", "stabilise", "batch"} <= facts.flags
    assert (facts.images, facts.shape, facts.epochs) == (1797, (1, 16, 16), False)
    assert facts.config["batch"] == 8


def test_what_is_known_of_a_run_bears_damage(trained: Path) -> None:
    copy = Path("copy")
    copy.mkdir()
    about = json.loads((trained / "run.json").read_text())
    for changed in ({"spec": None}, {"recipe": "mine"}, {"config": [1]}, {"config": {"width": 10**9}}, {"data": 3}):
        (copy / "run.json").write_text(json.dumps(about | changed))
        facts = facts_of(Run.open(copy).description)
        assert facts.recipe == changed.get("recipe", "dcgan")


def test_the_run_s_own_logs_say_the_same_as_the_run(trained: Path, severity: dict[str, str], zerosum: Any) -> None:
    (events,) = trained.glob("*tfevents*")
    for log in (trained / "history.jsonl", events):
        said = zerosum("doctor", log, "--json")
        found = json.loads(said.out)
        assert (said.code, found["rows"], found["last_round"], found["not_read"]) == (3, 3, 30, [])
        assert found["findings"][0]["since"] == 10


def test_all_real_signs_run_on_a_run_a_log_and_images(trained: Path, zerosum: Any) -> None:
    for place in (trained, trained / "history.jsonl", "digits"):
        assert zerosum("doctor", place).code in (0, 3)


def test_columns_are_named_by_hand(severity: dict[str, str], zerosum: Any) -> None:
    Path("a.csv").write_text("n,left,right\n1,0.5,2\n2,0.4,3\n")
    said = zerosum("doctor", "a.csv", "--map", "left=discriminator/loss", "n=round")
    assert said.code == 3
    assert "Read as: n -> round, left -> discriminator/loss." in said.out
    assert "Not understood: right;" in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctor"], "Nothing is named"),
        (["doctor", "nowhere"], "There is no run, log, folder or file nowhere"),
        (["doctor", "empty.csv"], "empty.csv is empty"),
        (["doctor", "--report", "empty.csv"], "--report takes a run, and empty.csv is none"),
        (["doctor", "odd.csv"], "No column of odd.csv is understood"),
        (["doctor", "digits", "--size", "x"], "--size x is no image size"),
        (["doctor", "odd.csv", "--jsn"], "did you mean --json?"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], said: str, zerosum: Any) -> None:
    Path("empty.csv").write_text("")
    Path("odd.csv").write_text("x\n1\n")
    answer = zerosum(*words)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert said in answer.err


def test_names_in_logs_keep_their_line(severity: dict[str, str], zerosum: Any) -> None:
    name = f"log\n{FORGED}\x1b[31m.jsonl"
    Path(name).write_text(json.dumps({"step": 1, "d_loss": 1, f"x\n{FORGED}\r\x1b[31m": 2}))
    for words in ((name,), (name, "--json"), (name, "--map", f"y\n{FORGED}=discriminator/loss")):
        said = zerosum("doctor", *words)
        assert "\x1b" not in said.out + said.err
        assert not [line for line in (said.out + said.err).splitlines() if line.strip().startswith(FORGED)]
    assert "x\\n" in zerosum("doctor", name).out


def test_the_help_explains_the_exit_codes(zerosum: Any) -> None:
    said = " ".join(zerosum("doctor", "--help").out.split())
    assert "Exit codes: 0, nothing worse than a note was found; 3, a warning or something critical; 2," in said


def test_a_report_of_a_bug_has_machine_settings_findings_and_history(
    trained: Path, severity: dict[str, str], zerosum: Any
) -> None:
    said = zerosum("doctor", "--report", trained)
    assert said.code == 0
    for part in ("| torch | ", "| cores | ", "| memory | ", "| recipe | dcgan |", "| batch | 8 |", "| size | 16 |"):
        assert part in said.out
    assert "| samples | 1797 |" in said.out
    assert "- warning, certain: `always` since round 10, " in said.out
    assert '{"round": 30, ' in said.out
    assert zerosum("doctor", "--report").out.startswith("## Machine\n\n| | |\n|---|---|\n| zerosum | ")


def test_a_report_of_a_bug_names_nothing_of_the_user_s(
    trained: Path, severity: dict[str, str], zerosum: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = "klondike"
    home = tmp_path / f"home-{secret}"
    place = home / secret / "run"
    shutil.copytree(trained, place)
    about = json.loads((place / "run.json").read_text())
    for name in ("source", "fingerprint"):
        about["data"][name] = secret
    about["data"]["notes"] = [f"{secret}.png is corrupt"]
    about["spec"]["classes"] = [secret]
    about["command"] = f"zerosum train {secret}"
    about["versions"][secret] = f"1 {secret}"
    about["config"] |= {secret: 1, "activation": secret}
    about["training"] |= {"stabilise": f"r1,{secret}", "evaluate_features": secret, "device": secret}
    about["data_options"] |= dict.fromkeys(("cache", "labels", "target", "split", "range", "degrade"), secret)
    rows = (place / "history.jsonl").read_text()
    more = {"round": 40, f"{secret}/loss": 1.0, "phase": secret, "discriminator/loss": 1.0}
    for recipe in ("dcgan", secret):
        (place / "run.json").write_text(json.dumps(about | {"recipe": recipe}))
        (place / "history.jsonl").write_text(rows + json.dumps(more) + "\n")
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("LOGNAME", f"{secret}-user")
        monkeypatch.chdir(home / secret)
        monkeypatch.setattr(platform, "node", lambda: f"{secret}-host")
        said = zerosum("doctor", "--report", "run")
        assert said.code == 0
        assert '{"round": 40, "discriminator/loss": 1}' in said.out
        assert secret not in said.out + said.err
        assert str(tmp_path) not in said.out


def test_names_that_stand_in_values_are_replaced(zerosum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.runtime.device._cpu_name", lambda: f"of {getpass.getuser()} at {platform.node()}")
    monkeypatch.setattr(platform, "node", lambda: "klondike")
    monkeypatch.setenv("LOGNAME", "somebody")
    assert "| cpu | of (user) at (host) |" in zerosum("doctor", "--report").out
