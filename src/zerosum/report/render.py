"""The report's templates, in which every value is escaped unless it is `Markup`."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

ENVIRONMENT = Environment(
    loader=PackageLoader("zerosum.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(name: str, **values: Any) -> Markup:
    """Fill in the template `name`."""
    return Markup(ENVIRONMENT.get_template(name).render(values))
