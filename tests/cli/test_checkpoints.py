"""`--checkpoint`: the newest, the best, or that of a round; what is told is of the one that was loaded."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.test_translate import SIDE, picture
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.hub import package
from zerosum.hub.index import INDEX
from zerosum.run.directory import Run, Which
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.progress import Silent


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that keeps its checkpoints of the rounds 2, 4 and 6."""
    place = tmp_path_factory.mktemp("kept") / "run"
    settings = SMALL["gan"]
    return api.train(
        "ring8", recipe="gan", run=place, rounds=6, save_every=2, batch=8, progress=Silent(), **settings
    ).path


def alone(kept: Path, round_: int, place: Path) -> Path:
    """Copy a run with one checkpoint."""
    shutil.copytree(kept, place)
    for path in Run(place).checkpoints():
        if int(path.name) != round_:
            shutil.rmtree(path)
    return place


def test_a_round_names_its_checkpoint(kept: Path, zerosum: Any) -> None:
    for round_ in (2, 4):
        said = zerosum("sample", kept, "-n", 3, "--checkpoint", round_)
        assert (said.code, said.out) == (0, f"{kept}/samples/seed-0-round-{round_}\n"), said.err
        assert zerosum("sample", alone(kept, round_, Path(f"only-{round_}")), "-n", 3, "--out", f"{round_}").code == 0
        assert np.array_equal(
            np.load(next((kept / f"samples/seed-0-round-{round_}").glob("*.npy"))),
            np.load(next(Path(f"{round_}").glob("*.npy"))),
        )
    assert not np.array_equal(*[np.load(next(Path(f"{round_}").glob("*.npy"))) for round_ in (2, 4)])


def test_an_evaluation_of_a_round_says_so(kept: Path, zerosum: Any) -> None:
    said = zerosum("evaluate", kept, "--checkpoint", 2, "--metrics", "modes", "--out", "found.json")
    assert said.code == 0, said.err
    assert json.loads(Path("found.json").read_text())["round"] == 2


@pytest.mark.parametrize("recipe", ["pix2pix", "srgan", "inpaint"])
def test_images_go_through_a_round_of_their_own(recipe: str, zerosum: Any) -> None:
    shape = (SIDE, 2 * SIDE, 3) if recipe == "pix2pix" else (SIDE, SIDE, 3)
    for index in range(4):
        for split in ("train", "val"):
            picture(Path("data") / split / f"{index}.png", *shape, seed=index)
    fast: dict[str, Any] = {"inpaint": {"generator_lr": 0.05}, "srgan": {"degrade": "downscale:2"}}
    settings = {**SMALL[recipe], **fast.get(recipe, {})}
    run = api.train(
        "data", recipe=recipe, run="run", rounds=12, save_every=1, keep=12, batch=2, progress=Silent(), **settings
    ).path
    first = alone(run, 1, Path("first"))
    picture(Path("given.png"), SIDE, SIDE, 3, seed=9)
    picture(Path("mask.png"), SIDE, SIDE)
    word = {"pix2pix": "translate", "srgan": "upscale", "inpaint": "inpaint"}[recipe]
    more = ["--mask", "mask.png"] if recipe == "inpaint" else []
    made = []
    for place, which in ((run, 1), (first, "newest"), (run, "newest")):
        said = zerosum(word, place, "given.png", *more, "--checkpoint", which, "--out", f"{len(made)}.png")
        assert said.code == 0, said.err
        made.append(Path(f"{len(made)}.png").read_bytes())
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        (3, "keeps no checkpoint of round 3; it keeps: 2, 4, 6. Give one of them, or train with --keep 100"),
        (-1, "--checkpoint is -1, but should be 'newest' or 'best', or greater than or equal to 0."),
    ],
)
def test_a_round_that_is_not_kept_is_refused(which: int, sentence: str, kept: Path, zerosum: Any) -> None:
    said = zerosum("sample", kept, "--checkpoint", which)
    assert (said.code, sentence in said.err) == (2, True), said.err


@pytest.mark.parametrize("name", ["evaluation.evaluate", "exporting.export", "hub.package"])
def test_what_is_told_is_of_the_checkpoint_that_was_loaded(name: str, kept: Path, monkeypatch: Any) -> None:
    """A run that trains on may write a newer checkpoint at any moment: here while the model is loaded."""
    run = alone(kept, 4, Path("run"))
    asked: list[Which] = []
    module: Any = importlib.import_module(f"zerosum.{name}")
    loader = "load_recipe" if hasattr(module, "load_recipe") else "load"
    real = getattr(module, loader)

    def load(*arguments: Any, checkpoint: Which = "newest", **more: Any) -> Any:
        asked.append(checkpoint)
        found = real(*arguments, checkpoint=checkpoint, **more)
        shutil.copytree(kept / "checkpoints" / "00000006", run / "checkpoints" / "00000006")
        return found

    monkeypatch.setattr(module, loader, load)
    assert told(name, run) == 4
    assert asked == [4]


def told(name: str, run: Path) -> int:
    """Return the round that something says it is of."""
    if name == "evaluation.evaluate":
        return api.evaluate(run, metrics="modes", progress=Silent()).round or 0
    if name == "exporting.export":
        onnx = pytest.importorskip("onnx")
        facts = onnx.load(api.export(run)[0].path).metadata_props
        return json.loads(next(entry.value for entry in facts if entry.key == "model"))["round"]
    asked = package.Asked(repository=Repository.read("name/model"))
    return int(json.loads(package.pack(Run(run), asked).files[INDEX])["round"])
