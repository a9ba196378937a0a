"""Benchmarks are run by hand, so that what they import is looked at here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = sorted(path.stem for path in (Path(__file__).parents[2] / "bench").glob("*.py") if path.stem != "__init__")
NEEDS = {"keras_dcgan": "keras"}
"""What a benchmark has in an environment of its own."""


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_can_be_imported(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="has an environment of its own")
    importlib.import_module(f"bench.{name}")
