"""The page of a generator: opened by a double click, the same pictures as in Python, and nothing sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.inference.generate import generate
from zerosum.inference.latents import latent_of_seed
from zerosum.latent import slerp, truncated_normal
from zerosum.run.load import load
from zerosum.runtime import rng
from zerosum.runtime.progress import Silent

pytestmark = pytest.mark.slow
pytest.importorskip("onnxruntime", reason="needs the extra export")

TITLE = "</script><b>digits</b>"
SEEDS = (0, 1, 7, 123456, 2**31 + 5, 2**52 + 1)
CONTROLS: dict[str, list[dict[str, Any]]] = {
    "dcgan": [{}, {"truncation": 0.7}],
    "cgan": [{}, {"label": 3}, {"truncation": 0.5, "label": 9}],
    "stylegan2": [{}, {"truncation": 0.6}, {"mix": 2}, {"mix": 3, "truncation": 0.8}],
    "infogan": [{}, {"category": 2}, {"codes": (0.5, -1.0)}],
    "progan": [{}],
}
FAST: dict[str, dict[str, Any]] = {
    "dcgan": {"generator_lr": 0.05, "ema_decay": 0.0},
    "cgan": {"lr": 0.05, "ema_decay": 0.0},
    "infogan": {"generator_lr": 0.05, "ema_decay": 0.0},
}
"""Settings with which a few rounds leave the grey that fresh weights make, of which any page would be right."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Trains a small run of a recipe on digits, once."""
    made: dict[str, Path] = {}

    def run(recipe: str) -> Path:
        if recipe not in made:
            place = tmp_path_factory.mktemp(recipe) / 'a "run" <b>'
            settings = {"rounds": 12, "batch": 16, "size": "16", "progress": Silent(), **SMALL[recipe]}
            settings |= FAST.get(recipe, {})
            made[recipe] = api.train("digits", recipe=recipe, run=place, **settings).path
        return made[recipe]

    return run


@pytest.fixture(scope="module")
def page(trained: Any, ort: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Exports a run as a page, once."""
    made: dict[str, Path] = {}

    def export(recipe: str) -> Path:
        if recipe not in made:
            out = tmp_path_factory.mktemp("page") / "index.html"
            (one,) = api.export(trained(recipe), to="web", out=out, runtime=ort, title=TITLE)
            assert one.parity.levels <= 1
            made[recipe] = one.path
        return made[recipe]

    return export


@pytest.mark.parametrize("recipe", sorted(CONTROLS))
def test_pictures_are_those_of_python(recipe: str, page: Any, trained: Any, browser: Any) -> None:
    browser.open(page(recipe))
    model = load(trained(recipe), device="cpu")
    for chosen in CONTROLS[recipe]:
        asked = {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
        theirs = browser.ask("sample", {"seeds": list(SEEDS), "controls": asked})
        for seed, picture in zip(SEEDS, theirs, strict=True):
            ours = to_uint8(generate(model, 1, seed, controls=chosen))[0, 0].numpy()
            apart = np.abs(picture[..., 0].astype(int) - ours)
            assert apart.max() <= 1, (recipe, chosen, seed, apart.max())
            assert ours.std() > 10
    allowed = ("file:", "blob:", "data:")
    assert all(address.startswith(allowed) for address in browser.requested())
    assert browser.complaints() == []


def test_numbers_are_those_of_torch(page: Any, trained: Any, browser: Any) -> None:
    browser.open(page("dcgan"))
    model = load(trained("dcgan"), device="cpu")
    for seed in SEEDS:
        assert browser.run("return derived(arguments[0], 'samples')", seed) == rng.derived(seed, "samples") % 2**32
        drawn = browser.run("return [...latentOf(model, arguments[0]).latent]", seed)
        np.testing.assert_allclose(drawn, latent_of_seed(model, seed)[0], atol=2e-6)
        torch.manual_seed(seed % 2**32)
        cut = browser.run("return [...new Twister(arguments[0]).truncated(40, 0.7)]", seed % 2**32)
        np.testing.assert_allclose(cut, truncated_normal(2, 20, limit=0.7).flatten(), atol=1e-6)
    one, other = torch.randn(2, 20, generator=torch.Generator().manual_seed(1))
    for share in (0.0, 0.3, 1.0):
        there = browser.run("return [...between(model, ...arguments)]", one.tolist(), other.tolist(), share)
        np.testing.assert_allclose(there, slerp(one[None], other[None], share)[0], atol=1e-5)


def test_a_visitor_plays(page: Any, browser: Any) -> None:
    browser.open(page("cgan"))
    first = browser.run("return window.shown.seed")
    assert browser.run("return document.querySelectorAll('#gallery button').length") == 16
    assert browser.run("return model.title") == TITLE, "names are text, whatever they hold"
    assert TITLE in browser.driver.find_element("class name", "kicker").text
    assert browser.run("return document.querySelectorAll('b').length") == 0

    press(browser, "n")
    browser.wait(f"return window.shown.seed !== {first}")
    browser.run("$('seed').value = 5; document.querySelector('#panel .line button').click()")
    browser.wait("return window.shown.seed === 5")
    assert "--seed 5" in browser.run("return $('command').textContent")
    browser.run("$('seed').value = ''; document.querySelector('#panel .line button').click()")
    assert browser.run("return $('status').textContent") == "A seed is a whole number from 0 on."
    assert browser.run("return window.shown.seed") == 5
    browser.run("const c = $('control-label'); c.value = '3'; c.dispatchEvent(new Event('change', { bubbles: true }))")
    browser.wait("return $('command').textContent.includes('--label 3')")

    before = browser.run("return [...window.shown.picture.data].join()")
    browser.run("const s = $('latent-0'); s.value = 3; s.dispatchEvent(new Event('input', { bubbles: true }))")
    browser.wait("return window.shown.edited")
    assert browser.run("return [...window.shown.picture.data].join()") != before

    press(browser, "w")
    browser.wait("return window.frames_shown > 5")
    press(browser, "w")
    press(browser, "s")
    browser.wait("return window.saved && window.saved.type === 'image/png'")
    browser.run("$('film').click()")
    browser.wait("return window.saved.type === 'image/gif'")
    gif = next(wait_for(browser.downloads, "*.gif"))
    film = Image.open(gif)
    assert (film.n_frames, film.size) == (60, (256, 256))
    film.seek(30)
    film.load()
    assert browser.complaints() == []
    assert browser.run("return window.failure ?? null") is None


def test_each_visit_brings_other_pictures(page: Any, browser: Any) -> None:
    browser.open(page("dcgan"))
    first = browser.run("return [...document.querySelectorAll('#gallery button')].map((b) => b.dataset.seed)")
    browser.open(page("dcgan"))
    second = browser.run("return [...document.querySelectorAll('#gallery button')].map((b) => b.dataset.seed)")
    assert set(first).isdisjoint(second)


def press(browser: Any, key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.run("document.activeElement.blur()")
    ActionChains(browser.driver).send_keys(key).perform()


def wait_for(folder: Path, pattern: str) -> Any:
    import time

    for _ in range(300):
        if any(folder.glob(pattern)):
            time.sleep(0.3)
            return folder.glob(pattern)
        time.sleep(0.1)
    raise AssertionError(f"no {pattern} in {folder}")
