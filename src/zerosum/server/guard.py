"""What stands before every route: Host, Origin, token, sizes, rates, waiting places, deadlines, and safe headers."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zerosum.server.bodies import TooLargeError, paced, read_body, replayed
from zerosum.server.limits import Buckets, Doors, Limits, Metrics
from zerosum.text import is_whole

COOKIE = "zerosum_token"
"""Begins the name of the cookie that holds the token; the port follows."""
OPEN = ("/healthz", "/readyz")
"""Routes for which no token is asked."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NAMES = ("Seed", "Controls", "Run", "Round", "Precision", "Place", "Unknown", "Fit", "Left-Out")
SHOWN_TO_SITES = (
    *(f"X-Zerosum-{name}" for name in NAMES),
    "Retry-After",
)
"""Headers of answers that pages of other sites read, where --allow-origin names them."""

CSP = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; img-src 'self' data: blob:; "
    "media-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def refusal(status: int, sentence: str, **headers: str) -> JSONResponse:
    """Return an answer that says in a sentence why there is no other."""
    return JSONResponse({"detail": sentence}, status, {name.replace("_", "-"): text for name, text in headers.items()})


def is_own_name(host: str, hosts: Iterable[str]) -> bool:
    """Whether a Host header names this server: an address, which no foreign name leads to, localhost or a known name.

    >>> [is_own_name(host, ["gan.lan"]) for host in ("127.0.0.1:80", "[::1]:8000", "GAN.lan", "evil.example:8000", "")]
    [True, True, True, False, False]
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name in hosts
    return True


class Guard:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, *, doors: Doors, limits: Limits, metrics: Metrics) -> None:
        self.app, self.doors, self.limits, self.metrics = app, doors, limits, metrics
        self.active = 0
        self._buckets = Buckets(limits.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have a route answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._measured(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status, method = time.perf_counter(), 500, scope["method"]
        origin = Headers(scope=scope).get("origin")
        if method == "HEAD":  # which is answered as GET is, without the body; uvicorn's own scope stays as it is
            scope = {**scope, "method": "GET"}

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message), origin)
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._answer(scope, receive, sending)
        finally:
            route = re.sub(r"/previews/\d+$", "/previews/{at}", scope["path"]) if "route" in scope else "other"
            known = method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
            self.metrics.requests.labels(known, route, status).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - began)

    def _complete(self, headers: MutableHeaders, origin: str | None) -> None:
        """Add what every answer has; pages of sites that may ask also read refusals."""
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", CSP.format(scripts="", styles=""))
        headers.setdefault("Cache-Control", "no-store")
        if origin in self.doors.origins:
            headers.setdefault("Access-Control-Allow-Origin", origin or "")
            headers.setdefault("Access-Control-Expose-Headers", ", ".join(SHOWN_TO_SITES))
            headers.add_vary_header("Origin")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refused(scope)
        if answer is not None:
            await answer(scope, receive, send)
        elif not _changes(scope):
            await self._within_limits(scope, receive, send)
        elif self.active >= self.limits.waiting:
            sentence = f"{self.limits.waiting} requests are under way, and no more are taken on: ask again in a second."
            await refusal(503, sentence, Retry_After="1")(scope, receive, send)
        else:
            self.active += 1
            try:
                await self._within_limits(scope, receive, send)
            finally:
                self.active -= 1

    async def _within_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, send_paced = False, paced(send)

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send_paced(message)

        try:
            async with asyncio.timeout(self.limits.seconds):
                if _changes(scope):
                    receive = replayed(await read_body(scope, receive, self.limits.bytes), receive)
                await self.app(scope, receive, sending)
        except TooLargeError:
            sentence = f"The body has more than {self.limits.bytes:,} bytes: send less."
            await refusal(413, sentence, Connection="close")(scope, receive, send)
        except TimeoutError:
            if not started:
                sentence = f"It took more than {self.limits.seconds:g} seconds: ask for less, or later."
                await refusal(504, sentence)(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception:
            logging.getLogger("zerosum").exception("A request failed")
            if not started:
                await refusal(500, "The server failed on this request, and its log says why.")(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        """Return why a request is not let in, or None."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not is_own_name(host, self.doors.hosts):
            return refusal(421, "This server is not called by that name: see --allow-host.")
        changes = _changes(scope)
        own = origin is None or origin in (f"http://{host}", f"https://{host}") or origin in self.doors.origins
        foreign = origin is None and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if changes and (foreign or not own):
            return refusal(403, "Pages of other sites may not ask this server: see --allow-origin.")
        if self.doors.token is not None and scope["path"] not in OPEN and scope["method"] != "OPTIONS":
            query = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
            if scope["path"] == "/" and self._is_token(query):
                return self._with_cookie(host)
            if not self._is_token(_token_in(headers, host)):
                sentence = "A token is needed: open the address that the server printed, or send Authorization: Bearer."
                return refusal(401, sentence, WWW_Authenticate="Bearer")
        client = (scope.get("client") or ("",))[0]
        if changes and self.limits.rate and not self._buckets.takes(client):
            return refusal(429, f"More than {self.limits.rate:g} requests a second: ask more slowly.", Retry_After="1")
        return None

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), (self.doors.token or "").encode())

    def _with_cookie(self, host: str) -> Response:
        """Keep the token in a cookie, so that it stays out of addresses."""
        answer = RedirectResponse("./", status_code=303)
        answer.set_cookie(_cookie_of(host), self.doors.token or "", httponly=True, samesite="strict")
        return answer


def _changes(scope: Scope) -> bool:
    """Whether a request changes or computes something."""
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


def _cookie_of(host: str) -> str:
    """Name the cookie of a server: browsers send those of a host to all of its ports, and each has its own token."""
    port = host.rpartition(":")[2]
    return f"{COOKIE}_{port}" if is_whole(port) else COOKIE


def _token_in(headers: Headers, host: str) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return given.strip()
    try:
        kept = SimpleCookie(headers.get("cookie", "")).get(_cookie_of(host))
    except CookieError:
        return ""
    return "" if kept is None else kept.value
