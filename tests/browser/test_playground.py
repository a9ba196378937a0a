"""The playground in a real Chromium, from a file: it trains, keeps settings in its link, and asks for nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import Browser
from zerosum.cli import main

pytestmark = pytest.mark.slow

WIDTHS = (390, 820, 1440)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    assert main(["playground", "--out", "playground.html"]) == 0
    return tmp_path / "playground.html"


def opened(browser: Browser, page: Path, link: str = "") -> None:
    browser.driver.get("about:blank")
    browser.driver.get(f"{page.resolve().as_uri()}#{link}")
    browser.wait("return window.ready")


def size(browser: Browser, width: int, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def press(browser: Browser, key: str) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.driver.switch_to.active_element.send_keys(getattr(Keys, key, key))


def test_it_plays_by_keys_and_asks_for_nothing(browser: Browser, page: Path):
    opened(browser, page, "width=8&batch=16&rounds=1000&seed=5")
    assert browser.run("return [app.settings.width, app.settings.seed, app.session.round]") == [8, 5, 0]
    press(browser, "s")
    assert browser.run("return app.session.round") == 1
    press(browser, "SPACE")
    browser.wait("return app.session.round >= 1000 && !app.playing")
    assert "1,000 rounds are played" in browser.run("return $('status').textContent")
    assert len(browser.run("return app.session.history")) == 100
    press(browser, "r")
    assert browser.run("return app.session.round") == 0
    asked = [url for url in browser.requested() if not url.startswith(("file:", "data:", "blob:", "about:", "chrome"))]
    assert asked == []
    assert browser.complaints() == []


def test_settings_and_drawings_are_in_the_link(browser: Browser, page: Path, tmp_path: Path):
    opened(browser, page)
    browser.run("const s = $('set-loss'); s.value = 'hinge'; s.dispatchEvent(new Event('change'))")
    browser.run("const s = $('set-data'); s.value = 'drawn'; s.dispatchEvent(new Event('change'))")
    browser.run("$('plane').focus()")
    for key in ("ARROW_RIGHT", "ENTER", "ARROW_UP", "ARROW_UP", "ENTER"):
        press(browser, key)
    link = browser.run("return location.hash")
    assert link.startswith("#data=drawn&loss=hinge&points=")
    assert len(browser.run("return app.drawn")) == 2
    opened(browser, page, link[1:])
    assert browser.run("return [app.settings.loss, app.settings.data, app.drawn.length]") == ["hinge", "drawn", 2]
    browser.run("$('save-points').click()")
    downloads = Path(browser.downloads)  # type: ignore[attr-defined]
    for _ in range(100):
        if (downloads / "drawn.npy").exists():
            break
        browser.run("return new Promise((done) => setTimeout(done, 100))")
    assert np.load(downloads / "drawn.npy").shape == (10_000, 2)


def test_a_lesson_asks_plays_and_explains(browser: Browser, page: Path):
    opened(browser, page)
    browser.run("document.querySelector('[data-name=equilibrium]').click()")
    assert browser.run("return location.hash").startswith("#lesson=equilibrium&")
    assert browser.run("return app.school.run.disabled")
    browser.run(
        "app.settings.rounds = 60; document.querySelectorAll('.choice input')[1].click(); app.school.run.click()"
    )
    browser.wait("return !app.school.answer.hidden")
    assert "As you predicted." in browser.run("return app.school.answer.textContent")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_screen_and_is_accessible(browser: Browser, page: Path, width: int):
    program = shutil.which("npm")
    found = subprocess.run([program, "root", "-g"], capture_output=True, text=True).stdout.strip() if program else ""
    axe = Path(found) / "axe-core" / "axe.min.js"
    for scheme in ("light", "dark"):
        size(browser, width, scheme)
        opened(browser, page, "lesson=collapse&rounds=1000")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        if not axe.is_file():
            pytest.skip("needs axe-core: npm install -g axe-core")
        browser.run(axe.read_text(encoding="utf-8"))
        browser.driver.set_script_timeout(120)
        report: Any = browser.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(done, (e) => done(String(e)))"
        )
        serious = [v for v in report["violations"] if v["impact"] in ("serious", "critical")]
        assert serious == [], [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in serious]
