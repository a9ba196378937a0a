"""Held-out splits: one search, in which only absence passes in silence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum import api
from zerosum.cli import main
from zerosum.data.batch import Images, Pairs
from zerosum.data.options import DataConfig
from zerosum.errors import InputError, NoSuchSplit
from zerosum.evaluation.splits import find_splits
from zerosum.kinds import open_as, open_splits
from zerosum.runtime.progress import Silent
from zerosum.tasks import TRANSLATE
from zerosum.training.preview import preview_batch

PAIRED: Any = SimpleNamespace(task=TRANSLATE, data=(Pairs,))
"""What a preview asks of a recipe that translates."""


def folder(place: str, count: int = 4, size: tuple[int, ...] = (16, 16, 3)) -> Path:
    """Random images in a folder."""
    Path(place).mkdir(parents=True)
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(pixels).save(f"{place}/{index}.png")
    return Path(place)


def corrupt(place: Path) -> None:
    (place / "1.png").write_bytes(b"no image at all")


@pytest.mark.parametrize(
    "make",
    [
        lambda: folder("data/train").parent,
        lambda: folder("data"),
        lambda: _saved("data.npz", x_train=np.zeros((4, 8, 8), np.uint8)),
        lambda: _saved("data.npz", images=np.zeros((4, 8, 8), np.uint8)),
        lambda: _saved("data.npy", np.zeros((4, 8, 8), np.uint8)),
        lambda: "digits",
    ],
)
def test_a_split_that_is_not_there_is_absent(make: Any) -> None:
    source = make()
    with pytest.raises(NoSuchSplit, match="has no split test"):
        open_as((Images,), source, options=DataConfig(split="test"))
    assert list(open_splits((Images,), source, options=DataConfig())) == []


def _saved(name: str, *arrays: Any, **named: Any) -> str:
    (np.savez if named else np.save)(name, *arrays, **named)
    return name


@pytest.mark.parametrize(("make", "split"), [("trainA trainB", "test"), ("train", "test"), ("A B", "val")])
def test_a_split_of_two_sides_that_is_not_there_is_absent(make: str, split: str) -> None:
    for name in make.split():
        folder(f"data/{name}", size=(16, 32, 3) if name == "train" else (16, 16, 3))
    assert len(open_as((Pairs,), "data")) == 4
    with pytest.raises(NoSuchSplit):
        open_as((Pairs,), "data", options=DataConfig(split=split))


def test_splits_come_in_order_and_only_when_asked_for() -> None:
    folder("data/train")
    folder("data/val", count=2)
    corrupt(folder("data/test"))
    found = open_splits((Images,), "data", ("val", "test"), options=DataConfig())
    assert next(found)[0] == "val"
    with pytest.raises(InputError, match=r"1\.png"):
        next(found)


def test_a_corrupt_held_out_folder_is_told_wherever_it_is_looked_for() -> None:
    folder("data/train", size=(16, 32, 3))
    corrupt(folder("data/test", size=(16, 32, 3)))
    said = "1 of 4 images in .*data cannot be used"
    for kinds in ((Pairs,), (Images,)):
        with pytest.raises(InputError, match=said):
            list(open_splits(kinds, "data", options=DataConfig()))
        with pytest.raises(InputError, match=said):
            find_splits(kinds, "data", DataConfig(), split=None)
    with pytest.raises(InputError, match=said):
        preview_batch(PAIRED, open_as((Pairs,), "data"), DataConfig(), most=4)
    with pytest.raises(InputError, match=said):
        api.train("data", recipe="pix2pix", run="run", rounds=1, width=4, layers=2, progress=Silent())
    assert not Path("run").exists()


def test_evaluate_tells_of_a_corrupt_held_out_folder(capsys: pytest.CaptureFixture[str]) -> None:
    corrupt(folder("data/test"))
    folder("data/train")
    folder("made")
    assert main(["evaluate", "made", "--against", "data", "--features", "pixels", "--metrics", "fid"]) == 2
    said = capsys.readouterr().err
    assert "1.png" in said
    assert "Traceback" not in said


def test_a_split_of_another_shape_is_left_out_with_a_sentence() -> None:
    folder("data/train", size=(16, 32, 3))
    folder("data/test", size=(16, 32))
    found = find_splits((Pairs,), "data", DataConfig(), split=None)
    assert found.other is None
    assert found.real.split == "train"
    assert found.notes == (
        "Split test is left out: its samples have the shape (1, 16, 16) and those of split train (3, 16, 16).",
    )
