"""Stacked MNIST: what is stacked, what it is called, and what is said where MNIST is not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum.data.sources import builtin
from zerosum.data.sources.builtin import COUNTS, stack
from zerosum.data.sources.image_array import ImageArray
from zerosum.errors import InputError
from zerosum.kinds import open_data

REAL = os.environ.get("ZEROSUM_DATA", "")
needs_real_data = pytest.mark.skipif(not Path(REAL, "mnist").is_dir(), reason="ZEROSUM_DATA names no folder with mnist")


def ten() -> ImageArray:
    """Ten images whose every pixel is their digit."""
    labels = np.arange(10)
    return ImageArray(
        samples=np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (10, 2, 3, 1)), labels=labels
    )


@pytest.mark.parametrize("split", COUNTS)
def test_each_colour_is_a_digit_and_the_label_is_the_number_they_spell(split: str) -> None:
    table = stack(ten(), split)
    assert table.samples.shape == (COUNTS[split], 2, 3, 3)
    assert table.samples.dtype == np.uint8
    assert table.labels is not None
    assert np.array_equal(table.samples[:, 1, 2].astype(int) @ [100, 10, 1], table.labels)
    assert table.classes[table.labels[0]] == "".join(map(str, table.samples[0, 0, 0]))
    assert len(np.unique(table.labels)) == 1000


def test_stacks_are_the_same_every_time_and_of_other_digits_in_each_split() -> None:
    first, again, test = (stack(ten(), split).labels for split in ("train", "train", "test"))
    assert np.array_equal(first, again)
    assert (first[: len(test)] != test).mean() > 0.99


def test_its_files_are_those_of_mnist(options: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = options()
    files = [tmp_path / "mnist" / f"train-{name}-ubyte" for name in ("images-idx3", "labels-idx1")]
    files[0].parent.mkdir()
    for file in files:
        file.touch()
    monkeypatch.setenv("ZEROSUM_DATA", str(tmp_path))
    assert builtin.locate("stacked-mnist", asked) == tuple(files)
    with pytest.raises(InputError, match="has no split val"):
        open_data("stacked-mnist", options=options(split="val"))


@needs_real_data
def test_real_digits_are_stacked_at_28_or_padded_to_32(options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, padded = options(split="test"), options(split="test", size="32")
    monkeypatch.setenv("ZEROSUM_DATA", REAL)
    data, wide = open_data("Stacked_MNIST", options=plain), open_data("stacked-mnist", options=padded)
    assert data.spec.shape == (3, 28, 28)
    assert len(data) == 26_000
    assert len(data.spec.classes) == 1000
    assert np.array_equal(wide.samples[:50, 2:30, 2:30], data.samples[:50])
    assert any("each of three digits drawn from the 10,000 of MNIST's test" in note for note in data.notes)
