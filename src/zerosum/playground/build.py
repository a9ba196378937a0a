"""The playground's page as one HTML file, which opens from a disk and asks for nothing."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import zerosum
from zerosum.doctor import signs
from zerosum.page.render import inert, policy

ENGINE = (
    "matmul.js",
    "tape.js",
    "network.js",
    "objectives.js",
    "game.js",
    "data.js",
    "signs.js",
    "session.js",
    "settings.js",
    "lessons.js",
)
"""Scripts that train, measure and name settings, without a page."""

PAGE = ("draw.js", "show.js", "controls.js", "school.js", "app.js", "main.js")
"""Scripts of the page itself."""

SIGNS = (
    "discriminator-overpowers",
    "divergence",
    "failure-to-converge",
    "learning-rates-far-apart",
    "mode-collapse",
)
"""Signs of the doctor that the page knows."""

ENVIRONMENT = Environment(
    loader=PackageLoader("zerosum.playground", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page() -> str:
    """Return the page's HTML, under a policy that lets nothing else run and that allows no request."""
    text, style = script(ENGINE + PAGE), _shared("style.css") + _own("playground.css")
    return ENVIRONMENT.get_template("playground.html").render(
        policy=policy(text, style, connects=False),
        style=Markup(style),
        script=Markup(text),
        doctor=Markup(inert(json.dumps(doctor()))),
        version=zerosum.__version__,
    )


def doctor() -> dict[str, Any]:
    """Return the thresholds and titles of the doctor's signs, as the page reads them: the modules' own constants."""
    modules = {name: import_module(f"zerosum.doctor.signs.{name.replace('-', '_')}") for name in SIGNS}
    thresholds = {name: _constants(module) for name, module in modules.items()}
    thresholds["windows"] = _constants(import_module("zerosum.doctor.signs.windows"))
    return {"thresholds": thresholds, "titles": {name: signs.find(name).title for name in SIGNS}}


def script(names: tuple[str, ...]) -> str:
    """Return scripts of the page as one, after the random numbers and elements that exported pages have, too."""
    return "\n".join(["'use strict';", _shared("random.js"), _shared("dom.js"), *map(_own, names)])


def _shared(name: str) -> str:
    return (files("zerosum.page") / name).read_text(encoding="utf-8")


def _own(name: str) -> str:
    return (files("zerosum.playground") / "page" / name).read_text(encoding="utf-8")


def _constants(module: Any) -> dict[str, Any]:
    values = {name: value for name, value in vars(module).items() if name.isupper()}
    return {name: value for name, value in values.items() if isinstance(value, int | float | dict)}
