"""Signs of histories that no program should write: whatever is in them, findings are well-formed or absent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.doctor.cases import CASES
from tests.unit.doctor.histories import healthy
from zerosum.doctor import Evidence, Facts, diagnose
from zerosum.run.history import History

KEYS = sorted({*(key for case in CASES for key in case.changes), *healthy(0, 100)[-1]} - {"round", "phase"})
VALUES = (
    0.0,
    1.0,
    -1.0,
    0.5,
    1e-9,
    40.0,
    1e12,
    -1e12,
    1e300,
    float("nan"),
    float("inf"),
    "nan",
    "text",
    None,
    True,
    [1.0],
)
FACTS = (
    Facts(),
    Facts(epochs=True),
    Facts(rounds=1, images=0, config={"batch": 1, "ema_decay": 1.0, "lr": ()}, batch_norm=True),
    Facts(objective="hinge", images=5, shape=(3, 8, 8), config={"real_label": (1, 2), "generator_lr": 0.0}),
    Facts(objective="relativistic", flags=frozenset({"lr", "stabilise"}), config={"lr": "0.1", "gamma": None}),
    Facts(recipe="dcgan", flags=frozenset({"stabilise"}), training={"stabilise": "r1"}, notes=("Exact repeats",)),
)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_odd_histories_are_read_without_an_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, keys = int(rng.integers(0, 400)), rng.permutation(KEYS)[: rng.integers(1, len(KEYS))]
    steady = {key: VALUES[rng.integers(len(VALUES))] for key in keys}
    rounds = np.sort(rng.choice(10_000, count, replace=False)) * float(rng.choice([1, 0.5]))
    rows = [
        {"round": round_}
        | {key: VALUES[rng.integers(len(VALUES))] if rng.random() < 0.1 else steady[key] for key in keys}
        for round_ in rounds.tolist()
    ]
    for facts in FACTS:
        for finding in diagnose(Evidence(history=History(rows), facts=facts)):
            assert 0 <= finding.since <= (rounds[-1] if count else 0)
            assert isinstance(finding.value, int | float)
            assert not math.isnan(finding.threshold)
            assert finding.sentence()


@pytest.mark.parametrize("shape", [(0, 3, 16, 16), (1, 1, 4, 4), (30, 1, 4, 4), (30, 3, 16, 16), (30, 7)])
@pytest.mark.parametrize("value", [0, 255])
def test_odd_images_are_read_without_an_error(shape: tuple[int, ...], value: int) -> None:
    constant = np.full(shape, value, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (25, *shape[1:])).astype(np.uint8)
    for samples, real in ((constant, None), (None, constant), (constant, noise), (noise, constant), (noise, noise)):
        for finding in diagnose(Evidence(history=History(), samples=samples, real=real)):
            assert finding.sentence()
