"""The commands and the Python of docs/export.md and docs/serving.md run as they stand, on small runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import ort as ort  # a fixture
from tests.cli.conftest import Outcome
from tests.cli.conftest import zerosum as zerosum  # a fixture
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.runtime.progress import Silent

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[1] / "docs"


def commands(page: str, program: str) -> list[list[str]]:
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith(f"$ {program} ")]


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with twelve small photos in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    draw, folder = np.random.default_rng(0), tmp_path / "photos"
    folder.mkdir()
    for index in range(12):
        Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return folder


def train(recipe: str, data: Path | str, run: str, **settings: object) -> None:
    chosen = {"rounds": 2, "batch": 4, "device": "cpu", "previews": 4, **SMALL[recipe], **settings}
    api.train(data, recipe=recipe, run=Path(run), progress=Silent(), **chosen)  # type: ignore[arg-type]


def test_the_page_on_exports(photos: Path, ort: Path, zerosum: Callable[..., Outcome]) -> None:
    pytest.importorskip("onnxruntime", reason="needs the extra export")
    train("dcgan", photos, "runs/photos", width=4)
    train("stackgan", "captioned-shapes", "runs/shapes", size="32")
    listed = commands("export.md", "zerosum")
    assert [words[1] for words in listed] == ["export"] * 6 + ["paint", "evaluate"]
    for words in listed:
        web = ["--runtime", str(ort)] if "web" in words else []
        few = ["--count", "12", "--features", "pixels"] if words[1] == "evaluate" else []
        said = zerosum(*words[1:], *web, *few)
        assert said.code == 0, f"{words}: {said.err}"
    assert Path("photos.html").stat().st_size < 7_000_000
    assert {path.suffix for path in Path("site").iterdir()} >= {".html", ".gz"}
    for code in re.findall(r"```python\n(.*?)```", (DOCS / "export.md").read_text(encoding="utf-8"), re.DOTALL):
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


@contextmanager
def served(words: list[str], run: str) -> Iterator[str]:
    """Start the server of a command of the page, of `run` in place of the page's; its place as localhost:PORT."""
    assert words == ["zerosum", "serve", "runs/faces"]
    command = [sys.executable, "-m", "zerosum", "serve", run, "--port", "0", "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}) as one:
        assert one.stdout is not None
        yield one.stdout.readline().strip().removeprefix("http://127.0.0.1").strip("/").replace(":", "localhost:")
        one.terminate()
    assert one.returncode == 0


def test_the_page_on_serving(photos: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    train("dcgan", photos, "runs/generates", width=4)
    train("pix2pix", photos, "runs/translates", degrade="gray")
    train("inpaint", photos, "runs/fills")
    train("stackgan", "captioned-shapes", "runs/paints", size="32")
    Image.open(photos / "0.png").save("photo.png")
    Image.open(photos / "0.png").save("photo.jpg")
    Image.fromarray(np.pad(np.full((6, 6), 255, np.uint8), 5)).save("mask.png")
    (start,) = commands("serving.md", "zerosum")
    asked = commands("serving.md", "curl")
    assert len(asked) == 4
    for words in asked:
        run = {"samples": "generates", "paint": "paints"}.get(words[3].rpartition("/")[2])
        run = run or ("fills" if "mask=@mask.png" in words else "translates")
        with served(start, f"runs/{run}") as place:
            words = [one.replace("localhost:8000", place) for one in words]
            subprocess.run([*words, "--silent", "--show-error", "--fail", "--retry", "20"], check=True)
        Image.open(words[words.index("-o") + 1]).load()
