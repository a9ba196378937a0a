"""The signs of the page beside those of the doctor, on the same histories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.playground.conftest import Node
from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.signs import diagnose
from zerosum.playground.build import SIGNS
from zerosum.run.history import History

FIND = """
answer(given.map(({ rows, facts }) => {
  for (const row of rows) for (const key of Object.keys(row)) if (row[key] === "nan") row[key] = NaN;
  return diagnose(rows, facts, doctor);
}));
"""
D, G = "discriminator", "generator"


def history(rounds: int = 3000, **changes: Any) -> list[dict[str, float]]:
    """Rows of a healthy game, but for some series as functions of the round."""
    noise = np.random.default_rng(0)
    rows = []
    for round_ in range(10, rounds + 1, 10):
        row: dict[str, Any] = {"round": round_}
        for player in (D, G):
            row[f"{player}/loss"] = 1.3 + 0.05 * noise.standard_normal()
            row[f"{player}/gradient_norm"] = 1 + 0.1 * noise.random()
        row[f"{D}/real_accuracy"] = row[f"{D}/fake_accuracy"] = 0.6 + 0.05 * noise.standard_normal()
        if round_ % 50 == 0:
            row["watch/diversity"] = 0.9
            row[f"watch/{D}/update"] = row[f"watch/{G}/update"] = 0.01
        for key, value in changes.items():
            name = key.replace("__", "/").replace("D/", f"{D}/").replace("G/", f"{G}/")
            if name in row:
                row[name] = value(round_)
        rows.append(row)
    return rows


def wave(period: float) -> Any:
    return lambda r: 1.3 + 0.5 * np.sin(2 * np.pi * r / period)


CASES: dict[str, tuple[list[dict[str, float]], dict[str, Any], set[str]]] = {
    "healthy": (history(), {}, set()),
    "no gradient": (history(G__gradient_norm=lambda r: 0.0 if r > 900 else 1.0), {}, {"discriminator-overpowers"}),
    "losing": (history(G__gradient_norm=lambda r: 1e-8, G__loss=lambda r: 9.0), {}, {"discriminator-overpowers"}),
    "rejects all": (
        history(D__real_accuracy=lambda r: 0.0, D__fake_accuracy=lambda r: 1.0), {}, {"discriminator-overpowers"}
    ),
    "rejects most": (
        history(D__real_accuracy=lambda r: 0.1, D__fake_accuracy=lambda r: 0.95), {}, {"discriminator-overpowers"}
    ),
    "certain": (
        history(D__real_accuracy=lambda r: 0.999, D__fake_accuracy=lambda r: 1.0), {}, {"discriminator-overpowers"}
    ),
    "certain pairs": (
        history(D__real_accuracy=lambda r: 1.0, D__fake_accuracy=lambda r: 1.0),
        {"family": "relativistic", "gamma": 0.1},
        set(),
    ),
    "collapsed": (history(watch__diversity=lambda r: 0.9 if r < 800 else 0.01), {}, {"mode-collapse"}),
    "little": (history(watch__diversity=lambda r: 0.4), {}, {"mode-collapse"}),
    "growing": (history(watch__diversity=lambda r: r / 8000), {}, set()),
    "jump": (history(D__loss=lambda r: 0.2 if r < 1500 else 9.0), {}, {"failure-to-converge"}),
    "circles": (history(D__loss=wave(100), G__loss=wave(100)), {}, {"failure-to-converge"}),
    "restless": (
        history(6000, D__real_accuracy=lambda r: 0.5 + 0.3 * ((r - 601) // 300 % 2)), {}, {"failure-to-converge"}
    ),
    "not finite": (history(1000, D__loss=lambda r: "nan" if r == 1000 else 1.0), {}, {"divergence"}),
    "steep": (history(G__gradient_norm=lambda r: 1.0 if r < 2000 else 5000.0), {}, {"divergence"}),
    "always steep": (history(D__gradient_norm=lambda r: 300.0), {}, {"divergence"}),
    "huge": (history(G__loss=lambda r: 1.0 if r < 2400 else 1e4), {"family": "hinge"}, {"divergence"}),
    "huge, Wasserstein": (history(G__loss=lambda r: 1.0 if r < 2400 else 1e4), {"family": "wasserstein"}, set()),
    "rates": (history(500), {"discriminator_lr": 0.01}, {"learning-rates-far-apart"}),
    "rates of the generator": (history(500), {"generator_lr": 0.01}, set()),
    "steps": (history(watch__D__update=lambda r: 0.5), {}, {"learning-rates-far-apart"}),
}  # fmt: skip


def of_python(rows: list[dict[str, float]], facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    config = {name: facts[name] for name in ("discriminator_lr", "generator_lr", "gamma")}
    known = Facts(recipe="gan", config=config, objective=facts["family"], rounds=facts["rounds"], epochs=False)
    found = diagnose(Evidence(history=History(rows), facts=known))
    return [(f.sign, f.title, f.severity, f.since, f.value, f.threshold) for f in found if f.sign in SIGNS]


def test_the_page_finds_what_the_doctor_finds(node: Node):
    base = {"rounds": 3000, "discriminator_lr": 0.001, "generator_lr": 0.001, "gamma": 0, "family": "logistic"}
    given = [{"rows": rows, "facts": base | facts} for rows, facts, _ in CASES.values()]
    for (name, (rows, facts, signs)), found in zip(CASES.items(), node(FIND, given), strict=True):
        expected = of_python(rows, base | facts)
        assert {finding[0] for finding in expected} == signs, name
        for finding, (*words, value, threshold) in zip(found, expected, strict=True):
            assert [finding["sign"], finding["title"], finding["severity"], finding["since"]] == words, name
            numbers = [float(finding["value"]), float(finding["threshold"])]
            assert numbers == pytest.approx([value, threshold], rel=1e-6, nan_ok=True), name
