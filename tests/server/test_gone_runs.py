"""Runs that are removed, replaced or damaged while they are served."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.conftest import client_of
from zerosum.errors import InputError
from zerosum.run.checkpoint import INDEX
from zerosum.server.live import LiveRun
from zerosum.server.model import Model


@pytest.fixture
def run(digits: Path, tmp_path: Path) -> Path:
    return shutil.copytree(digits, tmp_path / "secret-place" / "mine")


def test_a_run_that_is_gone_takes_no_other_with_it(run: Path, digits: Path) -> None:
    with client_of(run, digits) as client:
        assert client.post("/v1/samples", json={}).status_code == 200
        shutil.rmtree(run)
        assert client.post("/v1/samples", json={}).status_code == 200, "the model is still there"
        gone, there = client.get("/v1/runs").json()["runs"]
        assert (gone["title"], gone["played"], there["title"]) == ("mine", 0, "dcgan on digits")
        for path in ("/training", "/runs/0/training", "/runs/1/training", "/v1/runs/0/live"):
            shown = client.get(path)
            assert (shown.status_code, "secret-place" in shown.text) == (200, False), path
        assert "mine is not a run directory" in client.get("/runs/0/training").text
        assert client.get("/v1/runs/0/previews/2").status_code == 404
        assert client.post("/v1/runs/0/stop", json={"confirm": True}).status_code == 409
        assert client.post("/v1/runs/0/save").status_code == 409
        shutil.copytree(digits, run)
        assert client.get("/v1/runs").json()["runs"][0]["title"] == "dcgan on digits"


@pytest.mark.parametrize("change", [{"recipe": "lsgan"}, {"spec": {"shape": [1, 16, 16]}}])
def test_a_run_in_the_place_of_another_kind_is_not_served_as_that(run: Path, change: dict[str, object]) -> None:
    with client_of(run) as client:
        assert client.post("/v1/samples", json={}).status_code == 200
        about = json.loads((run / "run.json").read_text())
        spec = about["spec"] | change.pop("spec", {})  # type: ignore[operator]
        (run / "run.json").write_text(json.dumps(about | change | {"spec": spec}))
        (index,) = run.glob(f"checkpoints/*/{INDEX}")
        os.utime(index, (1, 1))
        for answer in (client.post("/v1/samples", json={}), client.get("/v1/model")):
            assert (answer.status_code, "start the server again" in answer.json()["detail"]) == (503, True)
        assert client.get("/").headers["location"] == "/runs/0/training"


@contextlib.contextmanager
def piped(path: Path) -> Iterator[None]:
    """Put a named pipe in a file's place; whoever waits for a writer is let go at the end."""
    content = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        path.unlink()
        if content is not None:
            path.write_bytes(content)


FILES = ["run.json", "history.jsonl", "evaluation.json", "samples/00000002.png", f"checkpoints/00000002/{INDEX}"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("name", [*FILES, "checkpoints/00000002/weights.safetensors"])
def test_no_named_pipe_among_a_runs_files_is_waited_for(name: str, run: Path) -> None:
    model = Model(run, device="cpu")

    def used() -> int:
        with contextlib.suppress(InputError):
            model.describe()
        return LiveRun(run).look()[1]["checkpoints"][0]

    with ThreadPoolExecutor(1) as pool, piped(run / name):
        assert pool.submit(used).result(timeout=20) == 2
