"""Features that two processes extract together are those of one."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch

from tests.distributed.see import COUNT, see
from tests.distributed.test_two_processes import torchrun
from zerosum.runtime.distributed import World


def test_two_processes_share_the_images_and_get_the_features_of_one(tmp_path: Path) -> None:
    code, said = torchrun("tests.distributed.see", tmp_path)
    assert code == 0, said
    alone = see(tmp_path / "alone", World())
    first, second = (safetensors.torch.load_file(tmp_path / f"{rank}.safetensors") for rank in range(2))
    for name in ("made", "read", "again"):
        assert torch.equal(first[name], second[name])
        assert torch.equal(first[name], alone[name])
    assert int(alone["seen"]) == 2 * COUNT
    assert sorted((int(first["seen"]), int(second["seen"]))) == [40 + 32, 50 + 58]
