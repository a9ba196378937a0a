"""The README's commands and examples run as they stand, but for fewer rounds on smaller networks."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum import recipes
from zerosum.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text()
FEW = ["--count", "40", "--features", "random"]
QUICK = ["--rounds", "2", "--batch", "4", "--save-every", "1", "--previews", "4"]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    return [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]


def quickly(arguments: list[str]) -> list[str]:
    """Shorten a command that trains or evaluates."""
    if arguments[1] == "evaluate":
        return [*arguments, *FEW]
    if arguments[1] == "bench":
        seeds = arguments.index("--seeds") + 1
        return [*arguments[:seeds], "1", *arguments[seeds + 1 :], "--rounds", "2"]
    if "train" not in arguments or "--resume" in arguments:
        return arguments
    name = arguments[arguments.index("--recipe") + 1] if "--recipe" in arguments else None
    few = [word.replace("--", "--evaluate-") for word in FEW] if "--evaluate-every" in arguments else []
    narrow = ["--width", "4"] if name and "width" in recipes.find(name).Config.names() else []
    return [*arguments, *QUICK, *few, *narrow]


def scatter(folder: str, count: int, size: tuple[int, int]) -> None:
    """Fill a folder with pictures of `size` (width, height)."""
    Path(folder).mkdir(parents=True)
    random = np.random.default_rng(0)
    for index in range(count):
        pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"{folder}/{index}.png")


@pytest.fixture
def photos() -> None:
    """The data that the README speaks of, in the working folder."""
    scatter("photos", 16, (48, 56))
    scatter("my-horses", 2, (40, 48))
    for domain in ("trainA", "trainB"):
        scatter(f"horse2zebra/{domain}", 4, (32, 32))
    scatter("facades/train", 4, (64, 32))
    mask = Image.new("L", (48, 56), "black")
    mask.paste("white", (10, 10, 20, 20))
    mask.save("hole.png")
    shutil.make_archive("facades", "zip", "facades")


def test_the_commands_run_in_their_order(photos, capsys):
    ran = 0
    for command in commands():
        program, *arguments = quickly(shlex.split(command))
        if program == "torchrun":
            done = subprocess.run([sys.executable, "-m", "torch.distributed.run", *arguments], capture_output=True)
            assert done.returncode == 0, done.stderr.decode()[-2000:]
        else:
            assert program == "zerosum"
            done = (0, 3) if arguments[0] == "doctor" else (0,)  # 3: so short a run may well be ill
            assert main(arguments) in done, f"{command}: {capsys.readouterr().err}"
        ran += 1
    assert ran >= 10
    for made in (
        "large.png",
        "filled/0.png",
        "runs/modes/modes.md",
        "samples.png",
        "typical.png",
        "walk.gif",
        "folder/sample-0000.png",
        "runs/two/report.html",
    ):
        assert Path(made).exists(), f"{made} was not made"


def test_the_python_example_runs(capsys):
    (example,) = [block for block in blocks("python") if "import zerosum" in block]
    example = example.replace("rounds=1500", "rounds=2").replace("batch=64", "batch=8").replace("width=32", "width=4")
    names: dict[str, object] = {}
    exec(example, names)
    assert names["images"].shape == (16, 1, 32, 32)


def test_the_recipe_that_is_shown_is_the_recipe_that_runs():
    (shown,) = [block for block in blocks("python") if "def critic_loss" in block]
    source = (Path(recipes.__file__).parent / "wgan_gp.py").read_text()
    lines = [line.strip().partition("(self")[0] if "def " in line else line.strip() for line in shown.splitlines()]
    for line in filter(None, lines):
        assert line in source, f"wgan_gp.py has no line {line!r}"


def test_every_recipe_stands_in_the_table():
    for name in recipes.names():
        assert f"| `{name}` |" in README


def test_the_pictures_are_there():
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parents[2] / picture).exists()
