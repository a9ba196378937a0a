"""What all tests share: one thread, a fixed seed, and a cache of their own, and an empty working folder."""

from __future__ import annotations

import gc
import io
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of later garbage collections, which take a tenth of the time otherwise."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(0)  # torch.manual_seed asks for other devices too, for a millisecond a test


@pytest.fixture(scope="session")
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(request: pytest.FixtureRequest, _scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "tmp_path" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
        return
    monkeypatch.chdir(_scratch)  # one for all, because making thousands takes longer with each
    for left in _scratch.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What zerosum logs; pytest's own caplog is off, because it goes through every logger in each test."""
    stream, logger = io.StringIO(), logging.getLogger("zerosum")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
