"""Names from outside that hold markup, on the pages of the server and in its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import HERE
from tests.test_hostile_names import HOSTILE, NAMES, SPEC, assert_inert, harmless, hostile_run, page_model
from zerosum.errors import InputError
from zerosum.server.app import build
from zerosum.server.live import LiveRun
from zerosum.server.model import Model
from zerosum.server.page import documentation
from zerosum.server.service import Served, Service


def hostile_client(place: Path, text: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A client of a server of two runs whose names are `text`, their weights left out."""
    model = place / "of" / folder
    model.mkdir(parents=True)
    about = {"format": 2, "recipe": "cgan", "spec": {**SPEC, "classes": [text, f"{text}b"], "class_counts": [5, 5]}}
    about |= {"config": {}, "training": {}, "data_options": {}, "data": {"source": text}}
    (model / "run.json").write_text(json.dumps(about))
    monkeypatch.setattr(Model, "describe", lambda self: page_model(text))
    live = LiveRun(hostile_run(place / "live" / folder, text))
    return TestClient(build(Service(runs=[Served(n, Model(model), live) for n in range(2)])), base_url=HERE)


@pytest.mark.parametrize(("evil", "folder"), NAMES)
def test_pages(evil: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: dict[str, dict[str, str]] = {}
    for at, (text, name) in enumerate(((evil, folder), (harmless(evil), harmless(folder)))):
        client = hostile_client(tmp_path / str(at), text, name, monkeypatch)
        asked = ("/", "/runs/1", "/training", "/runs/0/training")
        pages[text] = {path: client.get(path).text for path in asked}
        pages[text]["live"] = client.get("/v1/runs/0/live").json()["html"]
    for path in pages[evil]:
        assert_inert(lambda text, path=path: pages[text][path], evil)


@pytest.mark.parametrize("evil", HOSTILE)
def test_the_page_of_the_routes(evil: str) -> None:
    def page(text: str) -> str:
        parameter = {"name": text, "in": text, "description": text}
        body = {"content": {text: {"schema": {"$ref": text}}}}
        operation = {"description": text, "parameters": [parameter], "requestBody": body}
        schemas = {text: {"properties": {text: {"description": text}}}}
        openapi = {"paths": {text: {"get": operation}}, "components": {"schemas": schemas}}
        return bytes(documentation(openapi).body).decode()

    assert_inert(page, evil)


@pytest.mark.parametrize(("evil", "folder"), NAMES)
def test_refusals_are_no_pages(evil: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Model, wanted: object, chosen: object) -> None:
        raise InputError(evil)

    monkeypatch.setattr(Model, "sample", refuse)
    client = hostile_client(tmp_path, evil, folder, monkeypatch)
    answers = [
        client.get(f"/{evil}"),
        client.get(f"/v1/runs/0/previews/{evil}"),
        client.get("/", headers={"Host": evil}),
        client.post("/v1/samples", json={}, headers={"Origin": evil}),
        *(client.post("/v1/samples", json=body) for body in ({"format": evil}, {evil: 1}, {"controls": {evil: evil}})),
        client.post("/v1/samples", json={"controls": {"label": evil}}),
        client.post("/v1/samples", content=evil),
        client.post("/v1/runs/0/stop", json={"confirm": evil}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text[:200]
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json()["detail"]
    assert evil in [answer.json()["detail"] for answer in answers]
