"""A run as a notebook shows it: its newest preview, and where it stands. Names from outside are escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zerosum.run.history import History
from zerosum.text import is_whole

WIDEST = 640
"""Pixels that a picture takes in a notebook."""


def html(path: Path, about: Mapping[str, Any], history: History) -> str:
    """Return a caption and the newest preview as HTML, the picture inside."""
    played = history[-1]["round"] if history else 0
    of = f"{about.get('recipe')} on {(about.get('data') or {}).get('source')}"
    caption = Markup("<div><b>{}</b>: {}, round {:,}</div>").format(str(path), of, played)
    pictures = sorted(picture for picture in (path / "samples").glob("*.png") if is_whole(picture.stem))
    if not pictures:
        return str(caption)
    shown = base64.b64encode(pictures[-1].read_bytes()).decode()
    style = f"max-width: min({WIDEST}px, 100%)"
    return str(caption + Markup('<img alt="samples" style="{}" src="data:image/png;base64,{}">').format(style, shown))
