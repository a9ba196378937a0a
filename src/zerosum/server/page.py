"""HTML of the server: the studio of each run, and the documentation of the routes, without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

import zerosum
from zerosum.errors import InputError
from zerosum.page.render import WORDS, render
from zerosum.server.guard import CSP
from zerosum.server.routes import pixels_of
from zerosum.server.schema import MOST_SAMPLES
from zerosum.server.service import Served, Service

ENVIRONMENT = Environment(
    loader=PackageLoader("zerosum.server"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
"""The policy within an exported page, in whose place a header comes."""


async def page(service: Service, run: Served) -> Response:
    """Return the page that `zerosum export` writes of a run's model; that of its training where there is none."""
    try:
        model = await service.alone(run.model.describe)
    except InputError:
        model = None
    if model is None or model.task not in WORDS:
        return RedirectResponse(f"/runs/{run.number}/training", status_code=303)
    most = max(1, min(MOST_SAMPLES, service.limits.pixels // pixels_of(run.model.spec)))
    text = POLICY.sub("", render(model, engine="server"), count=1)
    links = ENVIRONMENT.get_template("links.html").render(runs=service.runs, number=run.number)
    text = text.replace("<body ", f'<body data-api="/v1/runs/{run.number}" data-most="{most}" ', 1).replace(
        "</header>", f"{links}</header>", 1
    )
    return secured(text)


async def training(service: Service, run: Served) -> HTMLResponse:
    """Return the page on how a run's training goes."""
    states = await _states(service)
    text = ENVIRONMENT.get_template("studio.html").render(
        titles=[(number, state["title"]) for number, state in states],
        number=run.number,
        state=states[run.number][1],
        generates=run.model.kind.task.given == "nothing",
        version=zerosum.__version__,
    )
    return secured(text)


async def together(service: Service) -> HTMLResponse:
    """Return the page on which the training of all runs stands side by side."""
    template = ENVIRONMENT.get_template("together.html")
    return secured(template.render(states=await _states(service), version=zerosum.__version__))


async def _states(service: Service) -> list[tuple[int, dict[str, Any]]]:
    return [(one.number, (await service.look(one))[1]) for one in service.runs]


def documentation(openapi: dict[str, Any]) -> HTMLResponse:
    """Return a page that lists the routes of an OpenAPI document."""
    found = [
        (method.upper(), path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = openapi.get("components", {}).get("schemas", {})
    return secured(ENVIRONMENT.get_template("docs.html").render(routes=found, schemas=schemas))


def secured(text: str) -> HTMLResponse:
    """Return a page whose own scripts and styles alone may run: those within it are named by their digests."""
    scripts, styles = (_digests(text, tag) for tag in ("script", "style"))
    return HTMLResponse(text, headers={"Content-Security-Policy": CSP.format(scripts=scripts, styles=styles)})


def _digests(text: str, tag: str) -> str:
    inside = re.findall(rf"<{tag}(?![^>]*\ssrc=)[^>]*>(.*?)</{tag}>", text, re.DOTALL)
    return "".join(f" 'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in inside)
