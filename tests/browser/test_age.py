"""The page of a server of a run that ages: a visitor's picture in another class."""

from __future__ import annotations

import io
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import Browser, pixels, serving
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.runtime.progress import Silent

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.slow


def test_a_picture_that_is_chosen_is_aged(browser: Browser, tmp_path: Path) -> None:
    settings = {"rounds": 4, "batch": 8, "size": "16", "device": "cpu", **SMALL["age_cgan"]}
    run = api.train("aged-digits", recipe="age_cgan", run=tmp_path / "run", progress=Silent(), **settings).path
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)).save(tmp_path / "mine.png")
    with serving(run) as address:
        browser.driver.get(address)
        browser.wait("return window.ready || window.failure")
        assert browser.run("return window.failure ?? null") is None
        browser.driver.find_element("id", "age-file").send_keys(str(tmp_path / "mine.png"))
        browser.wait("return window.aged")
        newest = browser.run("return model.classes[model.classes.length - 1]")
        assert browser.run("return $('age-status').textContent") == f"{newest}, by the encoder alone."
        oldest = browser.run("return model.classes[0]")
        browser.run("$('age-to').value = arguments[0]; $('age-to').dispatchEvent(new Event('change'))", oldest)
        browser.wait(f"return window.aged.to === {oldest!r}")
        found = browser.run(
            "const { width, height, data } = window.aged.picture;"
            "return { width, height, data: btoa(String.fromCharCode(...data)) }"
        )
        body, kind = (tmp_path / "mine.png").read_bytes(), {"Content-Type": "image/png"}
        asked = urllib.request.Request(f"{address}v1/age?to={oldest}", data=body, headers=kind)
        with urllib.request.urlopen(asked) as answer:
            expected = np.asarray(Image.open(io.BytesIO(answer.read())))
        assert np.array_equal(pixels(found)[..., 0], expected)
        browser.run("$('age-from').value = arguments[0]; $('age-steps').value = 3", oldest)
        browser.run("$('age-from').dispatchEvent(new Event('change'))")
        browser.wait("return $('age-status').textContent.includes('no network of identities is kept')")
        assert browser.complaints() == []
