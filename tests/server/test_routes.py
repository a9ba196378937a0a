"""Every route, within one process."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

import zerosum
from tests.recipes.conftest import SMALL
from tests.server.conftest import client_of
from zerosum.inference.generate import generate
from zerosum.media.image_grid import picture
from zerosum.run.load import load
from zerosum.run.save_request import REQUEST
from zerosum.server.limits import Doors, Limits


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_sample_is_the_first_that_its_seed_makes_and_says_how_it_was_made(client: TestClient, digits: Path) -> None:
    made = client.post("/v1/samples", json={"seeds": [7], "controls": {"truncation": 0.5}})
    assert made.status_code == 200, made.text
    recipe = load(digits, device="cpu")
    assert np.array_equal(
        pixels(made.content), np.asarray(picture(generate(recipe, 1, 7, controls={"truncation": 0.5})))
    )
    text = Image.open(io.BytesIO(made.content)).text  # type: ignore[attr-defined]
    for name in ("seed", "controls", "run", "round"):
        assert text[name] == made.headers[f"x-zerosum-{name}"]
    assert (text["seed"], json.loads(text["controls"]), text["round"]) == ("7", {"truncation": 0.5}, "2")
    assert len(text["run"]) == 16


def test_samples_do_not_depend_on_their_batch(client: TestClient, digits: Path) -> None:
    together = client.post("/v1/samples", json={"seeds": [*range(19)]})
    with zipfile.ZipFile(io.BytesIO(together.content)) as archive:
        packed = [archive.read(name) for name in archive.namelist()]
    assert len(packed) == 19
    for seed in (0, 3, 18):
        assert client.post("/v1/samples", json={"seeds": [seed]}).content == packed[seed]
    recipe = load(digits, device="cpu")
    assert np.array_equal(pixels(packed[18]), np.asarray(picture(generate(recipe, 1, 18))))


def test_latents_of_seeds_make_their_samples(client: TestClient) -> None:
    latents = client.post("/v1/latents", json={"seeds": [3, 4]}).json()["latents"]
    at = client.post("/v1/samples", json={"latents": latents, "format": "json"}).json()["images"]
    of = client.post("/v1/samples", json={"seeds": [3, 4], "format": "json"}).json()["images"]
    assert [one["seed"] for one in of] == ["3", "4"]
    decoded = [[pixels(base64.b64decode(one["png"])) for one in each] for each in (at, of)]
    assert np.array_equal(decoded[0], decoded[1])
    wrong = client.post("/v1/samples", json={"latents": [[0.0]]})
    assert wrong.status_code == 422
    assert "Latents" in wrong.json()["detail"]


def test_a_label_of_many_digits_is_refused(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"rounds": 1, "batch": 4, "device": "cpu", **SMALL["cgan"]}
    with client_of(zerosum.train("digits", recipe="cgan", run=tmp_path / "run", **settings).path) as client:
        answer = client.post("/v1/samples", json={"controls": {"label": "1" * 5000}})
    assert answer.status_code == 422
    assert "no such class" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("limits", "most"), [({}, 64), ({"pixels": 3 * 32 * 32 + 5}, 3), ({"pixels": 1}, 1)], ids=["none", "three", "one"]
)
def test_the_page_asks_for_no_more_than_a_request_may(digits: Path, limits: dict[str, int], most: int) -> None:
    with client_of(digits, limits=Limits(**limits)) as client:
        page = client.get("/").text
        assert f'data-most="{most}"' in page
        made = client.post("/v1/samples", json={"seeds": list(range(most)), "format": "json"})
        assert made.status_code == (422 if limits.get("pixels") == 1 else 200), made.text


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"seeds": []}',
        b'{"seeds": [-1]}',
        b'{"seeds": [1e400]}',
        b'{"controls": {"truncation": NaN}}',
        b'{"controls": {"\\ud800": 1}}',
        b'{"controls": {"nothing": 1}}',
        b'{"controls": {"truncation": -1}}',
        b'{"seeds": [1, 2], "format": "png"}',
        b'{"latents": [[1, 2], [1]], "seeds": [1, 2]}',
        b"\xff",
    ],
)
def test_what_cannot_be_used_gets_a_sentence(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/samples", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert isinstance(answer.json()["detail"], str)
    assert "Traceback" not in answer.text


def test_health_metrics_model_and_documentation(client: TestClient) -> None:
    client.post("/v1/samples", json={})
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert 'route="/v1/samples",status="200"' in client.get("/metrics").text
    assert client.get("/v1/model").json()["task"] == "generate"
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert "DCGANControls" in schemas
    assert "truncation" in schemas["DCGANControls"]["properties"]
    page = client.get("/docs")
    assert "/v1/samples" in page.text
    assert "http" not in page.text.replace("http-equiv", "")


def test_the_page_escapes_names_and_runs_no_script_of_theirs(client: TestClient) -> None:
    for path in ("/", "/runs/0", "/runs/0/training"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<b>digits" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert client.get("/static/studio.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/static/..%2fapp.py").status_code == 404


def test_what_a_run_holds_is_read_by_rounds_and_only_when_it_changes(client: TestClient, digits: Path) -> None:
    first = client.get("/v1/runs/0/live")
    state = first.json()
    assert (state["played"], state["training"], state["previews"]) == (2, False, [0, 1, 2])
    assert "<svg" in state["html"]
    again = client.get("/v1/runs/0/live", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    with (digits / "history.jsonl").open("a") as file:
        file.write('{"round": 3, "generator/loss": 1.0}\n')
    changed = client.get("/v1/runs/0/live", headers={"If-None-Match": first.headers["etag"]})
    assert (changed.status_code, changed.json()["played"]) == (200, 3)
    assert client.get("/v1/runs/0/previews/2").content == (digits / "samples" / "00000002.png").read_bytes()
    for wrong in ("3", "-1", "..%2f..%2frun.json", "9" * 400, "x"):
        assert client.get(f"/v1/runs/0/previews/{wrong}").status_code in (404, 422), wrong
    assert client.get("/v1/runs").json()["runs"][0]["run"] == 0
    assert client.post("/v1/runs/0/stop", json={"confirm": False}).status_code == 422
    assert "nothing to save" in client.post("/v1/runs/0/save").json()["detail"]
    assert not (digits / REQUEST).exists()
    assert "nothing to stop" in client.post("/v1/runs/0/stop", json={"confirm": True}).json()["detail"]


def test_several_runs_stand_side_by_side(digits: Path) -> None:
    with client_of(digits, digits) as client:
        text = client.get("/training").text
        assert text.count('class="live"') == text.count('class="checkpoint"') == 2
        assert [f'data-api="/v1/runs/{number}"' in text for number in (0, 1, 2)] == [True, True, False]
        assert all('href="/training"' in client.get(path).text for path in ("/runs/1", "/runs/1/training"))


def test_a_preview_that_is_no_picture_is_not_shown(client: TestClient, digits: Path) -> None:
    (digits / "samples" / "00000009.png").symlink_to(digits / "run.json")
    assert client.get("/v1/runs/0/previews/9").status_code == 404
    (digits / "samples" / "00000009.png").unlink()


def test_hosts_origins_and_tokens(digits: Path) -> None:
    with client_of(digits, doors=Doors(token="s3cret", origins=frozenset({"https://a.example"}))) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/runs").status_code == 401
        assert client.get("/v1/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        bearer = {"Authorization": "Bearer s3cret"}
        assert client.get("/v1/runs", headers=bearer).status_code == 200
        for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.post("/v1/samples", json={}, headers=bearer | foreign).status_code == 403
        assert client.get("/", headers={"Host": "evil.example"} | bearer).status_code == 421
        allowed = client.post("/v1/samples", json={}, headers=bearer | {"Origin": "https://a.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://a.example"
        assert client.get("/?token=s3cret").status_code == 303
        assert client.get("/v1/runs").status_code == 200, "the cookie lets in"


def test_bodies_rates_and_places_are_bounded(digits: Path) -> None:
    with client_of(digits, limits=Limits(bytes=100, rate=1, pixels=2000)) as client:
        assert client.post("/v1/samples", content=b"{" + b" " * 200).status_code == 413
        assert client.post("/v1/samples", json={"seeds": [1, 2]}).status_code == 422
        limited = client.post("/v1/samples", json={})
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    with client_of(digits, limits=Limits(waiting=0)) as client:
        full = client.post("/v1/samples", json={})
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")


def test_newer_checkpoints_are_taken_up_between_requests(digits: Path, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "run"
    shutil.copytree(digits, run)
    newest = run / "checkpoints" / "00000002"
    newest.rename(tmp_path / "later")
    with client_of(run) as client:
        early = client.post("/v1/samples", json={})
        assert (early.status_code, client.get("/readyz").status_code) == (503, 503)
        (tmp_path / "later").rename(newest)
        assert client.post("/v1/samples", json={}).status_code == 200


def test_a_recipe_that_draws_more_than_latents_is_sampled_seed_by_seed(digits: Path) -> None:
    from zerosum.inference.seeded import Sampler, Seeded

    recipe = load(digits, device="cpu")
    plain = recipe.sample
    recipe.sample = lambda n, *, latent=None, truncation=None: (  # type: ignore[method-assign]
        plain(n, latent=latent, truncation=truncation) + torch.rand(n, 1, 1, 1)
    )
    made = Sampler(recipe).sample([Seeded(5), Seeded(6)], {})
    assert torch.equal(made[1:], generate(recipe, 1, 6))
