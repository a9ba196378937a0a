"""The page and the studio of `zerosum serve` in a real browser: samples, previews, and names that are no markup."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zerosum
from tests.browser.conftest import Browser, serving
from tests.recipes.conftest import SMALL
from zerosum.inference.generate import generate
from zerosum.media.image_grid import picture
from zerosum.run.load import load
from zerosum.runtime.progress import Silent
from zerosum.tasks import condition, label_of

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


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on attributes: some are called as others are numbered, one has a comma in its name, one is called none."""
    place = tmp_path_factory.mktemp("numbered")
    generator, rows = np.random.default_rng(0), ['file,1,2,--dark,"big, red",none']
    for number in range(24):
        Image.fromarray(generator.integers(0, 256, (16, 16), dtype=np.uint8)).save(place / f"{number}.png")
        rows.append(f"{number}.png,{number % 2},{number % 3 % 2},{number % 5 % 2},{number % 7 % 2},{number % 4 % 2}")
    (place / "table.csv").write_text("\n".join(rows))
    settings: dict[str, Any] = {
        "labels": f'{place / "table.csv"}:1,2,--dark,"big, red",none',
        "rounds": 12,
        "batch": 8,
        "cache": str(place / "cache"),
    }
    made = zerosum.train(
        place, recipe="acgan", run=place / "run", device="cpu", progress=Silent(), **settings, **SMALL["acgan"]
    )
    return made.path


def test_boxes_are_the_attributes_of_their_names(browser: Browser, numbered: Path) -> None:
    recipe = load(numbered, device="cpu")
    with serving(numbered) as address:
        browser.driver.get(address)
        browser.wait("return window.ready || window.failure")
        browser.run(
            "const f = fetch; window.fetch = (path, sent) => { window.sent = sent.body; return f(path, sent); }"
        )
        said = {(1, 0, 0, 0, 0): "1", (0, 1, 0, 0, 0): "2", (0, 0, 1, 0, 0): "--dark", (0, 0, 0, 1, 0): '"big, red"'}
        said |= {(0, 0, 0, 0, 1): '"none"', (1, 0, 0, 1, 1): '1,"big, red",none', (0, 0, 0, 0, 0): "none"}
        for row, label in said.items():
            (made,) = browser.ask("sample", {"seeds": [5], "controls": {"label": list(row)}})
            assert json.loads(browser.run("return window.sent"))["controls"] == {"label": label}
            assert label_of(recipe.spec, condition(recipe.spec, label)) == label
            assert condition(recipe.spec, label).tolist() == list(row)
            wanted = np.asarray(picture(generate(recipe, 1, 5, controls={"label": label})))
            assert np.array_equal(made[..., 0], wanted), label
        browser.run("document.querySelector('#control-label').click()")
        browser.run("document.querySelectorAll('.checks input')[2].click()")
        browser.wait("return $('command').textContent.includes('--label=--dark')")
        browser.run("document.querySelectorAll('.checks input')[3].click()")
        browser.wait("""return $('command').textContent.includes(`--label='--dark,"big, red"'`)""")


def test_a_server_that_has_gone_is_said_whatever_is_pressed(browser: Browser, numbered: Path) -> None:
    with serving(numbered) as address:
        browser.driver.get(address)
        browser.wait("return window.ready || window.failure")
    browser.run("$('walk').click()")
    browser.wait("return $('status').textContent.startsWith('It went wrong')")
    assert browser.run("return $('walk').getAttribute('aria-pressed')") == "false"
