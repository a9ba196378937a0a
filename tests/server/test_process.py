"""A server in a process of its own: its end, its bounds, and what it bears."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Start = Callable[..., tuple[subprocess.Popen[str], http.client.HTTPConnection, str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `zerosum serve` on a free port; ends what is left of it."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: object, log: Any = None) -> tuple[subprocess.Popen[str], http.client.HTTPConnection, str]:
        command = [sys.executable, "-m", "zerosum", "serve", *map(str, arguments), "--port", "0", "--device", "cpu"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        started.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        port = int(address.split(":")[2].split("/")[0])
        until(lambda: ask(connect(port), "GET", "/readyz")[0] == 200)
        return process, connect(port), address

    yield serve
    for process in started:
        process.kill()
        process.wait()


def connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def until(met: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < ends
        time.sleep(0.1)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def half_sent(port: int) -> http.client.HTTPConnection:
    """A request under way: its headers are sent, its body of 2 bytes is not."""
    connection = connect(port)
    connection.putrequest("POST", "/v1/samples")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "2")
    connection.endheaders()
    time.sleep(0.5)
    return connection


def test_sigterm_answers_what_is_under_way_and_exits_0(start: Start, digits: Path) -> None:
    process, connection, _ = start(digits)
    under_way = half_sent(connection.port)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    with pytest.raises(ConnectionRefusedError):
        ask(connect(connection.port), "GET", "/healthz")
    under_way.send(b"{}")
    answer = under_way.getresponse()
    assert (answer.status, answer.read()[:4]) == (200, b"\x89PNG")
    assert process.wait(timeout=20) == 0


def test_a_second_signal_ends_it_at_once(start: Start, digits: Path) -> None:
    process, connection, _ = start(digits)
    under_way = half_sent(connection.port)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    under_way.close()


def test_a_full_server_says_when_to_ask_again(start: Start, digits: Path) -> None:
    _, connection, _ = start(digits, "--most-waiting", 1)
    under_way = half_sent(connection.port)
    status, body, headers = ask(connection, "POST", "/v1/samples", "{}", Content_Type="application/json")
    assert (status, headers["Retry-After"]) == (503, "1"), body
    assert ask(connection, "GET", "/healthz")[0] == 200
    under_way.send(b"{}")
    assert under_way.getresponse().status == 200


def test_one_seed_makes_equal_bytes_for_every_client_under_load(start: Start, digits: Path) -> None:
    _, connection, _ = start(digits)

    def client(number: int) -> list[bytes]:
        own, draws, kept = connect(connection.port), random.Random(number), []
        for _ in range(15):
            seeds = [draws.randrange(100) for _ in range(draws.randrange(1, 9))]
            ask(own, "POST", "/v1/samples", f'{{"seeds": {seeds}}}', Content_Type="application/json")
            kept.append(ask(own, "POST", "/v1/samples", '{"seeds": [42]}', Content_Type="application/json")[1])
        return kept

    with ThreadPoolExecutor(8) as pool:
        made = {content for kept in pool.map(client, range(8)) for content in kept}
    assert len(made) == 1


def test_beyond_this_machine_a_token_is_needed(start: Start, digits: Path) -> None:
    _, connection, address = start(digits, "--host", "0.0.0.0")
    token = address.partition("token=")[2]
    assert len(token) >= 32
    assert ask(connection, "GET", "/v1/runs")[0] == 401
    assert [ask(connection, "HEAD", "/healthz")[:2] for _ in range(2)] == [(200, b"")] * 2, "one connection bears both"
    assert ask(connection, "GET", "/v1/runs", Authorization=f"Bearer {token}")[0] == 200
    assert ask(connection, "GET", "/v1/runs", Authorization=f"Bearer {token}", Host="evil.example")[0] == 421
    evil = {"Origin": "http://evil.example", "Authorization": f"Bearer {token}"}
    assert ask(connection, "POST", "/v1/samples", "{}", **evil)[0] == 403


def test_a_thousand_bad_requests_leave_it_alive_and_no_larger(start: Start, digits: Path, painting: Path) -> None:
    process, connection, _ = start(digits, painting, "--most-bytes", 10_000)
    draws, computing = random.Random(0), ("/v1/samples", "/v1/latents", "/v1/runs/1/paint")
    bodies = [
        b"{",
        b"\x00" * 9_000,
        b'{"seeds":' + b"[" * 4_000,
        b'{"seeds": [1e999]}',
        b'{"controls": {"a": "\\ud800"}}',
        b'{"text": "\\ud800"}',
        b'{"text": " "}',
        b'{"text": "' + b"\xc3" * 2_000 + b'"}',
        b'{"text": "red", "n": 1e9}',
    ]

    def bad() -> None:
        own = connect(connection.port)
        path = draws.choice([*computing, "/v1/runs/0/stop", "/%00", "/v1/runs/0/previews/..%2f..%2f"])
        try:
            status, _, _ = ask(own, draws.choice(["POST", "PUT", "GET"]), path, draws.choice([*bodies, b" " * 20_000]))
            assert status < 500
        except (ConnectionError, http.client.HTTPException):  # it need not read a body to its end
            pass
        own.close()

    for _ in range(200):
        bad()
    before = resident(process.pid)
    for _ in range(1000):
        bad()
    assert resident(process.pid) - before < 8 * 2**20
    assert ask(connection, "POST", "/v1/samples", "{}", Content_Type="application/json")[0] == 200


def test_what_clients_send_wrongly_is_answered_and_no_line_of_the_log(
    start: Start, digits: Path, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as log:
        process, connection, _ = start(digits, "--most-bytes", 100_000, log=log)
    large = ask(connection, "POST", "/v1/samples", b" " * 1_000_000, Content_Type="application/json")
    assert (large[0], b"more than 100,000 bytes" in large[1]) == (413, True)
    form = {"Content_Type": "multipart/form-data; boundary=x"}
    assert ask(connect(connection.port), "POST", "/v1/samples", b"y\r\n", **form)[0] == 422
    with socket.create_connection(("127.0.0.1", connection.port)) as junk:
        junk.sendall(b"\0\r\n\r\n")
        assert b"400" in junk.recv(100)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert (tmp_path / "log").read_text() == "Ctrl-C stops it once what is under way is answered.\n"


def test_it_holds_nothing_that_only_other_commands_need(start: Start, digits: Path) -> None:
    process, connection, _ = start(digits)
    assert ask(connection, "POST", "/v1/samples", "{}", Content_Type="application/json")[0] == 200
    mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert "/torch/" in mapped
    assert [name for name in ("scipy/", "sklearn", "pandas", "onnxruntime") if f"/{name}" in mapped] == []


def resident(number: int) -> int:
    return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_no_request_that_fits_the_schema_or_does_not_is_a_server_error(
    start: Start, digits: Path, painting: Path
) -> None:
    pytest.importorskip("schemathesis")
    _, connection, _ = start(digits, painting)
    where = f"http://127.0.0.1:{connection.port}/openapi.json"
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", where]
    command += ["--checks", "not_a_server_error", "--max-examples", "20", "--phases", "examples,coverage,fuzzing"]
    done = subprocess.run([*command, "--exclude-path", "/readyz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert ask(connection, "GET", "/healthz")[0] == 200


def test_a_run_in_progress_is_followed_and_stopped(start: Start, tmp_path: Path) -> None:
    run = tmp_path / "run"
    flags = "--recipe dcgan --width 4 --batch 8 --rounds 100000 --save-every 5 --preview-every 5 --log-every 5"
    command = [sys.executable, "-m", "zerosum", "train", "digits", "--run", run, *flags.split(), "--device", "cpu"]
    training = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        until(lambda: (run / "samples" / "00000005.png").exists())
        _, connection, _ = start(run)
        status, body, headers = ask(connection, "GET", "/v1/runs/0/live")
        assert status == 200
        assert b'"training":true' in body
        until(lambda: ask(connection, "GET", "/v1/runs/0/live", If_None_Match=headers["ETag"])[0] == 200)
        first = ask(connection, "POST", "/v1/samples", "{}", Content_Type="application/json")[2]["X-Zerosum-Run"]
        until(lambda: ask(connection, "POST", "/v1/samples", "{}")[2]["X-Zerosum-Run"] != first)
        assert ask(connection, "POST", "/v1/runs/0/save")[0] == 200
        until(lambda: not (run / "save-requested").exists())
        assert training.poll() is None
        assert (
            ask(connection, "POST", "/v1/runs/0/stop", '{"confirm": true}', Content_Type="application/json")[0] == 200
        )
        assert training.wait(timeout=60) == 130
        connection.close()  # an idle one is closed by the server after five seconds
        assert b'"training":false' in ask(connection, "GET", "/v1/runs/0/live")[1]
    finally:
        training.kill()
        training.wait()
