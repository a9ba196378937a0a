"""The playground's page as one HTML file, which opens from a disk and asks for nothing."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.resources import files
from typing import Any

from zerosum.doctor import signs

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
"""Scripts that train, measure and name settings, without a page; after the random numbers of exported pages."""

SIGNS = (
    "discriminator-overpowers",
    "divergence",
    "failure-to-converge",
    "learning-rates-far-apart",
    "mode-collapse",
)
"""Signs of the doctor that the page knows."""


def doctor() -> dict[str, Any]:
    """Return the thresholds and titles of the doctor's signs, as the page reads them: the modules' own constants."""
    modules = {name: import_module(f"zerosum.doctor.signs.{name.replace('-', '_')}") for name in SIGNS}
    thresholds = {name: _constants(module) for name, module in modules.items()}
    thresholds["windows"] = _constants(import_module("zerosum.doctor.signs.windows"))
    titles = {name: signs.find(name).title for name in SIGNS}
    return {"thresholds": thresholds, "titles": titles}


def script(names: tuple[str, ...]) -> str:
    """Return scripts of the page as one, after the random numbers that exported pages draw by."""
    own = files("zerosum.playground") / "page"
    shared = (files("zerosum.page") / "random.js").read_text(encoding="utf-8")
    return "\n".join(["'use strict';", shared, *((own / name).read_text(encoding="utf-8") for name in names)])


def _constants(module: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float | dict) and not name.startswith("_")
    }
