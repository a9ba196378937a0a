"""The process of a server: its socket, its signals, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from zerosum.errors import InputError
from zerosum.server.app import build
from zerosum.server.service import Service

NOISY = "uvicorn.error", "python_multipart"
"""Loggers with a line or a traceback for what clients send wrongly or leave unread; the guard logs what fails here."""


class _Server(uvicorn.Server):
    """A server that leaves signals to its caller, because uvicorn raises them again once it has ended."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InputError: the address is unknown or taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:  # of no host's form
        raise _refused(host, port, error) from None
    try:
        if os.name == "posix":  # elsewhere it lets two servers have one port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen()  # here, because two servers may be bound to a port on which neither listens yet
    except OSError as error:
        found.close()
        raise _refused(host, port, error) from None
    return found


def _refused(host: str, port: int, error: Exception) -> InputError:
    why = error.strerror if isinstance(error, OSError) else "no name of a host"
    return InputError(f"{host}:{port} cannot be listened on ({why}): name another --host or --port.")


def listen(service: Service, place: socket.socket, *, grace: int, started: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, then answer what is under way, for at most `grace` seconds; a second one ends it.

    Args:
        service: what is served.
        place: a bound socket.
        grace: seconds.
        started: called once requests are answered.
    """
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        build(service),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=grace,
    )
    asyncio.run(_serve(_Server(config), service, place, started))


async def _serve(server: uvicorn.Server, service: Service, place: socket.socket, started: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        service.draining = True
        server.force_exit, server.should_exit = server.should_exit, True

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    serving = asyncio.create_task(server.serve(sockets=[place]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0.01)
    if server.started:
        started()
    await serving
