"""Names from outside in Markdown, HTML and YAML: as they are read, never as markup."""

from __future__ import annotations

import json
import re

from zerosum.text import one_line, shown


def plain(text: object) -> str:
    r"""Return text on one line, of characters that are seen; others are escaped.

    >>> plain("a\nb\u202e\ufeff")
    'a\\nb\\u202e\\ufeff'
    """
    said = one_line(shown(str(text)))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in said)


def markdown(text: object) -> str:
    r"""Escape text for a line or a table of Markdown.

    >>> markdown("<b>[x](y) a|b_*c"), markdown("0.5 to 1.25, a-b")
    ('&lt;b&gt;\\[x\\]\\(y\\) a\\|b\\_\\*c', '0.5 to 1.25, a-b')
    """
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"([\\`*_{}\[\]()#+!|~$@])", r"\\\1", safe)
    safe = re.sub(r"(?i)\b(https?|ftp|mailto|www)([:.])", r"\1&#8203;\2", safe)
    safe = re.sub(r"^(\s*)([-=])", r"\1\\\2", safe)
    return re.sub(r"^(\s*\d+)\.(?=\s|$)", r"\1\\.", safe)


def yaml(value: object) -> str:
    r"""Write a value as YAML on one line: JSON, which YAML contains, with `<` and unprintable characters escaped.

    Escaping `<` keeps markup inert where the metadata are shown as Markdown.

    >>> yaml({"name": "a\": <b>\n---"})
    '{"name": "a\\": \\u003cb>\\\\n---"}'
    """
    return json.dumps(_plain(value), ensure_ascii=False).replace("<", "\\u003c")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {plain(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return plain(value) if isinstance(value, str) else value
