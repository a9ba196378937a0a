"""The page and the studio of `zerosum serve` in a real browser: samples, previews, and names that are no markup."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zerosum
from tests.browser.conftest import Browser, serving
from zerosum.inference.generate import generate
from zerosum.media.image_grid import picture
from zerosum.run.load import load
from zerosum.runtime.progress import Silent

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server of a DCGAN on digits whose name is a script, and the run."""
    run = tmp_path_factory.mktemp("serve") / "<img src=x onerror='window.hurt=1'>"
    settings = {"width": 4, "batch": 8, "rounds": 2, "preview_every": 1, "previews": 4, "log_every": 1}
    zerosum.train("digits", recipe="dcgan", run=run, device="cpu", progress=Silent(), **settings)
    with serving(run) as address:
        yield address, run


def test_the_page_shows_what_zerosum_sample_makes(browser: Browser, served: tuple[str, Path]) -> None:
    address, run = served
    browser.driver.get(address)
    browser.wait("return window.ready || window.failure")
    assert browser.run("return window.failure ?? null") is None
    recipe = load(run, device="cpu")
    for place, made in enumerate(browser.ask("sample", {"seeds": [5, 9]})):
        wanted = np.asarray(picture(generate(recipe, 1, (5, 9)[place])))
        assert np.array_equal(made[..., 0], wanted)
    assert browser.run("return window.hurt ?? null") is None


def test_the_studio_shows_previews_and_curves_and_samples(browser: Browser, served: tuple[str, Path]) -> None:
    address, _ = served
    browser.driver.get(f"{address}runs/0/training")
    browser.wait("return document.querySelector('.preview').naturalWidth > 0")
    assert browser.run("return document.querySelectorAll('.live svg').length") > 0
    browser.run("document.querySelector('#ask button').click()")
    browser.wait("return document.querySelectorAll('#made img').length === 16 && document.getElementById('save').href")
    content = urllib.request.urlopen(f"{address}v1/runs/0/previews/2").read()
    assert Image.open(io.BytesIO(content)).width == browser.run(
        "return document.querySelector('.preview').naturalWidth"
    )
    assert browser.run("return window.hurt ?? null") is None
