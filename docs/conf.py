"""The site: Sphinx reads docs/*.md; pages of the reference are written before by `pages.reference`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import guides, llms, notebooks, reference
from zerosum import __version__

DOCS = Path(__file__).parent
reference.write(DOCS / "reference")
llms.write(DOCS, DOCS / "_built")
notebooks.write(DOCS / "_built" / "notebooks")

project = "zerosum"
author = "the authors of zerosum"
release = version = __version__
html_title = "zerosum"
project_copyright = "the authors of zerosum, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_built", "_site"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_block"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # printed logs are no language

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_built/llms.txt", "_built/llms-full.txt"]
html_show_sphinx = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5cad", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#6cb6ff", "color-brand-content": "#6cb6ff"},
}


ACCESSIBLE = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}
"""What readers with a keyboard or a screen reader need: levels of headings, and regions that scroll without a mouse."""


def setup(app: Any) -> None:
    """Connect what Sphinx calls for each docstring, each source and each page."""

    def escape(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
        """Keep the stars of shapes such as (n, *shape) from being read as emphasis."""
        lines[:] = [line if line.lstrip().startswith(">>>") else line.replace("*", "\\*") for line in lines]

    def offer_notebook(app: Any, name: str, source: list[str]) -> None:
        page = name.removeprefix("guides/")
        if page in guides.GUIDES_WITH_COMMANDS and page != name:
            source[0] += f"\nThis page {{download}}`as a notebook <../_built/notebooks/{page}.ipynb>`.\n"

    def make_accessible(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
        for part in ("body", "furo_navigation_tree"):
            for found, made in ACCESSIBLE.items():
                context[part] = (context.get(part) or "").replace(found, made)

    app.connect("autodoc-process-docstring", escape, priority=100)
    app.connect("source-read", offer_notebook)
    app.connect("html-page-context", make_accessible, priority=900)  # after the theme's own
