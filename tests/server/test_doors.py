"""Who is let in and what refusals say: methods, other sites, names, tokens, and where runs lie."""

from __future__ import annotations

import io
import json
import shutil
import socket
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `serve` is not installed")

from starlette.testclient import TestClient

from tests.server.conftest import client_of
from zerosum.cli import main, serve
from zerosum.errors import InputError
from zerosum.server.limits import Doors, Limits, host_name, origin
from zerosum.server.listen import bind

SITE = "https://a.example"


@pytest.mark.parametrize("path", ["/healthz", "/v1/runs/0/live", "/static/studio.js", "/nowhere", "/v1/samples"])
def test_head_is_answered_as_get_without_the_body(path: str, client: TestClient) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == str(len(got.content))


def test_pages_of_allowed_sites_read_refusals_and_headers(digits: Path) -> None:
    from_there = {"Origin": SITE}
    with client_of(digits, doors=Doors(origins=frozenset({SITE})), limits=Limits(waiting=0)) as client:
        full = client.post("/v1/samples", json={}, headers=from_there)
        assert (full.status_code, full.headers["access-control-allow-origin"]) == (503, SITE)
        assert "Retry-After" in full.headers["access-control-expose-headers"]
        assert (
            "access-control-allow-origin" not in client.get("/v1/runs", headers={"Origin": "https://b.example"}).headers
        )
    with client_of(digits, doors=Doors(origins=frozenset({SITE}))) as client:
        made = client.post("/v1/samples", json={}, headers=from_there)
        shown = made.headers["access-control-expose-headers"].lower().split(", ")
        assert made.headers.get_list("access-control-allow-origin") == [SITE]
        assert {name for name in made.headers if name.startswith("x-zerosum-")} <= set(shown)
        assert {"x-zerosum-unknown", "x-zerosum-fit", "x-zerosum-precision"} <= set(shown)


def test_servers_on_one_host_keep_their_tokens_apart(digits: Path) -> None:
    kept: dict[str, str] = {}  # as browsers keep cookies: by host, whatever the port
    for port in (8000, 8001):
        with client_of(digits, doors=Doors(token=f"token{port}")) as client:
            entered = client.get(f"/?token=token{port}", headers={"Host": f"localhost:{port}"})
            (one,) = SimpleCookie(entered.headers["set-cookie"]).values()
            kept[one.key] = one.value
    for port in (8000, 8001):
        with client_of(digits, doors=Doors(token=f"token{port}")) as client:
            sent = {"Host": f"localhost:{port}", "Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
            assert client.get("/v1/runs", headers=sent).status_code == 200
            assert client.get("/v1/runs", headers=sent | {"Host": "localhost:9"}).status_code == 401


def test_refusals_do_not_say_where_runs_lie(digits: Path, tmp_path: Path, logged: io.StringIO) -> None:
    run = tmp_path / "secret-place" / "mine"
    shutil.copytree(digits, run)
    figure = {"metric": "fid", "title": "FID", "value": 7.0, "better": "lower", "settings": "", "floor": 0.5}
    protocol = {
        "extractor": "pixels",
        "sees": "The pixels.",
        "data": f"{tmp_path}/secret-place/photos",
        "split": "test",
    }
    protocol |= {"real": 9, "against": "train", "fake": 9, "size": "1x8x8", "resizer": "none", "seed": 0}
    figure |= {"interval": None, "notes": []}
    (run / "evaluation.json").write_text(
        json.dumps({"round": 2, "protocol": protocol, "figures": [figure], "notes": []})
    )
    weights = max(run.glob("checkpoints/*")) / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with client_of(run) as client:
        refused = client.post("/v1/samples", json={})
        assert refused.status_code == 503
        assert "is damaged" in refused.json()["detail"]
        assert "mine/checkpoints/" in refused.json()["detail"]
        said = [
            refused.text,
            client.get("/v1/model").text,
            client.get("/v1/runs/0/live").text,
            client.get("/training").text,
        ]
        assert "ones of photos, split test" in said[2]
    assert not [text for text in said if "secret-place" in text]
    assert str(weights) in logged.getvalue(), "whoever runs the server learns it"


@pytest.mark.parametrize("token", ["a+b/c==", "50%&x=1", 'q"u;o,te'])
def test_the_printed_address_lets_in_whatever_the_token(
    token: str, digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(serve.TOKEN, token)
    monkeypatch.setattr(
        "zerosum.server.listen.listen", lambda service, place, grace, started: (started(), place.close())
    )
    assert main(["serve", str(digits), "--port", "0"]) == 0
    printed = urlsplit(capsys.readouterr().out.strip())
    with client_of(digits, doors=Doors(token=token)) as client:
        assert client.get(f"/?{printed.query}").status_code == 303
        assert client.get("/v1/runs").status_code == 200, "the cookie lets in"


@pytest.mark.parametrize("token", ["with space", "tökén", "line\n"])
def test_a_token_that_no_header_carries_is_refused(
    token: str, digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(serve.TOKEN, token)
    monkeypatch.setattr("zerosum.server.listen.listen", lambda service, place, **_: place.close())
    assert main(["serve", str(digits), "--port", "0"]) == 2
    assert "ZEROSUM_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", ["*", "example.org", "https://a.example/path", "https://", "ftp://a.example", "runs/a"]
)
def test_what_is_no_site_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--allow-origin"):
        origin(given)


@pytest.mark.parametrize("given", ["*", "https://gan.lan", "gan.lan:8000", "gan lan", ""])
def test_what_is_no_name_of_a_host_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--allow-host"):
        host_name(given)


def test_sites_and_names_are_compared_as_browsers_send_them(
    digits: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        "zerosum.server.listen.listen", lambda service, place, **_: (made.append(service), place.close())
    )
    flags = ["--allow-origin", "https://A.example/", "--allow-host", "GAN.lan."]
    assert main(["serve", str(digits), "--port", "0", *flags]) == 0
    with client_of(digits, doors=made[0].doors) as client:
        assert client.post("/v1/samples", json={}, headers={"Origin": SITE, "Host": "gan.lan:8000"}).status_code == 200
    assert main(["serve", str(digits), "--port", "0", "--allow-origin", "*"]) == 2
    assert "--allow-origin" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["a" * 70, "x..y"])
def test_what_is_no_host_is_one_sentence(host: str) -> None:
    with pytest.raises(InputError, match="--host"):
        bind(host, 0)


def test_a_port_is_taken_before_requests_are_answered() -> None:
    first = bind("127.0.0.1", 0)
    try:
        with pytest.raises(InputError, match="--port"):
            bind("127.0.0.1", first.getsockname()[1])
        with socket.create_connection(first.getsockname(), timeout=5):
            pass
    finally:
        first.close()
