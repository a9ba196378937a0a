"""Bodies of requests and of answers, of which no more is held than a bound, however slowly others send or read."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

PIECE = 2**16
"""Bytes of an answer that are handed to the socket together."""

DISCARDED = 16
"""Times the limit up to which a body is read to its end: whoever still sends does not read why it is refused."""


class TooLargeError(Exception):
    """A body has more bytes than are taken."""


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes:
    """Read a body; of one that is too large nothing is kept.

    Raises:
        TooLargeError: it has more than `most` bytes.
        ClientDisconnect: whoever sends it has gone.
    """
    headers = dict(scope["headers"])
    if b"expect" in headers and int(headers.get(b"content-length", b"0")) > most:
        raise TooLargeError  # it is not sent before it is asked for
    parts, size, more = [], 0, True
    while more and size <= DISCARDED * most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > most:
            parts.clear()
    if size > most:
        raise TooLargeError
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what a route receives: the body that was read, and then what comes."""
    pending = [body]

    async def again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return again


def paced(send: Send) -> Send:
    """Return what sends answers piece by piece, each once the socket has room: whoever does not read holds one."""

    async def sending(message: Message) -> None:
        body = message.get("body", b"")
        starts = range(0, len(body), PIECE)
        for start in starts[:-1]:
            await send({**message, "body": body[start : start + PIECE], "more_body": True})
        await send({**message, "body": body[starts[-1] :]} if starts else message)

    return sending
