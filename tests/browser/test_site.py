"""Built pages in a real Chromium: axe-core finds nothing serious, and no page is wider than its window."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Browser
from tests.browser.test_playground import WIDTHS, opened, size
from tests.browser.test_playground import page as page  # a fixture

pytestmark = pytest.mark.slow

SITE = Path(__file__).parents[2] / "docs" / "_site"
PAGES = (
    "index.html",
    "guides/photos.html",
    "guides/two-gans.html",
    "concepts/game.html",
    "reference/recipes/wgan_gp.html",
    "reference/commands/train.html",
    "reference/python.html",
    "benchmarks.html",
    "faq.html",
)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_at_three_sizes(name: str, scheme: str, browser: Browser, site: Path):
    for width in WIDTHS:
        size(browser, width, scheme)
        browser.driver.get((site / name).as_uri())
        assert violations(browser) == [], f"{name} {width} {scheme}"
        wide: Any = browser.run("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} pixels wide in a window of {width}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["", "lesson=collapse"])
def test_the_playground_is_accessible_at_three_sizes(lesson: str, scheme: str, browser: Browser, page: Path):
    for width in WIDTHS:
        size(browser, width, scheme)
        opened(browser, page, lesson)
        assert violations(browser) == [], f"{width} {scheme}"
