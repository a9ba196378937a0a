"""Pages that make pictures from pictures: translation both ways, upscaling, and holes that a brush paints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_float, to_uint8
from zerosum.recipe import Recipe
from zerosum.run.load import load
from zerosum.runtime.progress import Silent

pytestmark = pytest.mark.slow
pytest.importorskip("onnxruntime", reason="needs the extra export")

SIDE = 16


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in colour, in the folders of pairs, domains and single images alike."""
    root = tmp_path_factory.mktemp("photographs")
    draw = np.random.default_rng(0)
    for folder in ("plain", "domains/trainA", "domains/trainB", "domains/testA", "domains/testB"):
        (root / folder).mkdir(parents=True)
        for index in range(6):
            values = draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(values).save(root / folder / f"{index}.png")
    return root


def opened(recipe: str, data: Path, browser: Any, ort: Path, folder: Path, **settings: Any) -> Recipe:
    """Train a small run, export it as a page, and open that."""
    chosen = {"rounds": 4, "batch": 2, "progress": Silent(), **SMALL[recipe], **settings}
    run = api.train(data, recipe=recipe, run=folder / "run", **chosen).path
    (one,) = api.export(run, to="web", runtime=ort)
    assert (one.path, one.parity.levels <= 1) == (folder / "run" / "exports" / "run.html", True)
    browser.open(one.path)
    return load(run, device="cpu")


def picture(*size: int) -> np.ndarray:
    """Values (H, W, 4) uint8, opaque."""
    values = np.random.default_rng(1).integers(0, 256, (*size, 4), dtype=np.uint8)
    values[..., 3] = 255
    return values


def given(values: np.ndarray) -> dict[str, Any]:
    return {"width": values.shape[1], "height": values.shape[0], "data": values.flatten().tolist()}


def tensor(values: np.ndarray) -> torch.Tensor:
    return to_float(torch.from_numpy(values[..., :3].copy()).permute(2, 0, 1)[None])


def transformed(browser: Any, values: np.ndarray, **options: Any) -> np.ndarray:
    """Have the page's engine transform a picture: (H, W, 3)."""
    browser.run(
        "const t = engine.transform; if (!t.plain) { engine.transform = (g) => t({ ...g, picture: { ...g.picture, "
        "data: Uint8ClampedArray.from(g.picture.data) } }); engine.transform.plain = true }"
    )
    return browser.ask("transform", {"picture": given(values), **options})[..., :3]


def assert_near(theirs: np.ndarray, ours: torch.Tensor) -> None:
    expected = to_uint8(ours)[0].permute(1, 2, 0).numpy()
    assert theirs.shape == expected.shape
    assert np.abs(theirs.astype(int) - expected).max() <= 1


def test_translation_both_ways_at_another_size(photographs: Path, browser: Any, ort: Path, tmp_path: Path) -> None:
    model: Any = opened("cyclegan", photographs / "domains", browser, ort, tmp_path)
    values = picture(20, 24)
    with torch.no_grad():
        for direction in ("AtoB", "BtoA"):
            theirs = transformed(browser, values, controls={"direction": direction})
            assert_near(theirs, model.translate(tensor(values), direction=direction))
    browser.run("const c = $('control-direction'); c.value = 'BtoA'; c.dispatchEvent(new Event('change'))")
    browser.wait("return window.shown && $('status').textContent.includes('ms')")
    assert browser.complaints() == []


def test_noise_of_a_translation_is_drawn_anew(photographs: Path, browser: Any, ort: Path, tmp_path: Path) -> None:
    opened("pix2pix", photographs / "plain", browser, ort, tmp_path, degrade="gray")
    values = picture(SIDE, SIDE)
    one, same, other = (transformed(browser, values, controls={"seed": seed}) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_visitors_file_is_made_larger(photographs: Path, browser: Any, ort: Path, tmp_path: Path) -> None:
    model: Any = opened("srgan", photographs / "plain", browser, ort, tmp_path, degrade="downscale:2")
    values = picture(13, 10)
    with torch.no_grad():
        assert_near(transformed(browser, values), model.translate(tensor(values)))
    Image.fromarray(picture(12, 18)[..., :3]).save(tmp_path / "mine.png")
    browser.driver.find_element("id", "file").send_keys(str(tmp_path / "mine.png"))
    browser.wait("return window.shown.picture.width === 36 && window.shown.picture.height === 24")
    (tmp_path / "no.png").write_bytes(b"no picture")
    browser.driver.find_element("id", "file").send_keys(str(tmp_path / "no.png"))
    browser.wait("return $('status').textContent.startsWith('no.png cannot be read')")


def test_a_hole_is_painted_and_filled(photographs: Path, browser: Any, ort: Path, tmp_path: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    model: Any = opened("inpaint", photographs / "plain", browser, ort, tmp_path)
    values, mask = picture(SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 3:9, 5:12] = 1
    with torch.no_grad():
        theirs = transformed(browser, values, mask=mask.flatten().int().tolist())
        assert_near(theirs, model.complete(tensor(values), mask))

    painted = "return window.shown.mask.reduce((a, b) => a + b, 0)"
    browser.run("[...document.querySelectorAll('#panel button')].find((b) => b.textContent === 'Clear').click()")
    browser.wait("return $('status').textContent.startsWith('Paint over')")
    source = browser.driver.find_element("id", "source")
    ActionChains(browser.driver).move_to_element(source).click_and_hold().move_by_offset(30, 20).release().perform()
    browser.wait("return !$('status').textContent.startsWith('Paint over')")
    by_hand = browser.wait(painted)
    source.send_keys("  ")
    source.send_keys(*["\ue014"] * 12, " ")  # right, twelve times, and paint
    browser.wait(f"{painted} > {by_hand}")
    assert all(address.startswith(("file:", "blob:", "data:")) for address in browser.requested())
    assert browser.complaints() == []
