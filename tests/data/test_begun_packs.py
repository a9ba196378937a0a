"""A pack that was stopped goes on behind what it has decoded, to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data.options import DataConfig
from zerosum.data.packing import making
from zerosum.kinds import open_data

NOTED, COUNT = 10, 35


KINDS = ("pixels", "files", "tiles", "clips", "sounds")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "NOTED_FILES", NOTED)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return make("pixels", tmp_path / "images")


def make(kind: str, place: Path) -> Path:
    """Write files of a kind in two classes, of which all but those of pixels and files give 2 rows or 4 each."""
    generator = np.random.default_rng(0)
    sides = {"tiles": (12, 8 + 4), "clips": (8, 8 * 7)}
    for number in range(COUNT):
        path = place / str(number % 2) / f"{number:03d}.{'wav' if kind == 'sounds' else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "sounds":
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(generator.integers(-9000, 9000, 2048, dtype=np.int16).tobytes())
        else:
            Image.fromarray(generator.integers(0, 256, sides.get(kind, (8, 8)), dtype=np.uint8)).save(path)
    return place


OPTIONS: dict[str, dict[str, Any]] = {
    "pixels": {"size": "8"},
    "files": {"size": "8", "pack": "files"},
    "tiles": {"size": "8", "fit": "tiles"},
    "clips": {"frames": 3, "size": "8"},
    "sounds": {"length": 1024},
}


def opened(place: Path, cache: Path, kind: str = "pixels") -> Any:
    return open_data(place, options=DataConfig(cache=str(cache), corrupt="skip", **OPTIONS[kind]))


def stop_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Stop at the n-th row; return a function that counts the rows that were added."""
    real, rows = making.Packing.append, []

    def append(self: making.Packing, *given: Any) -> None:
        rows.append(1)
        if len(rows) == number:
            raise KeyboardInterrupt
        real(self, *given)

    monkeypatch.setattr(making.Packing, "append", append)
    return lambda: len(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_behind_the_rows_that_were_noted(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make(kind, tmp_path / "data")
    if kind in ("pixels", "files", "clips"):
        (place / "0" / "004.png").write_bytes((place / "0" / "004.png").read_bytes()[:90])
    appended = stop_at(-1, monkeypatch)
    whole = opened(place, tmp_path / "whole", kind)
    each = appended() // COUNT if kind == "tiles" else 1  # of each file
    with monkeypatch.context() as patch:
        stop_at(each * (COUNT - 8), patch)
        with pytest.raises(KeyboardInterrupt):
            opened(place, tmp_path / "cache", kind)
    added = stop_at(-1, monkeypatch)
    again = opened(place, tmp_path / "cache", kind)
    assert added() == each * (COUNT - 2 * NOTED)
    assert np.array_equal(again.samples, whole.samples)
    assert np.array_equal(again.labels, whole.labels)
    assert again.fingerprint == whole.fingerprint
    assert again.notes == whole.notes
    (folder,) = (tmp_path / "cache" / "packed").iterdir()
    (other,) = (tmp_path / "whole" / "packed").iterdir()
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "seal.json"} == {
        path.name: path.read_bytes() for path in other.iterdir() if path.name != "seal.json"
    }


def test_many_bytes_are_noted_before_many_files(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "NOTED_BYTES", 64 * 3)
    with monkeypatch.context() as patch:
        stop_at(8, patch)
        with pytest.raises(KeyboardInterrupt):
            opened(images, tmp_path / "cache")
    added = stop_at(-1, monkeypatch)
    assert np.array_equal(opened(images, tmp_path / "cache").samples, opened(images, tmp_path / "whole").samples)
    assert added() == COUNT - 6 + COUNT


@pytest.mark.parametrize(
    ("name", "content"), [("begun.json", "{"), ("begun.files", "cut"), ("samples.npy", "cut"), ("begun.files", None)]
)
def test_rows_that_were_changed_meanwhile_are_not_gone_on_with(
    name: str, content: str | None, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(27, patch)
        with pytest.raises(KeyboardInterrupt):
            opened(images, tmp_path / "cache")
    (folder,) = (tmp_path / "cache" / "packed").glob(".making-*")
    (folder / name).unlink() if content is None else (folder / name).write_text(content)
    added = stop_at(-1, monkeypatch)
    assert np.array_equal(opened(images, tmp_path / "cache").samples, opened(images, tmp_path / "whole").samples)
    assert added() == 2 * COUNT


def test_one_that_another_process_makes_is_made_apart(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, homes = stop_at(-1, monkeypatch), []
    real = making.Packing.__init__

    def begin(self: making.Packing, folder: Path, *given: Any, **named: Any) -> None:
        homes.append(folder)
        real(self, folder, *given, **named)
        if len(homes) == 1:  # while this one is being made
            opened(images, tmp_path / "cache")

    monkeypatch.setattr(making.Packing, "__init__", begin)
    opened(images, tmp_path / "cache")
    assert len(set(homes)) == 2
    assert stopped() == 2 * COUNT
    assert len(list((tmp_path / "cache" / "packed").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_is_killed_loses_no_more_than_what_was_not_noted(kind: str, tmp_path: Path) -> None:
    place = make(kind, tmp_path / "data")
    code = f"""
import os, signal
from zerosum.data.packing import making
making.NOTED_FILES = {NOTED}
real, rows = making.Packing.append, []
def append(self, *given):
    rows.append(1)
    if len(rows) == 27:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, *given)
making.Packing.append = append
from zerosum.data.options import DataConfig
from zerosum.kinds import open_data
open_data({str(place)!r}, options=DataConfig(cache={str(tmp_path / "cache")!r}, corrupt="skip", **{OPTIONS[kind]!r}))
"""
    killed = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    again, whole = opened(place, tmp_path / "cache", kind), opened(place, tmp_path / "whole", kind)
    assert np.array_equal(again.samples, whole.samples)
    assert again.fingerprint == whole.fingerprint
