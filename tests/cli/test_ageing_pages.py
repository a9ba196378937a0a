"""The commands of docs/ageing.md, augment.md and domain-transfer.md run as they stand, but for fewer rounds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.cli import main
from zerosum.data.sources import aged_digits
from zerosum.inference import identity

DOCS = Path(__file__).parents[2] / "docs"
MORE = {
    "train": ["--rounds", "2", "--batch", "4", "--width", "4"],
    "evaluate": ["--features", "pixels", "--count", "6"],
    "augment": ["--seen", "64"],
    "age": ["--iterations", "2"],
}


def pictures(folder: str, names: list[str]) -> None:
    random = np.random.default_rng(len(folder))
    for name in names:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32), dtype=np.uint8)).save(path)


def classes(*counts: int) -> list[str]:
    return [f"{name}/{i}.png" for name, count in zip(("cat", "dog"), counts, strict=True) for i in range(count)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aged_digits, "COUNTS", {"train": 60, "test": 20})
    monkeypatch.setattr(identity, "FAMILIES", 4)
    monkeypatch.setattr(identity, "EPOCHS", 1)
    pictures(".", ["digit.png"])
    pictures("faces", [f"{8 + i}_{('Ada', 'Bo')[i % 2]}_1.png" for i in range(60)])
    pictures("bricks", [f"{i}.png" for i in range(12)])
    Path("views.csv").write_text("file,angle\n" + "".join(f"{i}.png,{15 * i}\n" for i in range(12)))
    pictures("photos/train", classes(12, 6))
    for folder in ("photos/test", "others", "renderings"):
        pictures(folder, classes(6, 6))
    for folder in ("photographs", "photographs-test"):
        pictures(folder, [f"{i}.png" for i in range(12)])


@pytest.mark.slow
@pytest.mark.parametrize("page", ["ageing", "augment", "domain-transfer"])
def test_the_commands_of_a_page_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```console\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    assert lines
    for line in lines:
        _, *arguments = shlex.split(line)
        assert main([*arguments, *MORE.get(arguments[0], [])]) == 0, f"{line}\n{capsys.readouterr().err}"
