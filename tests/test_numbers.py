"""The same numbers as before: training, evaluation and previews, bit for bit on the machine of the fixture."""

from __future__ import annotations

import json

import pytest

from tests import numbers

RECORD = json.loads(numbers.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> dict:
    return numbers.take()


def test_every_number_is_as_it_was(found: dict) -> None:
    before = RECORD["numbers"]
    assert found.keys() == before.keys()
    exact = numbers.machine() == RECORD["machine"]
    if exact:
        differing = [name for name in before if found[name] != before[name]]
    else:  # another processor or torch rounds differently, and twelve rounds carry it on
        differing = [
            name
            for name, entry in before.items()
            if not name.endswith((": random", ": optimizers"))
            and found[name]["sum"] != pytest.approx(entry["sum"], rel=0.05, abs=1e-3)
        ]
    assert not differing, f"{len(differing)} of {len(before)} changed: {differing}"
