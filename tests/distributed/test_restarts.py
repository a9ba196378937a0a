"""Runs of several processes that are killed, asked to stop, restarted and resumed by other numbers of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.cli.conftest import assert_same_checkpoint
from tests.distributed.test_two_processes import ROOT, assert_close
from zerosum.run.directory import Run
from zerosum.runtime.lock import holder

pytestmark = pytest.mark.slow

GAN = (
    "--recipe", "gan", "--batch", 16, "--generator-hidden", 16, "--discriminator-hidden", 16, "--save-every", 20,
    "--log-every", 5,
)  # fmt: skip


def launched(run: Path, *more: object, processes: int = 2, restarts: int = 0, **environment: str) -> subprocess.Popen:
    """Start `zerosum train --go-on` under torchrun."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", processes, "--max-restarts", restarts,
        "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--monitor-interval", 0.1,
        "-m", "zerosum", "--", "train", "ring8", *GAN, "--run", run, "--go-on", *more,
    ]  # fmt: skip
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [str(word) for word in command], env=os.environ | paths | environment, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen, *, timeout: float = 300) -> str:
    try:
        return process.communicate(timeout=timeout)[1]
    finally:
        process.terminate()


def wait_for_round(run: Path, round_: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 240
    while not (run / "history.jsonl").exists() or (Run(run).history().last("round") or 0) < round_:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers(launcher: int) -> list[int]:
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    return [int(child) for child in children if b"zerosum" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 120 rounds that nothing interrupts, played by two processes."""
    run = tmp_path_factory.mktemp("straight") / "run"
    process = launched(run, "--rounds", 120)
    said = finish(process)
    assert process.returncode == 0, said
    return run


@pytest.mark.parametrize("first", [True, False], ids=["the-first", "another"])
def test_a_killed_process_is_restarted_and_the_run_ends_with_the_same_bits(
    first: bool, straight: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = launched(run, "--rounds", 120, restarts=2)
    wait_for_round(run, 30, process)
    leader = holder(run)
    killed = leader if first else next(worker for worker in workers(process.pid) if worker != leader)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    said = finish(process)
    assert process.returncode == 0, said
    assert "Going on from round" in said
    assert_same_checkpoint(Run(run).checkpoint(120), straight / "checkpoints" / "00000120")
    rows = [row["round"] for row in Run(run).history()]
    assert rows == [row["round"] for row in Run(straight).history()]
    if not first:
        assert " does not answer: killed, out of memory" in said or "Process 1 on " in said


def test_two_one_and_four_processes_play_the_game_of_one(straight: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for processes, rounds in ((2, 40), (1, 80), (4, 120)):
        process = launched(run, "--rounds", rounds, processes=processes)
        said = finish(process)
        assert process.returncode == 0, said
    assert_close(run, straight, rounds=120)
    one = tmp_path / "one"
    process = launched(one, "--rounds", 120, processes=1)
    assert process.wait(300) == 0, finish(process)
    assert_close(one, straight, rounds=120)


def test_an_agent_that_is_asked_to_stop_leaves_a_checkpoint_and_the_command_goes_on(
    straight: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = launched(run, "--rounds", 120)
    wait_for_round(run, 30, process)
    process.send_signal(signal.SIGTERM)
    said = finish(process)
    assert process.returncode != 0
    assert "Stopped and saved at round" in said
    assert int(Run(run).latest().name) >= 30
    assert not (run / "lock").exists()
    process = launched(run, "--rounds", 120)
    said = finish(process)
    assert process.returncode == 0, said
    assert_same_checkpoint(Run(run).checkpoint(120), straight / "checkpoints" / "00000120")


def test_a_folder_that_another_process_writes_is_refused_by_all(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = launched(run, "--rounds", 100_000)
    wait_for_round(run, 10, process)
    second = launched(run, "--rounds", 100_000)
    said = finish(second)
    process.terminate()
    finish(process)
    assert second.returncode != 0
    assert said.count(f"{run} is being written by process ") >= 1, said
    assert "zerosum/training" not in said  # no traceback of ours


def test_detailed_checks_of_torch_find_no_difference_among_the_processes(straight: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = launched(run, "--rounds", 120, "--evaluate-every", 60, TORCH_DISTRIBUTED_DEBUG="DETAIL")
    said = finish(process)
    assert process.returncode == 0, said
    ours = safetensors.torch.load_file(Run(run).checkpoint(120) / "weights.safetensors")
    theirs = safetensors.torch.load_file(straight / "checkpoints" / "00000120" / "weights.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert "mismatch" not in said.lower()
