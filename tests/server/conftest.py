"""A run of a few rounds, and a server of it within this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from starlette.testclient import TestClient

import zerosum
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.runtime.progress import Silent
from zerosum.server.app import build
from zerosum.server.limits import Doors, Limits
from zerosum.server.live import LiveRun
from zerosum.server.model import Model
from zerosum.server.service import Served, Service

HERE = "http://localhost"


def client_of(*paths: Path, **options: object) -> TestClient:
    """A client of a server of runs, in this process."""
    runs = [Served(number, Model(path, device="cpu"), LiveRun(path)) for number, path in enumerate(paths)]
    doors, limits = (options.get(name, kind()) for name, kind in (("doors", Doors), ("limits", Limits)))
    service = Service(runs=runs, doors=doors, limits=limits)  # type: ignore[arg-type]
    return TestClient(build(service), base_url=HERE, follow_redirects=False)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a DCGAN on digits, two rounds long."""
    path = tmp_path_factory.mktemp("serve") / "<b>digits"
    settings = {"width": 4, "batch": 8, "rounds": 2, "preview_every": 1, "previews": 4, "log_every": 1}
    return zerosum.train("digits", recipe="dcgan", run=path, device="cpu", **settings).path


@pytest.fixture(scope="session")
def painting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that paints, six rounds long."""
    settings = {"rounds": 6, "batch": 4, "size": "32", "device": "cpu", "preview_every": 3, **SMALL["stackgan"]}
    run = tmp_path_factory.mktemp("paint") / "run"
    return api.train("captioned-shapes", recipe="stackgan", run=run, progress=Silent(), **settings).path


@pytest.fixture(scope="session")
def client(digits: Path) -> Iterator[TestClient]:
    with client_of(digits) as found:
        yield found
