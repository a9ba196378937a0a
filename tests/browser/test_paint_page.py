"""The exported page of a run that paints, opened by file://: sentences are read, and pictures made, as in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import Browser
from tests.recipes.conftest import SMALL, contrasts
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.inference.paint import paint
from zerosum.run.load import load
from zerosum.runtime.progress import Silent
from zerosum.tasks import painter

pytestmark = pytest.mark.slow
pytest.importorskip("onnxruntime", reason="needs the extra export")

EVIL = "a <img src=x onerror='window.hurt=1'> red zebra"
SENTENCES = (
    "A RED circle, left.",
    "There\u2019s a_small 'blue' square; a-b 2nd",
    "stra\u1e9ee STRASSE \u03a3\u03a3 \u0130I\u0131",
    "\u0441\u0438\u043d\u0438\u0439 e\u0301te\u0301 \u7ea2\u8272 \u00bd x\u00b2 \u13a0",
    "... !",
    " ".join(["circle"] * 80),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {"rounds": 6, "batch": 4, "size": "32", "device": "cpu", "preview_every": 3, **SMALL["stackgan"]}
    place = tmp_path_factory.mktemp("paint") / "a <b>run"
    with contrasts():
        return api.train("captioned-shapes", recipe="stackgan", run=place, progress=Silent(), **settings).path


def test_the_page_paints_as_python_does(run: Path, ort: Path, browser: Browser, tmp_path: Path) -> None:
    (made,) = api.export(run, to="web", out=tmp_path / "page.html", runtime=ort)
    assert made.parity.levels <= 1
    browser.open(made.path)
    model = load(run, device="cpu")
    assert browser.run("return $('seed').labels[0].textContent") == "Seed"
    assert browser.run("return window.shown.text") == browser.run("return model.examples[0]")

    reader = painter(model).text_function().reader
    for said in SENTENCES:
        found = browser.run("return readWords(model.text, arguments[0])", said)
        assert found["unknown"] == reader.unknown(said), said
        assert (found["numbers"] or [0]) == reader([said])[0].tolist(), said

    browser.run("$('seed').value = 7; $('text').value = arguments[0]; $('ask').requestSubmit()", EVIL)
    browser.wait("return $('status').textContent.includes('zebra')")
    browser.run("$('seed').value = 7; $('panel').requestSubmit()")
    browser.wait("return window.shown.seed === 7")
    ours = to_uint8(paint(model, EVIL, 16, 7)).permute(0, 2, 3, 1).numpy().astype(int)
    for place in (0, 3, 15):
        browser.run("$('gallery').children[arguments[0]].click()", place)
        width, height, data = browser.run("const p = window.shown.picture; return [p.width, p.height, [...p.data]]")
        theirs = np.array(data).reshape(height, width, 4)[..., :3]
        assert np.abs(theirs - ours[place]).max() <= 1, place
    assert np.abs(ours[0] - ours[3]).max() > 20
    assert "zerosum paint" in browser.run("return $('command').textContent")
    assert browser.run("return window.hurt ?? null") is None
    browser.run("$('save').click()")
    assert browser.wait("return window.saved")["type"] == "image/png"
    assert all(one.startswith(("file:", "blob:", "data:")) for one in browser.requested())
    assert browser.complaints() == []
    browser.driver.set_window_size(420, 900)
    browser.driver.save_screenshot(str(tmp_path / "page.png"))
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
