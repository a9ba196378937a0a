"""Runs of recipes that paint, which have no page, and that age, whose page generates for a class."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.recipes.conftest import SMALL
from tests.server.conftest import client_of
from tests.test_hostile_names import SPEC, page_model
from zerosum import api
from zerosum.runtime.progress import Silent
from zerosum.server.model import Model


def test_the_page_of_a_run_that_paints_is_that_of_its_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"format": 2, "recipe": "stackgan", "spec": {**SPEC, "kind": "captions", "vocabulary": ["red"]}}
    about |= {"config": {}, "training": {}, "data_options": {}, "data": {"source": "captioned-shapes"}}
    (tmp_path / "run.json").write_text(json.dumps(about))
    monkeypatch.setattr(Model, "describe", lambda self: page_model("name", "paint"))
    client = client_of(tmp_path)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/0/training")
    assert client.get("/v1/model").json()["task"] == "paint"
    assert [client.post(f"/v1/{route}").status_code for route in ("samples", "latents", "translate")] == [404] * 3


@pytest.mark.slow
def test_a_run_that_ages_generates_for_a_class(tmp_path: Path) -> None:
    settings = {"rounds": 4, "batch": 8, "size": "16", "device": "cpu", **SMALL["age_cgan"]}
    run = api.train("aged-digits", recipe="age_cgan", run=tmp_path / "run", progress=Silent(), **settings).path
    with client_of(run) as client:
        page = client.get("/")
        assert (page.status_code, 'data-task="generate"' in page.text) == (200, True)
        bodies = [{"seeds": [3], "format": "json", "controls": {"label": label}} for label in (0, 1)]
        made = [client.post("/v1/samples", json=body).json()["images"][0]["png"] for body in bodies]
    assert base64.b64decode(made[0])[1:4] == b"PNG"
    assert made[0] != made[1]
