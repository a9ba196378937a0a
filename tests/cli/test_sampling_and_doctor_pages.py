"""The commands and the Python of docs/sampling.md and docs/doctor.md run as they stand, but for fewer rounds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum
from zerosum.cli import main

DOCS = Path(__file__).parents[2] / "docs"
MORE = {"train": ["--rounds", "2", "--batch", "4", "--width", "4", "--previews", "4"], "invert": ["--steps", "2"]}
WRITTEN = {
    "sampling": ["classes.png", "runs/faces/inverted/portrait.png", "runs/faces/inverted/portrait.npy"],
    "doctor": ["runs/photos/run.json"],
}


@pytest.fixture(autouse=True)
def data() -> None:
    """Photos of four classes, faces with a table of attributes, generated samples and a log."""
    random = np.random.default_rng(0)
    photos = [f"photos/{name}/{i}.png" for name in ("coat", "hat", "shirt", "shoe") for i in range(8)]
    faces = [f"faces/{i:06}.jpg" for i in range(1, 25)]
    for path in map(Path, (*photos, *faces, *(f"samples/{i}.png" for i in range(12)), "portrait.jpg")):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    rows = [f"{Path(face).name},{i % 2},{i % 3 // 2},31\n" for i, face in enumerate(faces)]
    Path("table.csv").write_text("file,smiling,glasses,age\n" + "".join(rows))
    Path("log.csv").write_text("epoch,d_loss,g_loss\n" + "".join(f"{i},0.5,1.6\n" for i in range(20)))


@pytest.mark.parametrize("page", WRITTEN)
def test_the_commands_of_a_page_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    if page == "doctor":
        assert main(["train", "photos", "--recipe", "cgan", "--run", "runs/photos", *MORE["train"]]) == 0
    lines = re.findall(r"^\$ zerosum (.*)$", text, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        command, *words = shlex.split(line)
        done = main([command, *words, *MORE.get(command, [])])
        warned = command == "doctor" and done == 3  # so short a run may well be ill
        assert done == 0 or warned, f"{line}: {capsys.readouterr().err}"
    assert [name for name in WRITTEN[page] if not Path(name).exists()] == []
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        names: dict[str, torch.Tensor] = {}
        exec(block, {"zerosum": zerosum, "torch": torch}, names)
        assert names["shirts"].shape == (4, 3, 16, 16)
        assert names["mixed"].shape == (2, 3, 16, 16)
