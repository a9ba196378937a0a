"""Pictures made from pictures over HTTP: what the commands make of the same files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.recipes.conftest import SMALL
from tests.server.conftest import client_of
from zerosum import api
from zerosum.cli import main
from zerosum.runtime.progress import Silent
from zerosum.server.limits import Limits

pytestmark = pytest.mark.slow
SETTINGS: dict[str, dict[str, Any]] = {
    "srgan": {"degrade": "downscale:4", "size": "16", "fit": "tiles", "pretrain": 1},
    "pix2pix": {"degrade": "gray"},
    "inpaint": {},
}
COMMANDS = {"srgan": "upscale", "pix2pix": "translate", "inpaint": "inpaint"}


def picture(path: Path, *shape: int, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("recipe", COMMANDS)
def test_a_picture_becomes_what_the_command_makes_of_it(recipe: str, tmp_path: Path) -> None:
    for split in ("train", "test"):
        for index in range(4):
            picture(tmp_path / "data" / split / f"{index}.png", 32, 32, 3, seed=index)
    settings = {"rounds": 2, "batch": 2, "device": "cpu", **SMALL[recipe], **SETTINGS[recipe]}
    run = api.train(tmp_path / "data", recipe=recipe, run=tmp_path / "run", progress=Silent(), **settings).path
    source, hole = picture(tmp_path / "source.png", 20, 31, 3), np.zeros((20, 31), np.uint8)
    hole[4:9, 5:15] = 255
    Image.fromarray(hole).save(mask := tmp_path / "mask.png")
    masked = recipe == "inpaint"
    flags = ["--out", str(tmp_path / "made.png"), "--device", "cpu", *(["--mask", str(mask)] if masked else [])]
    assert main([COMMANDS[recipe], str(run), str(source), *flags]) == 0
    wanted = np.asarray(Image.open(tmp_path / "made.png"))
    parts = {"image": ("a.png", source.read_bytes())} | ({"mask": ("b.png", mask.read_bytes())} if masked else {})
    with client_of(run, limits=Limits(pixels=32 * 32 * 16)) as client:
        made = client.post("/v1/translate", files=parts)
        assert made.status_code == 200, made.text
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(made.content))), wanted)
        raw = client.post("/v1/translate", content=source.read_bytes(), headers={"Content-Type": "image/png"})
        assert (raw.status_code, raw.content == made.content) == ((422, False) if masked else (200, True))
        big = picture(tmp_path / "big.png", 200, 200, 3).read_bytes()
        for wrong in (b"", b"no picture", big, source.read_bytes()[:60]):
            refused = client.post("/v1/translate", content=wrong, headers={"Content-Type": "image/png"})
            assert refused.status_code == 422
            assert str(tmp_path) not in refused.text
            assert "/tmp" not in refused.text
        assert client.post("/v1/translate?nothing=1", content=b"x").status_code == 422
        assert client.get("/").status_code == 200
