"""`zerosum serve`: trained runs behind HTTP, and a page that shows them while they are trained."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

import tyro
from annotated_types import Interval
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from zerosum.cli import flags
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.run.directory import Which
from zerosum.runtime.device import has_bfloat16, pick_device
from zerosum.runtime.terminal import say, tell

if TYPE_CHECKING:
    from zerosum.server.service import Service

EXTRA = "zerosum serve needs FastAPI and uvicorn: pip install 'zerosum[serve]'"
TOKEN = "ZEROSUM_TOKEN"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Serve(BaseConfig):
    """Serve trained runs over HTTP, with a page that also shows a run while it is trained."""

    run: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN ...")]
    """Run directories that `zerosum train` made; those still trained are followed."""

    host: str = "127.0.0.1"
    """Address to listen on. Any but this machine's own needs a token, which is printed; ZEROSUM_TOKEN sets it."""

    port: Annotated[int, Interval(ge=0, le=65535)] = 8000
    """Port; 0 takes a free one."""

    checkpoint: Which = "newest"
    """Which checkpoint: the newest, the best by the evaluations of `zerosum train --evaluate-every`, or that of a
    round, such as 5000; `zerosum train --keep` says how many are kept."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the networks. float32: the pictures of `zerosum sample`, pixel by pixel. bfloat16: faster where the
    device has units for it, and pictures a few levels of 255 from those."""

    most_at_once: PositiveInt = 32
    """Samples that go through the model together; waiting requests are gathered, none is held back for others."""

    most_waiting: PositiveInt = 64
    """Requests under way at once; more get 503 and Retry-After."""

    most_pixels: PositiveInt = 2**22
    """Pixels that a request may send or ask for."""

    most_bytes: PositiveInt = 2**24
    """Bytes of a request's body."""

    seconds: PositiveFloat = 60.0
    """Time that a request may take, and that requests under way have after SIGTERM."""

    rate: NonNegativeFloat | None = None
    """Requests a second that one address may make, twice as many at once; 0: any number. By default 20, and any number
    from this machine alone."""

    allow_host: tuple[str, ...] = ()
    """Names by which browsers may call the server, beside addresses and localhost."""

    allow_origin: tuple[str, ...] = ()
    """Other sites whose pages may ask, such as https://example.org."""

    recipe: str | None = None
    """For runs of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> None:
    """Serve until interrupted."""
    given: Serve = flags.parse(Serve, arguments, prog="zerosum serve").checked()
    if not given.run:
        raise InputError("No run was given: type zerosum serve and the folder that `zerosum train` made.")
    try:
        from zerosum.server.listen import bind, listen
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("zerosum"):
            raise
        raise InputError(f"{EXTRA} ({error.name} is missing).") from None
    local = _is_local(given.host)
    token = _token() or (None if local else secrets.token_urlsafe(24))
    service = _service(given, token, local=local)
    if given.precision == "bfloat16" and not has_bfloat16(pick_device(given.device)):
        tell("This device has no units for bfloat16, and float32 is faster on it: leave out --precision bfloat16.")
    place = bind(given.host, given.port)
    host = f"[{given.host}]" if ":" in given.host else given.host
    address = f"http://{host}:{place.getsockname()[1]}/" + (f"?token={quote(token, safe='')}" if token else "")

    def started() -> None:
        say(address)
        tell(
            "Ctrl-C stops it once what is under way is answered." + ("" if local else " Anyone with the token may ask.")
        )

    listen(service, place, grace=max(1, round(given.seconds)), started=started)


def _service(given: Serve, token: str | None, *, local: bool) -> Service:
    """Return the state of a server of the runs that are given."""
    from zerosum.server.limits import Doors, Limits, host_name, origin
    from zerosum.server.live import LiveRun
    from zerosum.server.model import Model
    from zerosum.server.service import Served, Service

    doors = Doors(
        token=token,
        hosts=frozenset([*map(host_name, given.allow_host), given.host.lower()]),
        origins=frozenset(map(origin, given.allow_origin)),
    )

    def model(path: Path) -> Model:
        return Model(path, recipe=given.recipe, device=given.device, which=given.checkpoint, precision=given.precision)

    return Service(
        runs=[Served(number, model(path), LiveRun(path)) for number, path in enumerate(given.run)],
        limits=Limits(
            waiting=given.most_waiting,
            bytes=given.most_bytes,
            pixels=given.most_pixels,
            seconds=given.seconds,
            rate=given.rate if given.rate is not None else (0 if local else 20),
        ),
        doors=doors,
        most_at_once=given.most_at_once,
    )


def _token() -> str | None:
    """Return the token that is set, if one is.

    Raises:
        InputError: no header carries it.
    """
    found = os.environ.get(TOKEN) or None
    if found is not None and re.fullmatch("[!-~]+", found) is None:
        raise InputError(
            f"{TOKEN} holds spaces or characters beyond ASCII, which programs cannot send: set one such as "
            "`openssl rand -hex 24` prints."
        )
    return found


def _is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
