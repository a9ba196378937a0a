"""Serving in bfloat16: close to float32, the same whatever the batch, and said; and the fast path of samples."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from tests.server.conftest import HERE
from zerosum.cli import serve as command
from zerosum.inference.seeded import Sampler, Seeded
from zerosum.run.load import load
from zerosum.server.app import build
from zerosum.server.fast_path import FastPath
from zerosum.server.live import LiveRun
from zerosum.server.model import Model
from zerosum.server.service import Served, Service


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content))).astype(int)


def test_bfloat16_is_near_float32_and_said(digits: Path) -> None:
    made = []
    for precision in ("float32", "bfloat16"):
        service = Service(runs=[Served(0, Model(digits, device="cpu", precision=precision), LiveRun(digits))])
        with TestClient(build(service), base_url=HERE) as client:
            made.append([client.post("/v1/samples", json={"seeds": [seed]}) for seed in (3, 4)])
            several = client.post("/v1/samples", json={"seeds": [0, 3, 4], "format": "json"}).json()["images"]
    assert "x-zerosum-precision" not in made[0][0].headers
    assert made[1][0].headers["x-zerosum-precision"] == several[1]["precision"] == "bfloat16"
    for exact, near in zip(*made, strict=True):
        apart = np.abs(pixels(exact.content) - pixels(near.content))
        assert apart.max() <= 4


def test_a_sample_in_bfloat16_does_not_depend_on_its_batch(digits: Path) -> None:
    model = Model(digits, device="cpu", precision="bfloat16")
    recipe = model.refresh()
    with model.arithmetic():
        assert recipe.sample(2).dtype == torch.bfloat16
    whole = [answer.png() for answer in model.sample([Seeded(seed) for seed in range(11)], {})]
    assert [model.sample([Seeded(seed)], {})[0].png() for seed in range(11)] == whole
    assert len(set(whole)) == 11


def test_a_device_without_units_for_it_is_named(
    digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("zerosum.server.listen.listen", lambda *given, **named: None)
    monkeypatch.setattr(command, "has_bfloat16", lambda device: False)
    command.run([str(digits), "--port", "0", "--device", "cpu", "--precision", "bfloat16"])
    assert "has no units for bfloat16" in capsys.readouterr().err
    command.run([str(digits), "--port", "0", "--device", "cpu"])
    assert "bfloat16" not in capsys.readouterr().err


def test_the_fast_path_answers_as_the_route_does(digits: Path) -> None:
    service = Service(runs=[Served(0, Model(digits, device="cpu"), LiveRun(digits))])
    guard = build(service)
    assert isinstance(guard.app, FastPath)
    with TestClient(guard, base_url=HERE) as client:
        through = {"Content-Type": "application/json; charset=utf-8"}  # which the fast path leaves to the route
        bodies = [{"seeds": [5]}, {"seeds": [5, 6], "format": "json"}, {"seeds": [1, 2], "format": "png"}, {"x": 1}]
        bodies += [{}, {"seeds": []}, {"controls": {"truncation": 0.5}}, {"controls": {"truncation": -1}}]
        for body in bodies:
            quick = client.post("/v1/samples", json=body)
            slow = client.post("/v1/samples", content=json.dumps(body), headers=through)
            assert (quick.status_code, quick.content) == (slow.status_code, slow.content), body
            assert {k: v for k, v in quick.headers.items() if k != "date"} == dict(slow.headers), body
        assert client.post("/v1/samples", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
        counted = client.get("/metrics").text
    assert f'route="/v1/samples",status="200"}} {2 * 4}.0' in counted, counted


def test_a_served_model_keeps_no_discriminator(digits: Path) -> None:
    recipe = Model(digits, device="cpu").refresh()
    assert all(one.numel() == 0 for layer in recipe.discriminators() for one in layer.parameters())
    ours, theirs = Sampler(recipe), load(digits, device="cpu")
    assert torch.equal(ours.sample([Seeded(1)], {}), Sampler(theirs).sample([Seeded(1)], {}))
