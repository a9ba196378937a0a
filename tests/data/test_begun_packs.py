"""A pack that was stopped goes on behind what it has decoded, to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zerosum.data.options import DataConfig
from zerosum.data.packing import making, pack_images
from zerosum.kinds import open_data

NOTED, COUNT = 10, 35


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_images, "NOTED", NOTED)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    place = tmp_path / "images"
    generator = np.random.default_rng(0)
    for number in range(COUNT):
        path = place / str(number % 2) / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    return place


def opened(images: Path, cache: Path) -> Any:
    return open_data(images, options=DataConfig(cache=str(cache), size="8", corrupt="skip"))


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


def test_it_goes_on_behind_the_rows_that_were_noted(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (images / "0" / "004.png").write_bytes((images / "0" / "004.png").read_bytes()[:90])
    whole = opened(images, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_at(27, patch)
        with pytest.raises(KeyboardInterrupt):
            opened(images, tmp_path / "cache")
    added = stop_at(-1, monkeypatch)
    again = opened(images, tmp_path / "cache")
    assert added() == COUNT - 2 * NOTED
    assert np.array_equal(again.samples, whole.samples)
    assert np.array_equal(again.labels, whole.labels)
    assert again.fingerprint == whole.fingerprint
    assert again.notes == whole.notes
    assert any("004.png" in note for note in again.notes)
    (folder,) = (tmp_path / "cache" / "packed").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["labels.npy", "pack.json", "samples.npy", "seal.json"]


def test_rows_that_were_changed_meanwhile_are_not_gone_on_with(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(27, patch)
        with pytest.raises(KeyboardInterrupt):
            opened(images, tmp_path / "cache")
    (folder,) = (tmp_path / "cache" / "packed").glob(".making-*")
    (folder / "begun.json").write_text("{")
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
def test_a_process_that_is_killed_loses_no_more_than_what_was_not_noted(images: Path, tmp_path: Path) -> None:
    code = f"""
import os, signal
from zerosum.data.packing import making, pack_images
pack_images.NOTED = {NOTED}
real, rows = making.Packing.append, []
def append(self, *given):
    rows.append(1)
    if len(rows) == 27:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, *given)
making.Packing.append = append
from zerosum.data.options import DataConfig
from zerosum.kinds import open_data
open_data({str(images)!r}, options=DataConfig(cache={str(tmp_path / "cache")!r}, size="8", corrupt="skip"))
"""
    killed = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert np.array_equal(opened(images, tmp_path / "cache").samples, opened(images, tmp_path / "whole").samples)
