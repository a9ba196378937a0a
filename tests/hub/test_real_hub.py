"""A run that is pushed to huggingface.co itself and pulled from there, where you say so.

ZEROSUM_HUB_TOKEN=hf_... ZEROSUM_HUB_REPOSITORY=ada/zerosum-test python -m pytest -m real_hub tests/hub

The repository is made private, or has to be; what it holds is replaced, and it stays.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from zerosum import api

TOKEN, REPOSITORY = "ZEROSUM_HUB_TOKEN", "ZEROSUM_HUB_REPOSITORY"


@pytest.mark.real_hub
@pytest.mark.skipif(not (os.environ.get(TOKEN) and os.environ.get(REPOSITORY)), reason=f"needs {TOKEN}, {REPOSITORY}")
def test_a_run_goes_to_the_hub_and_comes_back(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    name, run = os.environ[REPOSITORY], tmp_path / "run"
    shutil.copytree(trained, run)
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    surroundings |= {"HF_TOKEN": os.environ[TOKEN], "ZEROSUM_CACHE": str(tmp_path / "cache")}

    def zerosum(*words: object) -> str:
        command = [sys.executable, "-m", "zerosum", *map(str, words)]
        return subprocess.run(command, check=True, env=surroundings, capture_output=True, text=True).stdout

    assert f"To {name}, private" in zerosum("push", run, name, "--yes")
    zerosum("pull", name, "--to", tmp_path / "there")
    zerosum("sample", f"hf:{name}", "-n", 4, "--label", "0", "--out", tmp_path / "samples.png")
    mine, theirs = (api.load(place, device="cpu").state_dict() for place in (run, tmp_path / "there"))
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[key]) for key, value in mine.items())
