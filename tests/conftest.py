"""What all tests share: one thread, a fixed seed, and a cache and working folder of their own."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(0)  # torch.manual_seed asks for other devices too, for a millisecond a test


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What zerosum logs; pytest's own caplog is off, because it goes through every logger in each test."""
    stream, logger = io.StringIO(), logging.getLogger("zerosum")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
