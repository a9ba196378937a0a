"""Histories of healthy and of failing games, made of noise like that of real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zerosum.doctor import Evidence, Facts
from zerosum.run.history import History

ROUNDS, EVERY, LOOKS, ONSET = 4_000, 10, 100, 2_500
Course = float | Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""A value, or a function from the rounds since the onset (T,) to values (T,)."""


def drift(rng: np.random.Generator, count: int, scale: float, memory: float = 0.8) -> np.ndarray:
    """First-order autoregressive noise (count,), as losses have it."""
    noise, value = [], 0.0
    for step in rng.normal(0, scale * np.sqrt(1 - memory**2), count):
        value = memory * value + step
        noise.append(value)
    return np.array(noise)


def healthy(seed: int = 0, rounds: int = ROUNDS, player: str = "discriminator") -> list[dict[str, Any]]:
    """Rows of a game that goes well: one-sided and without variety at first, then noisy about its level."""
    rng = np.random.default_rng(seed)
    at = np.arange(EVERY, rounds + 1, EVERY)
    early = np.exp(-at / 120)
    accuracy = 0.76 + 0.23 * early
    columns = {
        f"{player}/loss": 1.05 - 0.8 * early + drift(rng, len(at), 0.12),
        f"{player}/real": 1.2 + 3 * early + drift(rng, len(at), 0.3),
        f"{player}/fake": -1.1 - 3 * early + drift(rng, len(at), 0.3),
        f"{player}/real_accuracy": np.clip(accuracy + drift(rng, len(at), 0.05), 0, 1),
        f"{player}/fake_accuracy": np.clip(accuracy + drift(rng, len(at), 0.05), 0, 1),
        f"{player}/gradient_norm": np.exp(0.8 + drift(rng, len(at), 0.4)),
        "generator/loss": 1.3 + 2 * early + np.abs(drift(rng, len(at), 0.3)),
        "generator/gradient_norm": np.exp(0.9 + drift(rng, len(at), 0.4)),
        "seen": 64.0 * at,
    }
    seldom = {
        "watch/diversity": 0.85 * (1 - np.exp(-at / 300)) + rng.normal(0, 0.03, len(at)),
        "watch/class_diversity": 0.6 * (1 - np.exp(-at / 300)) + rng.normal(0, 0.04, len(at)),
        "watch/label_effect": 0.5 * (1 - np.exp(-at / 500)) + rng.normal(0, 0.03, len(at)),
        "watch/checkerboard": 1.1 + 3 * np.exp(-at / 200) + np.abs(rng.normal(0, 0.2, len(at))),
        "watch/dead_units": np.clip(0.1 + rng.normal(0, 0.03, len(at)), 0, 1),
        "watch/nearest": 1.1 + 2 * early + rng.normal(0, 0.05, len(at)),
        f"watch/{player}/update": 0.002 * np.exp(rng.normal(0, 0.3, len(at))),
        "watch/generator/update": 0.003 * np.exp(rng.normal(0, 0.3, len(at))),
        "watch/data_wait": np.clip(0.05 + rng.normal(0, 0.03, len(at)), 0, 1),
        "evaluation/precision": 0.6 * (1 - np.exp(-at / 800)) + rng.normal(0, 0.02, len(at)),
        "evaluation/recall": 0.4 * (1 - np.exp(-at / 1200)) + rng.normal(0, 0.02, len(at)),
        "evaluation/fid": 40 * np.exp(-at / 1500) + 20 + rng.normal(0, 0.5, len(at)),
    }
    rows = []
    for place, round_ in enumerate(at.tolist()):
        row = {"round": round_, "phase": "main"} | {key: float(values[place]) for key, values in columns.items()}
        if round_ % LOOKS == 0:
            row |= {key: float(values[place]) for key, values in seldom.items()}
        rows.append(row)
    return rows


def failing(changes: Mapping[str, Course], *, onset: int = ONSET, seed: int = 0, player: str = "discriminator"):
    """Rows of a healthy game of which some series take another course after a round, where they are measured."""
    rows, rng = healthy(seed, player=player), np.random.default_rng(seed + 1)
    for key, course in changes.items():
        name = key.replace("discriminator", player)
        later = [
            row for row in rows if row["round"] > onset and (name in row or not name.startswith(("watch", "eval")))
        ]
        rounds = np.array([row["round"] - onset for row in later])
        values = course(rounds, rng) if callable(course) else np.full(len(later), course)
        for row, value in zip(later, values.tolist(), strict=True):
            row[name] = value
    return rows


def evidence(rows: list[dict[str, Any]], facts: Facts | None = None, **arrays: Any) -> Evidence:
    """Evidence of rows, of a run of unknown recipe whose rounds are planned unless facts say otherwise."""
    return Evidence(history=History(rows), facts=facts or Facts(rounds=ROUNDS), **arrays)


def until(rows: list[dict[str, Any]], round_: int) -> list[dict[str, Any]]:
    """The rows up to a round."""
    return [row for row in rows if row["round"] <= round_]
