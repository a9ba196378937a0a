"""Built pages in a real Chromium: axe-core finds nothing serious, and no page is wider than its window.

Three pages are tried wherever the site is built, all of them by `make slow`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Browser
from tests.browser.test_playground import WIDTHS, opened, size
from tests.browser.test_playground import page as page  # a fixture

SITE = Path(__file__).parents[2] / "docs" / "_site"
SAMPLE = ("index.html", "results.html", "reference/commands/train.html")
AXE = """const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations
  .filter((one) => one.impact === "serious" || one.impact === "critical")
  .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" ")}`)))"""


def violations(browser: Browser) -> list[str]:
    """Return what axe-core calls serious or critical on the page that is open."""
    script = Path(os.environ.get("ZEROSUM_AXE", "node_modules/axe-core/axe.min.js"))
    if not script.exists():
        pytest.skip("needs axe-core: npm install axe-core, and ZEROSUM_AXE=.../axe.min.js")
    browser.driver.execute_script(script.read_text(encoding="utf-8"))
    browser.driver.set_script_timeout(120)
    found: list[str] = browser.driver.execute_async_script(AXE)
    return found


@pytest.fixture
def site() -> Path:
    if not (SITE / "index.html").exists():
        pytest.skip("needs the built site: make docs")
    return SITE


def faults(browser: Browser, site: Path, name: str, width: int, scheme: str) -> list[str]:
    """Return what is wrong with a page at a width of the window."""
    size(browser, width, scheme)
    browser.driver.get((site / name).as_uri())
    found = violations(browser)
    wide: Any = browser.run("return document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"{wide} pixels wide")
    return [f"{name}, window of {width}, {scheme}: {fault}" for fault in found]


def test_a_few_pages_are_accessible(browser: Browser, site: Path):
    tried = zip(SAMPLE, WIDTHS, ("light", "dark", "light"), strict=True)
    assert [fault for name, width, scheme in tried for fault in faults(browser, site, name, width, scheme)] == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(scheme: str, browser: Browser, site: Path):
    """Each page at two of three widths, and at the third in the other scheme."""
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert {"index.html", "guides/photos.html", "genindex.html"} <= set(names)
    found = []
    for number, name in enumerate(names):
        left_out = WIDTHS[(number + (scheme == "dark")) % len(WIDTHS)]
        for width in (width for width in WIDTHS if width != left_out):
            found += faults(browser, site, name, width, scheme)
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["", "lesson=collapse"])
def test_the_playground_is_accessible_at_three_sizes(lesson: str, scheme: str, browser: Browser, page: Path):
    for width in WIDTHS:
        size(browser, width, scheme)
        opened(browser, page, lesson)
        assert violations(browser) == [], f"{width} {scheme}"
