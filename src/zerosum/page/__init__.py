"""The page on which a model is used: by an engine in the visitor's browser, or by one of a server."""

from __future__ import annotations

from zerosum.page.model import Control, Figure, Noise, PageModel, describe
from zerosum.page.render import Engine, render

__all__ = ["Control", "Engine", "Figure", "Noise", "PageModel", "describe", "render"]
