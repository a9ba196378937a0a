"""Bounds of a server, who is let in, and its figures."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from zerosum.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request, and all together, may take."""

    waiting: int = 64
    """Requests that change or compute something, under way at once; more are refused with 503."""
    bytes: int = 16 * 2**20
    pixels: int = 2**22
    seconds: float = 60.0
    rate: float = 0.0
    """Such requests a second from one address; 0: any number."""


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Who is let in."""

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    """Names by which the server may be called, beside addresses and localhost."""
    origins: frozenset[str] = frozenset()
    """Other sites whose pages may ask, as https://example.org."""


def origin(given: str) -> str:
    """Return a site as browsers name it: in small letters, without a slash behind and without its scheme's own port.

    Raises:
        InputError: it is none.

    >>> origin("HTTPS://Example.org:443/"), origin("http://localhost:3000")
    ('https://example.org', 'http://localhost:3000')
    """
    scheme, _, rest = given.lower().removesuffix("/").partition("://")
    if scheme not in ("http", "https") or re.fullmatch(r"([\w.-]+|\[[\da-f:.]+\])(:\d+)?", rest, re.ASCII) is None:
        raise InputError(
            f"--allow-origin is {given}, which is no site: give scheme, name and port, such as https://example.org."
        )
    return f"{scheme}://{rest.removesuffix(':80' if scheme == 'http' else ':443')}"


def host_name(given: str) -> str:
    """Return a name by which browsers may call a server, as it is compared.

    Raises:
        InputError: it is none, as where a port or a scheme is given with it.

    >>> host_name("GAN.lan.")
    'gan.lan'
    """
    if re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", given, re.ASCII) is None:
        raise InputError(
            f"--allow-host is {given}, which is no name of a host: give it without scheme and port, such as gan.lan."
        )
    return given.lower().rstrip(".")


class Metrics:
    """Figures for Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("zerosum_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram("zerosum_request_seconds", "Time to answer.", ("route",), registry=self.registry)
        self.batch = Histogram(
            "zerosum_batch_size", "Items a batch.", buckets=(1, 2, 4, 8, 16, 32, 64), registry=self.registry
        )
        self.queued = Gauge("zerosum_queued_requests", "Requests that wait for the model.", registry=self.registry)


@dataclass
class Buckets:
    """A token bucket for each address that asks: `rate` a second, and as many as `2 * rate` at once."""

    rate: float
    held: dict[str, tuple[float, float]] = field(default_factory=dict)

    def takes(self, address: str) -> bool:
        """Take one from an address's bucket; return whether there was one."""
        now, burst = time.monotonic(), max(1.0, 2 * self.rate)
        if len(self.held) > 4096:
            self.held = {one: kept for one, kept in self.held.items() if now - kept[1] < burst / self.rate}
        left, since = self.held.get(address, (burst, now))
        left = min(burst, left + (now - since) * self.rate)
        self.held[address] = (left - (left >= 1), now)
        return left >= 1
