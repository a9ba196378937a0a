"""Samples that two processes generate, and features that they extract, together are those of one."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from tests.distributed.see import COUNT, generate, see
from tests.distributed.test_two_processes import torchrun
from zerosum.runtime.distributed import World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("two")
    code, said = torchrun("tests.distributed.see", out)
    assert code == 0, said
    return out


@pytest.fixture(scope="module")
def found(two: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    first, second = (safetensors.torch.load_file(two / f"{rank}.safetensors") for rank in range(2))
    return first, second


def test_two_processes_share_the_images_and_get_the_features_of_one(found: tuple, tmp_path: Path) -> None:
    alone, (first, second) = see(tmp_path / "alone", World()), found
    for name in ("made", "read", "again"):
        assert torch.equal(first[name], second[name])
        assert torch.equal(first[name], alone[name])
    assert int(alone["seen"]) == 2 * COUNT
    assert sorted((int(first["seen"]), int(second["seen"]))) == [40 + 32, 50 + 58]


def test_two_processes_share_the_generation_and_get_the_samples_of_one(found: tuple) -> None:
    alone, (first, second) = generate(World()), found
    assert [name for name in alone if name.endswith("images")] == ["dcgan images", "progan images", "pix2pix images"]
    for name in alone.keys() - {"generated"}:
        assert torch.equal(first[name], second[name])
        assert torch.equal(first[name], alone[name]), name
    assert int(alone["generated"]) == 3 * 96 + COUNT
    assert int(first["generated"]) + int(second["generated"]) == int(alone["generated"])
    assert int(first["generated"]) == 3 * 48 + 48


def test_what_one_process_refuses_all_refuse(two: Path) -> None:
    said = [(two / f"{rank}.txt").read_text() for rank in range(2)]
    assert said[0] == said[1]
    assert "not finite numbers" in said[0]
