"""Examination of runs, logs and images: findings, what could not be looked for, and the form for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zerosum
from zerosum.doctor import signs
from zerosum.doctor.evidence import Evidence
from zerosum.doctor.examine import examine
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.images import evidence_of_images
from zerosum.doctor.measures import DIVERSITY, NEAREST
from zerosum.doctor.signs import Sign
from zerosum.doctor.wording import lines
from zerosum.errors import InputError

Find = Callable[[Evidence], Finding | None]


def finding(name: str, **changed: Any) -> Finding:
    known = {
        "sign": name,
        "title": "The loss is high",
        "severity": "warning",
        "confidence": "likely",
        "since": 1,
        "measure": "loss of the discriminator",
        "value": 7.0,
        "threshold": 5.0,
        "meaning": "It cannot follow.",
        "remedies": (Remedy(flags="--discriminator-lr 0.0001", why="slows it down"),),
        "source": "Section 3",
    }
    return Finding(**(known | changed))


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put signs of a test in the place of zerosum's."""

    def put(**found: Find) -> None:
        known = {name.replace("_", "-"): find for name, find in found.items()}
        monkeypatch.setattr(signs, "names", lambda: sorted(known))
        monkeypatch.setattr(signs, "find", lambda name: Sign(name=name, title=name, find=known[name], source=""))

    return put


def high_loss(evidence: Evidence) -> Finding | None:
    rounds, values = evidence.series("discriminator/loss")
    above = np.flatnonzero(values > 5)
    return finding("high-loss", since=int(rounds[above[0]]), value=float(values[above[0]])) if len(above) else None


def no_gradient(evidence: Evidence) -> Finding | None:
    values = [evidence.series(f"{player}/gradient_norm")[1] for player in ("generator", "critic")]
    return finding("no-gradient", severity="critical") if any(len(v) and v[-1] == 0 for v in values) else None


def of_players(evidence: Evidence) -> Finding | None:
    return finding("players") if evidence.players("real_accuracy") else None


def log(text: str, name: str = "log.csv") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


LOG = "epoch,d_loss,foo\n1,0.5,3\n2,7,4\n"


def test_findings_come_with_what_could_not_be_looked_for(install: Any) -> None:
    install(high_loss=high_loss, no_gradient=no_gradient, players=of_players)
    found = examine(log(LOG))
    assert [(f.sign, f.since, f.value) for f in found.findings] == [("high-loss", 2, 7.0)]
    assert found.looked_for == ("high-loss",)
    assert found.lacking["no-gradient"] == ("generator/gradient_norm", "critic/gradient_norm")
    assert found.lacking["players"] == ("real_accuracy",)
    assert (found.read_as, found.not_read) == ({"epoch": "round", "d_loss": "discriminator/loss"}, ("foo",))
    assert found.alarming


@pytest.mark.parametrize(
    ("column", "other", "sign"),
    [("d_acc", 0.7, "discriminator-overpowers"), ("logits_real", 1.0, "loss-unbounded")],
)
def test_a_log_without_the_discriminators_loss_is_examined_by_what_it_has(
    column: str, other: float, sign: str, tmp_path: Path
) -> None:
    lines = [f"{epoch},{other if epoch < 8 else 0.995 if column == 'd_acc' else 9 * epoch},1" for epoch in range(40)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join([f"epoch,{column},g_loss", *lines]))
    found = examine(path)
    assert [finding.sign for finding in found.findings] == [sign]
    assert 8 <= found.findings[0].since <= 9


def test_the_most_severe_comes_first_and_a_note_is_no_alarm(install: Any) -> None:
    for severities, alarming in ((("note", "critical", "warning"), True), (("note",), False)):
        install(**{f"s_{each}": lambda _, each=each: finding(each, severity=each) for each in severities})
        found = examine(log(LOG))
        assert [f.severity for f in found.findings] == sorted(severities, key=lambda each: signs.ORDER[each])
        assert found.alarming is alarming


def test_the_words_have_all_parts_of_a_finding(install: Any) -> None:
    install(high_loss=high_loss, no_gradient=no_gradient)
    said = lines(examine(log(LOG)), "log.csv")
    assert said[0] == "log.csv: 1 finding (1 warning)."
    assert said[2:7] == [
        "WARNING: The loss is high",
        "  Since round 2. Loss of the discriminator: 7, threshold 5 (likely).",
        "  It cannot follow.",
        "  In zerosum, try --discriminator-lr 0.0001: slows it down.",
        "  Read more: Section 3",
    ]
    assert "Looked at 1 measurement in 2 rows, rounds 1 to 2, for 1 of 2 signs." in said
    assert "  generator/gradient_norm, critic/gradient_norm: no-gradient" in said
    assert "Read as: epoch -> round, d_loss -> discriminator/loss." in said
    assert any(line.startswith("Not understood: foo;") for line in said)


