"""HTML built from parts: text is escaped unless it is HTML already, so nothing from outside can break a page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

Attributes = Mapping[str, str | int | float]


class Markup(str):
    """Text that is HTML already. Any other string is escaped on its way into a page."""

    __slots__ = ()


def tag(name: str, attributes: Attributes, *children: str) -> Markup:
    """Build one element; children that are plain strings are escaped, attributes always.

    >>> tag("p", {"class": "note"}, "1 < 2, ", tag("b", {}, "true"))
    '<p class="note">1 &lt; 2, <b>true</b></p>'
    """
    written = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items())
    if name in ("img", "path", "line", "circle", "rect", "meta"):
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Put parts one after the other, escaping those that are plain strings.

    >>> join("a & b", Markup("<br>"))
    'a &amp; b<br>'
    """
    return Markup("".join(child if isinstance(child, Markup) else escape(str(child)) for child in children))


def png(content: bytes, attributes: Attributes) -> Markup:
    """Build an image element that carries the PNG within itself."""
    return tag("img", {**attributes, "src": "data:image/png;base64," + base64.b64encode(content).decode()})
