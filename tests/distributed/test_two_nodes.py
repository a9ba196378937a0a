"""Two machines, as two network namespaces with a cable between them: no shared cache, and a cable that is cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.distributed.test_restarts import wait_for_round
from tests.distributed.test_two_processes import ROOT
from zerosum.run.directory import Run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ip") is None or os.geteuid() != 0, reason="needs root and iproute2"),
]

PORT = 29500
SETTINGS = ("--recipe", "dcgan", "--size", 8, "--width", 4, "--batch", 8, "--save-every", 5, "--log-every", 1)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def nodes() -> Iterator[list[str]]:
    """Names of two namespaces, 10.77.0.1 and 10.77.0.2."""
    names = [f"zs{os.getpid()}-{number}" for number in range(2)]
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1])
        for number, name in enumerate(names, start=1):
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for index in range(40):
        pixels = np.random.default_rng(index).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "data" / f"{index}.png")
    return tmp_path / "data"


def launched(
    node: str, number: int, tmp_path: Path, *words: object, said: Any = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start torchrun on a node, as docs/scale.md says."""
    command = [
        "ip", "netns", "exec", node, sys.executable, "-m", "torch.distributed.run", "--nnodes", 2,
        "--nproc-per-node", 1, "--rdzv-backend", "c10d", "--rdzv-endpoint", f"10.77.0.1:{PORT}", "--rdzv-id", "job",
        "--rdzv-conf", f"is_host={int(number == 0)}", "--local-addr", f"10.77.0.{number + 1}", "--max-restarts", 0,
        "-m", "zerosum", "--", "train", *words,
    ]  # fmt: skip
    own = {
        "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": "1",
        "ZEROSUM_CACHE": str(tmp_path / f"cache-{number}"),
        "GLOO_SOCKET_IFNAME": "cable",
    }
    return subprocess.Popen([str(word) for word in command], env=os.environ | own, stderr=said, text=True)


def finish(processes: list[subprocess.Popen[str]], *, timeout: float) -> list[str]:
    try:
        return [process.communicate(timeout=timeout)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()


def test_two_nodes_without_a_shared_cache_train_one_run(nodes: list[str], data: Path, tmp_path: Path) -> None:
    words = (data, *SETTINGS, "--rounds", 6, "--run", tmp_path / "run", "--go-on")
    both = [launched(node, number, tmp_path, *words) for number, node in enumerate(nodes)]
    said = finish(both, timeout=400)
    assert [process.returncode for process in both] == [0, 0], said
    assert Run(tmp_path / "run").latest().name == "00000006"
    for number in range(2):  # each packed for itself
        assert len(list((tmp_path / f"cache-{number}" / "packed").iterdir())) == 1
    assert "Done: 6 rounds" in said[0]
    assert "Done" not in said[1]


def test_a_node_that_is_lost_ends_the_other_with_a_sentence_in_time(
    nodes: list[str], data: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    words = (data, *SETTINGS, "--rounds", 1_000_000, "--run", run, "--go-on", "--lost-after", 0.2)
    with open(tmp_path / "second", "w") as second:
        both = [
            launched(node, number, tmp_path, *words, said=second if number else subprocess.PIPE)
            for number, node in enumerate(nodes)
        ]
    wait_for_round(run, 8, both[0])
    ip("-n", nodes[0], "link", "set", "cable", "down")
    cut = time.monotonic()
    said = both[0].communicate(timeout=300)[1]
    assert time.monotonic() - cut < 240
    lost = "Process 1: The first node of this run does not answer: it has ended, or the network to it is down."
    while lost not in (tmp_path / "second").read_text():
        assert time.monotonic() - cut < 240, (tmp_path / "second").read_text()
        time.sleep(0.2)
    both[1].kill()
    both[1].wait()
    assert both[0].returncode != 0
    assert "Process 1 on " in said
    assert " does not answer: killed, out of memory, or a machine or the network is down." in said
    assert int(Run(run).latest().name) >= 5
    assert not (run / "lock").exists()