def test_json_has_a_stable_form_and_no_nan(install: Any) -> None:
    install(one=lambda _: finding("one", value=math.nan, since=np.int64(1)))
    found = json.loads(json.dumps(examine(log(LOG)).to_json(), allow_nan=False))
    assert found == {
        "schema": 1,
        "form": "log",
        "rows": 2,
        "last_round": 2,
        "findings": [
            {
                "sign": "one",
                "title": "The loss is high",
                "severity": "warning",
                "confidence": "likely",
                "since": 1,
                "measure": "loss of the discriminator",
                "value": None,
                "threshold": 5.0,
                "keys": [],
                "meaning": "It cannot follow.",
                "remedies": [{"flags": "--discriminator-lr 0.0001", "why": "slows it down", "settings": {}}],
                "source": "Section 3",
            }
        ],
        "looked_for": ["one"],
        "lacking": {},
        "read_as": {"epoch": "round", "d_loss": "discriminator/loss"},
        "not_read": ["foo"],
        "notes": [],
    }


def test_the_python_form_returns_findings(install: Any) -> None:
    install(high_loss=high_loss)
    assert [f.sign for f in zerosum.diagnose(log(LOG))] == ["high-loss"]
    assert zerosum.diagnose(log("n,l\n1,6\n"), columns={"l": "discriminator/loss", "n": "round"})[0].value == 6


def folder(name: str, images: np.ndarray) -> Path:
    Path(name).mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(f"{name}/{index}.png")
    return Path(name)


def noise(count: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_images_are_evidence_alone_or_beside_real_ones(install: Any) -> None:
    samples, real = folder("samples", noise(12)), folder("real", noise(9, 32)[..., 0])
    alone, _ = evidence_of_images(samples)
    assert alone.samples is not None
    assert (alone.samples.shape, alone.samples.dtype, alone.real) == ((12, 3, 16, 16), np.uint8, None)
    assert len(alone.history) == 0
    both, _ = evidence_of_images(samples, real)
    assert both.samples is not None
    assert both.real is not None
    assert (both.samples.shape, both.real.shape) == ((12, 1, 32, 32), (9, 1, 32, 32))
    assert sorted(map(bytes, both.real[:, 0])) == sorted(map(bytes, noise(9, 32)[..., 0]))


def test_signs_of_images_are_looked_for_where_there_are_real_ones(install: Any) -> None:
    def collapse(evidence: Evidence) -> Finding | None:
        return finding("collapse") if len(evidence.series(DIVERSITY)[1]) else None

    def labels(evidence: Evidence) -> Finding | None:
        return finding("labels") if any(len(evidence.series(key)[1]) for key in ("watch/x", NEAREST)) else None

    install(collapse=collapse, labels=labels)
    samples, real = folder("samples", noise(12)), folder("real", noise(9))
    assert examine(samples).looked_for == ()
    found = examine(samples, against=real)
    assert (found.looked_for, tuple(found.lacking)) == (("collapse",), ("labels",))
    assert any("Looked at 12 images beside 9 real ones" in line for line in lines(found, "samples"))


def test_many_images_are_looked_at_in_part(install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerosum.doctor.images.MOST", 5)
    np.save("samples.npy", noise(20))
    found = examine("samples.npy")
    assert found.evidence.samples is not None
    assert len(found.evidence.samples) == 5
    assert "Looked at 5 of 20 images." in found.notes


@pytest.mark.parametrize(
    ("place", "options", "said"),
    [
        ("nowhere", {}, "There is no run, log, folder or file nowhere"),
        ("nowhere.csv", {}, "There is no log nowhere.csv"),
        ("few", {}, "few has 3 images, and 8 or more are needed."),
        ("digits", {"against": "few"}, "few has 3 images"),
        ("digits", {"columns": ["a=round"]}, "--map names columns of a log, and images are given"),
        ("log.csv", {"against": "digits"}, "--against is for images, and a log is given"),
        ("ring8", {}, "is made of points"),
    ],
)
def test_what_cannot_be_examined_is_refused_in_a_sentence(place: str, options: Any, said: str) -> None:
    log(LOG)
    folder("few", noise(3))
    with pytest.raises(InputError) as refused:
        examine(place, **options)
    assert said in str(refused.value)
