"""`--checkpoint`: the newest, the best, or that of a round; what is told is of the one that was loaded."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.cli.test_translate import SIDE, picture
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.errors import InputError
from zerosum.hub import package
from zerosum.hub.index import INDEX
from zerosum.run import checkpoint, checkpoint_files
from zerosum.run.directory import Run, Which
from zerosum.runtime import regular_files
from zerosum.runtime.hub_names import Repository
from zerosum.runtime.progress import Silent
from zerosum.server.model import Model


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


@pytest.mark.parametrize("which", ["newest", "best"])
@pytest.mark.parametrize("name", ["evaluate", "export", "push", "serve"])
def test_what_is_told_is_of_the_checkpoint_that_was_loaded(
    name: str, which: Which, kept: Path, monkeypatch: Any
) -> None:
    """A run that trains on may write another checkpoint at any moment: here before and after each is read."""
    run = alone(kept, 2, Path("run"))
    replaced, read, loaded = iter((4, 6)), checkpoint_files.read, []

    def replace() -> None:
        if (round_ := next(replaced, None)) is not None:
            place = run / "checkpoints" / ("best" if which == "best" else f"{round_:08d}")
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(kept / "checkpoints" / f"{round_:08d}", place)

    def between(*arguments: Any) -> checkpoint_files.Checkpoint:
        replace()
        loaded.append(read(*arguments))
        replace()
        return loaded[-1]

    if which == "best":
        shutil.copytree(run / "checkpoints" / "00000002", run / "checkpoints" / "best")
    monkeypatch.setattr(checkpoint_files, "read", between)
    round_, expected = told(name, run, which)
    assert round_ == loaded[-1].round == expected
    assert len(loaded) == (2 if name == "serve" else 1)  # a server loads what is newer


def told(name: str, run: Path, which: Which) -> tuple[int, int]:
    """Return the round that something says it is of, and the one that is expected."""
    first = 4 if which == "best" else 2
    if name == "evaluate":
        return api.evaluate(run, metrics="modes", checkpoint=which, progress=Silent()).round or 0, first
    if name == "export":
        onnx = pytest.importorskip("onnx")
        facts = onnx.load(api.export(run, checkpoint=which)[0].path).metadata_props
        return json.loads(next(entry.value for entry in facts if entry.key == "model"))["round"], first
    if name == "serve":
        model = Model(run, which=which)
        model.refresh()
        return model.round, 6
    asked = package.Asked(repository=Repository.read("name/model"), checkpoint=which, with_state=True)
    return int(json.loads(package.pack(Run(run), asked).files[INDEX])["round"]), first


@pytest.mark.parametrize("moment", ["between its files", "while none is there"])
def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_anew(moment: str, kept: Path, monkeypatch: Any) -> None:
    run = Run(alone(kept, 2, Path("run")))
    older, newer = (kept / "checkpoints" / f"{round_:08d}" for round_ in (4, 6))
    read_regular, moved = regular_files.read_regular, []

    def replace() -> None:
        moved.append(moment)
        shutil.rmtree(run.best, ignore_errors=True)
        shutil.copytree(newer, run.best)

    def reading(path: Path) -> bytes:
        if path.parent == run.best and path.name == checkpoint.WEIGHTS and not moved:
            replace()
        return read_regular(path)

    if moment == "between its files":
        shutil.copytree(older, run.best)
        monkeypatch.setattr(checkpoint_files, "read_regular", reading)
    monkeypatch.setattr(time, "sleep", lambda _: moved or replace())
    loaded = api.load(run.path, checkpoint="best").state_dict()
    expected = api.load(kept, checkpoint=6).state_dict()
    assert moved
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_a_checkpoint_that_the_system_does_not_give_is_not_said_to_be_missing(kept: Path, monkeypatch: Any) -> None:
    def refused(path: Path) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(checkpoint_files, "read_regular", refused)
    with pytest.raises(InputError, match=r"The checkpoint .*00000006 cannot be read: Too many open files\."):
        api.load(kept)


def test_a_checkpoint_that_is_damaged_is_refused_at_once(kept: Path, monkeypatch: Any) -> None:
    run = alone(kept, 4, Path("run"))
    shutil.copytree(run / "checkpoints" / "00000004", run / "checkpoints" / "best")
    (run / "checkpoints" / "best" / "weights.safetensors").write_bytes(b"other")
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(InputError, match="is damaged"):
        checkpoint_files.read_chosen(Run(run), "best")
    assert waits == [checkpoint_files.SECONDS]
