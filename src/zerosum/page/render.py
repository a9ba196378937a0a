"""The page as one HTML file: template, style, scripts and parts, under a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zerosum.page.model import PageModel

Engine = Literal["onnx", "server"]

SHARED = ("app.js", "generate.js", "transform.js", "paint.js", "main.js")
SCRIPTS: dict[Engine, tuple[str, ...]] = {
    "onnx": ("random.js", "sentences.js", "gif.js", "dom.js", "engine_onnx.js", *SHARED),
    "server": ("random.js", "gif.js", "dom.js", "engine_server.js", "age.js", *SHARED),
}
"""Files that make up the page's one script. An engine's file defines `async makeEngine(model, part)`."""

WORDS = {
    "generate": (
        "None of these exist.",
        "Every picture is new: a network made it from random numbers, on your device.",
    ),
    "translate": ("A picture from a picture.", "Choose one, drop it here or paste it: a network makes another of it."),
    "upscale": (
        "The same, larger.",
        "Choose a small picture, drop it here or paste it: a network makes it {factor} times as large.",
    ),
    "paint": ("Say it, see it.", "Write what the pictures shall show: a network paints it, on your device."),
    "inpaint": ("Paint it away.", "Choose a picture, paint over a part of it, and a network fills the hole."),
}
"""Headline and lead by task."""

ABOUT: dict[Engine, str] = {
    "onnx": "The model is part of this page, and runs on your device. Nothing that you do here is sent anywhere.",
    "server": "The model runs on the server that this page came from.",
}

ENVIRONMENT = Environment(
    loader=PackageLoader("zerosum.page", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(
    model: PageModel, *, engine: Engine, parts: Mapping[str, bytes] | None = None, connects: bool | None = None
) -> str:
    """Return the page's HTML.

    Args:
        model: what it is of.
        engine: onnx computes in the browser; server asks the one that the page came from.
        parts: what the engine needs, by name, each compressed by gzip; put into the page as base64.
        connects: whether the page may fetch from where it came from; by default that of a server alone.
    """
    script = "'use strict';\n" + "\n".join(_text(name) for name in SCRIPTS[engine])
    style = _text("style.css")
    headline, lead = WORDS[model.task]
    connects = engine == "server" if connects is None else connects
    return ENVIRONMENT.get_template("page.html").render(
        model=model,
        engine=engine,
        headline=headline,
        lead=lead.format(factor=model.factor) if engine == "onnx" else lead.replace(", on your device", ""),
        about=ABOUT[engine],
        policy=policy(script, style, connects=connects),
        style=Markup(style),
        script=Markup(script),
        description=Markup(inert(model.to_json())),
        parts={name: Markup(base64.b64encode(part).decode()) for name, part in (parts or {}).items()},
    )


def policy(script: str, style: str, *, connects: bool) -> str:
    """Return a content security policy: this script and this style alone, WebAssembly, and no requests."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}' blob: 'wasm-unsafe-eval'",
            f"style-src '{_digest(style)}'",
            "img-src blob: data:",
            f"connect-src {chr(39)}{'self' if connects else 'none'}{chr(39)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def inert(text: str) -> str:
    r"""Escape JSON so that nothing in it can end the element that holds it.

    >>> inert('{"run": "</script>"}')
    '{"run": "\\u003c/script>"}'
    """
    return text.replace("<", "\\u003c")


def _text(name: str) -> str:
    return (files("zerosum.page") / name).read_text(encoding="utf-8")
