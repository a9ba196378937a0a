"""What docs/evaluation.md says runs as it stands, but for fewer rounds and samples, and names every metric."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zerosum.cli import main
from zerosum.evaluation.measures import better, labels, perceptual
from zerosum.metrics.lpips import FeatureStack

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
TRAINED = ["--rounds", "2", "--batch", "8", "--width", "4", "--evaluate-features", "pixels", "--evaluate-count", "20"]
EVALUATED = ["--features", "pixels", "--count", "60", "--metrics", "fid,coverage"]


def test_the_commands_run_in_their_order(capsys):
    block, _ = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    more = {"train": TRAINED, "evaluate": EVALUATED, "compare": []}
    for line in block.splitlines():
        _, *arguments = shlex.split(line[2:])
        assert main([*arguments, *more[arguments[0]]]) == 0, capsys.readouterr().err
    assert "\nmetric " in capsys.readouterr().out
    assert main(["sample", "runs/one", "--checkpoint", "best", "-n", "1"]) == 0


def test_the_commands_for_an_eye_and_for_labelled_images_run(capsys, monkeypatch):
    """With random weights of VGG16, and labelled images of noise."""
    monkeypatch.setattr(perceptual, "PAIRS", 100)
    monkeypatch.setattr(labels, "SEEN", 100)
    stack = FeatureStack("vgg")
    torch.save(stack.state_dict(), "vgg16.pth")
    heads = Path("data/weights/lpips_v0.1/vgg.pth")
    heads.parent.mkdir(parents=True)
    torch.save(
        {f"lin{s}.model.1.weight": torch.ones(1, w, 1, 1) for s, w in enumerate((64, 128, 256, 512, 512))}, heads
    )
    monkeypatch.setenv("ZEROSUM_DATA", "data")
    random = np.random.default_rng(0)
    for place in ("generated", "photos/train", "photos/test"):
        for name in ("cat", "dog"):
            (Path(place) / name).mkdir(parents=True)
            for index in range(20):
                image = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
                image.save(f"{place}/{name}/{index}.png")
    _, block = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    assert main(["train", "digits", "--run", "runs/one", "--size", "16", *TRAINED]) == 0
    for line in block.splitlines():
        _, *arguments = shlex.split(line[2:])
        assert main([*arguments, "--features", "pixels", "--count", "20"]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert all(f"\n{title} " in said for title in ("PPL-vgg", "CAS", "synthetic help"))


def test_every_metric_stands_in_the_table_with_its_direction():
    rows = re.findall(r"^\| (.*?) \| .*? \| (lower|higher|near 0\.5) \|$", PAGE, re.MULTILINE)
    assert {name: way for names, way in rows for name in re.findall(r"`(.*?)`", names)} == better()
