"""Clients that send too much, read nothing, or all ask for the same at once."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.server.conftest import client_of
from tests.test_hostile_names import SPEC
from zerosum.server import live
from zerosum.server.answers import Answer
from zerosum.server.bodies import PIECE, TooLargeError, paced, read_body
from zerosum.server.guard import Guard
from zerosum.server.limits import Doors, Limits, Metrics
from zerosum.server.live import LiveRun
from zerosum.server.model import Model
from zerosum.server.service import Served, Service

Messages = list[dict[str, Any]]


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_answers_are_sent_in_pieces(size: int) -> None:
    sent: Messages = []

    async def send(message: Any) -> None:
        sent.append(message)

    body = bytes(number % 251 for number in range(size))
    asyncio.run(paced(send)({"type": "http.response.body", "body": body}))
    assert b"".join(one["body"] for one in sent) == body
    assert max(len(one["body"]) for one in sent) <= PIECE
    assert [one.get("more_body", False) for one in sent] == [True] * (len(sent) - 1) + [False]


def test_whoever_does_not_read_keeps_a_place_until_the_time_is_over() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(9 * PIECE)})

    async def whole() -> None:
        guard = Guard(application, doors=Doors(), limits=Limits(seconds=0.3), metrics=Metrics())
        taken: Messages = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:  # as a socket that is full
            if len(taken) == 2:
                await asyncio.Event().wait()
            taken.append(message)

        headers = [(b"host", b"localhost")]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        answering = asyncio.create_task(guard(scope, receive, send))
        await asyncio.sleep(0.1)
        assert (guard.active, sum(len(one.get("body", b"")) for one in taken)) == (1, PIECE)
        await answering
        assert guard.active == 0

    asyncio.run(whole())


def test_a_body_that_is_too_large_is_read_to_its_end_and_not_kept() -> None:
    left = [b"x" * 10] * 20

    async def receive() -> Any:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    with pytest.raises(TooLargeError):
        asyncio.run(read_body({"headers": []}, receive, 100))
    assert left == []


def test_a_body_that_waits_to_be_asked_for_is_refused_by_its_length() -> None:
    async def receive() -> Any:
        raise AssertionError

    headers = [(b"content-length", b"101"), (b"expect", b"100-continue")]
    with pytest.raises(TooLargeError):
        asyncio.run(read_body({"headers": headers}, receive, 100))


def test_a_run_is_read_once_for_all_who_ask_meanwhile(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = live.read, []

    def slowly(path: Path) -> Any:
        asked.append(path)
        time.sleep(0.3)
        return read(path)

    monkeypatch.setattr(live, "read", slowly)
    run = Served(0, Model(digits, device="cpu"), LiveRun(digits))

    async def several() -> list[Any]:
        service = Service(runs=[run])
        hasty = asyncio.create_task(service.look(run))
        others = [asyncio.create_task(service.look(run)) for _ in range(8)]
        await asyncio.sleep(0.1)
        hasty.cancel()
        return await asyncio.gather(*others)

    found = asyncio.run(several())
    assert len(asked) == 1
    assert {stamp for stamp, _ in found} == {run.live.stamp()}
    assert found[0][1]["title"] == "dcgan on digits"


def test_long_labels_are_named_in_the_headers_and_stand_in_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"attribute {number}, as it is called" for number in range(300)]
    about = {"format": 2, "recipe": "cgan", "spec": {**SPEC, "classes": [], "class_counts": [], "attributes": names}}
    about |= {"config": {}, "training": {}, "data_options": {}, "data": {"source": "x"}}
    (tmp_path / "run.json").write_text(json.dumps(about))

    def sample(self: Model, wanted: Any, chosen: Any) -> list[Answer]:
        return [self.answer(Image.new("L", (4, 4)), seed=0, chosen=chosen)]

    monkeypatch.setattr(Model, "sample", sample)
    with client_of(tmp_path) as client:
        label = ",".join(f'"{name}"' for name in names)
        made = client.post("/v1/samples", json={"controls": {"label": label}})
        assert (made.status_code, made.headers["x-zerosum-left-out"]) == (200, "controls")
        assert sum(len(name) + len(value) for name, value in made.headers.items()) < 4000
        assert json.dumps({"label": label}).encode() in made.content
        short = client.post("/v1/samples", json={"controls": {"label": "none"}})
        assert json.loads(short.headers["x-zerosum-controls"]) == {"label": "none"}
        assert "x-zerosum-left-out" not in short.headers
        endless = client.post("/v1/samples", json={"controls": {"label": "0," * 10**6}})
        assert (endless.status_code, len(endless.text) < 600) == (422, True)
