"""The page of a run that paints, in a real browser: what is typed is painted, and names of nobody become markup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import Browser, serving
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.inference.paint import paint
from zerosum.media.image_grid import pictures
from zerosum.run.load import load
from zerosum.runtime.progress import Silent

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.slow

EVIL = "a <img src=x onerror='window.hurt=1'> red zebra"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server of a small run on captioned shapes, and the run."""
    settings = {"rounds": 6, "batch": 4, "size": "32", "device": "cpu", "preview_every": 3, **SMALL["stackgan"]}
    place = tmp_path_factory.mktemp("paint") / "shapes"
    run = api.train("captioned-shapes", recipe="stackgan", run=place, progress=Silent(), **settings).path
    with serving(run) as address:
        yield address, run


def test_what_is_typed_is_painted(browser: Browser, served: tuple[str, Path]) -> None:
    address, run = served
    browser.driver.get(address)
    browser.wait("return window.ready || window.failure")
    assert browser.run("return window.failure ?? null") is None
    first = browser.run("return window.shown.text")
    assert first == browser.run("return model.examples[0]")
    browser.run("$('text').value = arguments[0]; $('ask').requestSubmit()", EVIL)
    browser.wait("return $('status').textContent.includes('zebra')")
    browser.run("$('seed').value = 7; $('panel').requestSubmit()")
    browser.wait("return window.shown.seed === 7")
    browser.run("$('gallery').children[3].click()")
    shown = browser.run("const { width, height, data } = window.shown.picture; return [width, height, [...data]]")
    expected = np.asarray(pictures(paint(load(run, device="cpu"), EVIL, 16, 7))[3])
    found = np.array(shown[2], np.uint8).reshape(shown[1], shown[0], 4)
    assert np.array_equal(found[..., : expected.shape[-1]], expected)
    assert "zerosum paint shapes" in browser.run("return $('command').textContent")
    browser.run("$('fresh').click()")
    browser.wait("return window.shown.seed !== 7")
    browser.run("$('text').value = ' '; $('ask').requestSubmit()")
    browser.wait("return $('status').textContent === 'Write what to paint.'")
    assert browser.run("return window.hurt ?? null") is None
    assert all(one.startswith((address, "blob:", "data:")) for one in browser.requested())
    assert browser.complaints() == []
