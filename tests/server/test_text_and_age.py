"""Runs of recipes that paint what a text says, and that age, whose page generates for a class."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from tests.server.conftest import client_of
from tests.test_hostile_names import SPEC, page_model
from zerosum import api
from zerosum.features.classifier import Classifier
from zerosum.inference import identity
from zerosum.inference.paint import paint
from zerosum.media.image_grid import pictures
from zerosum.run.load import load
from zerosum.runtime.progress import Silent
from zerosum.server.model import Model


def test_a_run_that_paints_has_routes_of_texts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"format": 2, "recipe": "stackgan", "spec": {**SPEC, "kind": "captions", "vocabulary": ["red"]}}
    about |= {"config": {}, "training": {}, "data_options": {}, "data": {"source": "captioned-shapes"}}
    (tmp_path / "run.json").write_text(json.dumps(about))
    monkeypatch.setattr(Model, "describe", lambda self: page_model("name", "paint"))
    client = client_of(tmp_path)
    page = client.get("/")
    assert (page.status_code, 'data-task="paint"' in page.text, 'id="text"' in page.text) == (200, True, True)
    assert client.get("/v1/model").json()["task"] == "paint"
    assert [client.post(f"/v1/{route}").status_code for route in ("samples", "latents", "translate")] == [404] * 3
    body = client.get("/openapi.json").json()["components"]["schemas"]["StackGANTexts"]
    assert (body["required"], body["properties"]["n"]["default"]) == (["text"], 8)
    for wrong in ({}, {"text": ""}, {"text": "x" * 1001}, {"text": "red", "n": 65}, {"text": "red", "latents": []}):
        assert client.post("/v1/paint", json=wrong).status_code == 422, wrong
    several = client.post("/v1/paint", json={"text": "red", "n": 2, "format": "png"})
    assert "one sample" in several.json()["detail"]
    missing = client.post("/v1/paint", json={"text": "red"})
    assert (missing.status_code, missing.headers["retry-after"]) == (503, "5")


@pytest.mark.slow
def test_pictures_of_a_text_are_those_that_the_command_paints(painting: Path) -> None:
    text = "a \N{SNOWMAN} small red zebra\r\nSet-Cookie: a=b"
    body = {"text": text, "n": 18, "seed": 3, "format": "json"}
    with client_of(painting) as client:
        made = client.post("/v1/paint", json=body).json()["images"]
        one = client.post("/v1/paint", json={"text": text, "n": 1, "seed": 3})
        packed = client.post("/v1/paint", json={"text": "red", "n": 2})
        blank = client.post("/v1/paint", json={"text": " "})
        assert client.get("/readyz").status_code == 200
        examples = client.get("/v1/model").json()["examples"]
    expected = pictures(paint(load(painting, device="cpu"), text, 18, 3))
    for place, (image, picture) in enumerate(zip(made, expected, strict=True)):
        assert image["place"] == str(place)
        content = Image.open(io.BytesIO(base64.b64decode(image["png"])))
        assert np.array_equal(np.asarray(content), np.asarray(picture))
    assert one.content == base64.b64decode(made[0]["png"])
    assert json.loads(one.headers["x-zerosum-controls"]) == {"text": text}
    assert json.loads(one.headers["x-zerosum-unknown"]) == ["zebra", "set", "cookie", "b"]
    assert "set-cookie" not in one.headers
    assert packed.headers["content-type"] == "application/zip"
    assert (blank.status_code, "text is empty" in blank.json()["detail"]) == (422, True)
    assert 1 <= len(examples) <= 6
    assert all(" " in one for one in examples)


@pytest.fixture(scope="module")
def ageing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that ages digits, four rounds long."""
    settings = {"rounds": 4, "batch": 8, "size": "16", "device": "cpu", **SMALL["age_cgan"]}
    run = tmp_path_factory.mktemp("age") / "run"
    return api.train("aged-digits", recipe="age_cgan", run=run, progress=Silent(), **settings).path


@pytest.mark.slow
def test_a_run_that_ages_generates_for_a_class(ageing: Path) -> None:
    with client_of(ageing) as client:
        page = client.get("/")
        assert (page.status_code, 'data-task="generate"' in page.text) == (200, True)
        assert 'id="age-file"' in page.text
        bodies = [{"seeds": [3], "format": "json", "controls": {"label": label}} for label in (0, 1)]
        made = [client.post("/v1/samples", json=body).json()["images"][0]["png"] for body in bodies]
    assert base64.b64decode(made[0])[1:4] == b"PNG"
    assert made[0] != made[1]


@pytest.mark.slow
def test_a_picture_is_aged_by_the_encoder_or_a_fit_by_what_the_run_keeps(
    ageing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(ageing, device="cpu")
    groups = model.spec.classes
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "source.png")
    source = (tmp_path / "source.png").read_bytes()
    target = torch.from_numpy(pixels).float()[None, None] / 127.5 - 1

    def expected(**how: object) -> np.ndarray:
        return np.asarray(pictures(model.age(target, to=groups[-1], **how).clamp(-1, 1))[0])  # type: ignore[attr-defined]

    def trained(*given: object, **named: object) -> None:
        raise AssertionError("a request trains nothing")

    asked = {"to": groups[-1]}
    fit = {**asked, "from": groups[0], "iterations": 5}
    monkeypatch.setattr(identity, "fit", trained)
    with client_of(ageing) as client:
        alone = client.post("/v1/age", params=asked, content=source, headers={"Content-Type": "image/png"})
        form = client.post("/v1/age", params=asked, files={"image": ("a.png", source)})
        unfitted = client.post("/v1/age", params=fit, content=source)
        wrong = [{}, {"to": "<b>"}, {**fit, "iterations": 21}, {**asked, "iterations": 1}, {**asked, "path": "/etc"}]
        for params in wrong:
            refused = client.post("/v1/age", params=params, content=source)
            assert (refused.status_code, "Traceback" in refused.text) == (422, False), params
        for content in (b"", b"no picture", source[:60]):
            refused = client.post("/v1/age", params=asked, content=content)
            assert (refused.status_code, "zerosum-" in refused.text) == (422, False), refused.text
        schema = client.get("/openapi.json").json()["paths"]["/v1/age"]["post"]
        assert {one["name"] for one in schema["parameters"]} == {"to", "from", "iterations"}
        assert client.post("/v1/translate", content=source).status_code == 404

        assert alone.status_code == 200, alone.text
        assert (alone.headers["x-zerosum-fit"], form.content) == ("encoder alone", alone.content)
        assert "no network of identities is kept" in unfitted.headers["x-zerosum-fit"]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(alone.content))), expected(of=0, iterations=0))

        network = Classifier(model.spec.shape[0], identity.FAMILIES).eval()
        monkeypatch.setattr(identity, "fit", lambda *given, **named: network)
        monkeypatch.setattr(identity, "accuracy", lambda *given: 0.5)
        identity.families(ageing, model)  # type: ignore[arg-type]
        fitted = client.post("/v1/age", params=fit, content=source)
    assert fitted.headers["x-zerosum-fit"] == "5 iterations at most"
    kept = identity.kept_families(ageing, model)  # type: ignore[arg-type]
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(fitted.content))), expected(of=groups[0], iterations=5, embedding=kept)
    )
    assert fitted.content != alone.content
