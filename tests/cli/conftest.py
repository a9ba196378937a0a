"""Commands, run in this process or in one of their own, and what their runs leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import safetensors.torch
import torch

from zerosum.cli import main
from zerosum.run.directory import Run

TIMED = {"seconds", "images_per_second", "peak_rss_bytes", "watch/data_wait"}
"""What differs between equal runs: how long they took and what they took."""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def zerosum(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """A command line, run in this process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


def process(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """A command line, started in a process of its own."""
    command = [sys.executable, "-m", "zerosum", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, **options)


def assert_same_checkpoint(one: Path, other: Path) -> None:
    """Weights, averages, optimizers, clock, randomness and position are equal to the last bit."""
    for name in ("weights.safetensors", "averages.safetensors"):
        assert_same(safetensors.torch.load_file(one / name), safetensors.torch.load_file(other / name))
    assert_same(torch.load(one / "state.pt"), torch.load(other / "state.pt"))


def assert_same(one: Any, other: Any, place: str = "state") -> None:
    assert type(one) is type(other), place
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, place
        assert torch.equal(one, other), place
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), place
        for key in one:
            assert_same(one[key], other[key], f"{place}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), place
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{place}/{index}")
    else:
        assert one == other, place


def measured(run: Path) -> list[dict[str, Any]]:
    """The run's history but for timings."""
    return [{key: value for key, value in row.items() if key not in TIMED} for row in Run(run).history()]
