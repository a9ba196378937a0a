"""Pages in a real Chromium, opened from a file, and what they ask of the network."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.errors import InputError
from zerosum.exporting.runtime import Runtime, runtime

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE = 120
"""Seconds."""


@contextmanager
def serving(run: Path) -> Iterator[str]:
    """Serve a run on the CPU by `zerosum serve`; the value is its address."""
    command = [sys.executable, "-m", "zerosum", "serve", str(run), "--port", "0", "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


class Browser:
    """A Chromium that says which addresses its page has asked for."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Open a page and wait until it is ready."""
        self.driver.get(page.resolve().as_uri())
        self.wait("return window.ready || window.failure")
        assert self.run("return window.failure ?? null") is None

    def run(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def ask(self, call: str, given: Any) -> Any:
        """Await a method of the page's engine; pictures come as arrays (H, W, 4) uint8."""
        script = f"""const done = arguments[1], fix = (p) => p && p.data && p.width
            ? {{ width: p.width, height: p.height, data: btoa(String.fromCharCode(...p.data)) }} : p;
            engine.{call}(arguments[0]).then((r) => done(Array.isArray(r) ? r.map((p) => p.data ? fix(p) : [...p])
            : fix(r)), (e) => done("failed: " + e))"""
        self.driver.set_script_timeout(PATIENCE)
        found = self.driver.execute_async_script(script, given)
        assert not isinstance(found, str), found
        return [pixels(one) for one in found] if isinstance(found, list) else pixels(found)

    def wait(self, script: str) -> Any:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if found := self.run(script):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{script} stayed false; status: {self.run('return $(`status`).textContent')}")

    def requested(self) -> list[str]:
        """Every address that was asked for since the browser was started."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def pixels(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    data = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
    return data.reshape(found["height"], found["width"], 4)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(flag)
    downloads = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    started.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    found = Browser(started)
    found.downloads = downloads  # type: ignore[attr-defined]
    try:
        yield found
    finally:
        started.quit()


@pytest.fixture(scope="session")
def ort() -> Path:
    """A folder with the two files of onnxruntime-web, from the user's own cache, where they stay."""
    cache = Path("~/.cache/zerosum").expanduser()
    try:
        found = runtime(cache=cache)
    except InputError as error:
        pytest.skip(f"needs onnxruntime-web: {error}")
    assert isinstance(found, Runtime)
    return next((cache / "downloads").glob("onnxruntime-web-*"))
