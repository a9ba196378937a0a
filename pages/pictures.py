"""Pictures of pictures: beside each other, below each other, in sheets, and a page as a browser shows it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

ACROSS, SIDE = 8, 96
"""Pictures in a row of a sheet, and the side of each in pixels."""


def beside(pictures: Sequence[Image.Image], gap: int = 12) -> Image.Image:
    """Set pictures of one size beside each other on white."""
    width, height = pictures[0].size
    sheet = Image.new("RGB", (len(pictures) * (width + gap) - gap, height), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB"), (place * (width + gap), 0))
    return fitted(sheet)


def below(pictures: Sequence[Image.Image], gap: int = 12) -> Image.Image:
    """Set pictures below each other on white."""
    sheet = Image.new("RGB", (max(p.width for p in pictures), sum(p.height + gap for p in pictures) - gap), "white")
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height + gap
    return sheet


def screenshot(
    page: Path, out: Path, *, size: tuple[int, int] = (900, 760), ready: str = "return window.ready"
) -> None:
    """Write what headless Chromium shows of a page that is opened from a file."""
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size={},{}".format(*size)):
        options.add_argument(flag)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
        browser.get(page.resolve().as_uri())
        WebDriverWait(browser, 120).until(lambda opened: opened.execute_script(ready))
        browser.save_screenshot(str(out))


def sheet(rows: Sequence[Sequence[Path]]) -> Image.Image:
    """Set a row for each list of files, of as many as fill it, drawn by seed 0 and not by their looks."""
    drawn = [random.Random(0).sample(list(row), min(len(row), ACROSS)) for row in rows]
    return below([beside([_square(path) for path in row], gap=4) for row in drawn], gap=10)


def fitted(picture: Image.Image, widest: int = 900) -> Image.Image:
    """Reduce a picture that is wider than a page, and double one that is narrower than half of it."""
    if picture.width <= widest / 2:
        return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.NEAREST)
    if picture.width <= widest:
        return picture
    return picture.convert("RGB").resize(
        (widest, round(picture.height * widest / picture.width)), Image.Resampling.LANCZOS
    )


def _square(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
