"""Requests for samples, answered without the framework's routing and dependencies, which cost half of a small sample.

A body that the route's model takes is answered here by the function of the route; any other goes on to the route, which
says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zerosum.errors import ZerosumError

Refused = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True)
class Shortcut:
    """A route's model of a body, and its function."""

    model: type[BaseModel]
    answer: Callable[[Any], Awaitable[Response]]


class FastPath:
    """ASGI middleware that answers some routes by itself.

    Args:
        app: answers everything else.
        shortcuts: by path.
        refused: makes an answer of an error of ours.
    """

    def __init__(self, app: ASGIApp, shortcuts: Mapping[str, Shortcut], refused: Refused) -> None:
        self.app, self.shortcuts, self._refused = app, dict(shortcuts), refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or leave it to the application."""
        found = self.shortcuts.get(scope.get("path", "")) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST" or not _is_json(scope):
            await self.app(scope, receive, send)
            return
        message = await receive()
        asked = None if message.get("more_body") else _taken(found.model, message.get("body", b""))
        if asked is None:
            await self.app(scope, _again(message, receive), send)
            return
        scope["route"] = found
        try:
            answer = await found.answer(asked)
        except ZerosumError as error:
            answer = await self._refused(Request(scope), error)
        await answer(scope, receive, send)


def _is_json(scope: Scope) -> bool:
    return any(name == b"content-type" and value == b"application/json" for name, value in scope["headers"])


def _taken(model: type[BaseModel], body: bytes) -> BaseModel | None:
    """Return what a body asks for, or None where it is not a body of that model."""
    try:
        return model.model_validate_json(body)
    except ValidationError:
        return None


def _again(message: Message, receive: Receive) -> Receive:
    """Return what gives a message that was received already, and then what comes."""
    pending = [message]

    async def receiving() -> Message:
        return pending.pop() if pending else await receive()

    return receiving
