"""A Hub on this machine, and a run to push: small enough that all of it takes a second."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Outcome
from tests.cli.conftest import zerosum as zerosum  # a fixture
from tests.hub.fake_hub import FakeHub
from zerosum import api
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

SECRET = "secret-place"
"""Is in every path that nobody may learn."""

CLASSES = ("<b>oak", "[elm](www.evil.example)|")

_the_hub = FakeHub()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeHub:
    """The Hub, empty."""
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    monkeypatch.setenv("HF_ENDPOINT", _the_hub.endpoint)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_fake")
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    _the_hub.repositories.clear()
    _the_hub.private.clear()
    _the_hub.requests.clear()
    return _the_hub


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two rounds on photos in two classes, whose run.json speaks of places."""
    folder = tmp_path_factory.mktemp(SECRET)
    noise = np.random.default_rng(0)
    for label in CLASSES:
        (folder / "photos" / label).mkdir(parents=True)
        for index in range(20):
            Image.fromarray(noise.integers(0, 256, (8, 8), dtype=np.uint8)).save(
                folder / "photos" / label / f"{index}.png"
            )
    place = folder / "run"
    quick = {"rounds": 2, "save_every": 1, "batch": 8, "device": "cpu", "cache": str(folder / "cache")}
    api.train(
        folder / "photos", recipe="cgan", run=place, progress=Silent(), command=f"zerosum train {folder}", **quick
    )
    path = place / "run.json"
    about = json.loads(path.read_text())
    about["data"]["notes"] = [f"3 files of {folder}/x were cut"]
    path.write_text(json.dumps(about))
    return place


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    """A copy of it."""
    shutil.copytree(trained, tmp_path / "runs" / "mine")
    return Run.open(tmp_path / "runs" / "mine")


@pytest.fixture(scope="session")
def _files() -> dict[str, bytes]:
    """What one push sent."""
    return {}


@pytest.fixture
def stored(request: pytest.FixtureRequest, hub: FakeHub, _files: dict[str, bytes]) -> str:
    """The name of a repository that holds the run, pushed once for all tests."""
    if not _files:
        assert request.getfixturevalue("pushed")().code == 0
        _files.update(hub.newest("ada/mine"))
    else:
        hub.commit("ada/mine", _files)
        hub.private["ada/mine"] = True
    return "ada/mine"


@pytest.fixture
def pushed(run: Run, hub: FakeHub, zerosum: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Push the run, with more flags."""

    def push(*more: Any) -> Outcome:
        return zerosum("push", run.path, "ada/mine", "--yes", *more)

    return push
