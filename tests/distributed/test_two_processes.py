"""Two processes that share each batch play the game that one process plays with the whole of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tests.cli import failing_run
from tests.distributed import play
from tests.recipes.conftest import SMALL, plays_on_points
from zerosum.cli import main
from zerosum.run.directory import Run
from zerosum.run.rescues import rescues_of
from zerosum.runtime.distributed import World

ROOT = Path(__file__).parents[2]
GAN = (
    "--recipe",
    "gan",
    "--batch",
    16,
    "--generator-hidden",
    16,
    "--discriminator-hidden",
    16,
    "--save-every",
    2,
    "--watch-every",
    2,
)


def torchrun(*arguments: object, processes: int = 2, timeout: float = 240) -> tuple[int, str]:
    """Run a module in several processes, as a person would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        processes,
        "--master-port",
        port,
        "-m",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    command = [str(word) for word in (*launcher, *arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = process.communicate(timeout=timeout)[1]
        finally:
            process.terminate()  # the launcher then ends its processes too
    return process.returncode, said


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("two")
    for name, rounds in (("begun", 2), ("alone", 4)):
        assert main([str(word) for word in ("train", "ring8", *GAN, "--rounds", rounds, "--run", out / name)]) == 0
    code, said = torchrun("tests.distributed.play", out)
    assert code == 0, said
    return out


@pytest.fixture(scope="module")
def found(played: Path) -> list[dict[str, Any]]:
    return [json.loads((played / f"found-{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("name", [name for name in SMALL if plays_on_points(name)])
def test_two_processes_equal_one_with_the_whole_batch(name: str, played: Path) -> None:
    alone = play.rounds(name, World())
    first, second = (safetensors.torch.load_file(played / f"{name}-{rank}.safetensors") for rank in range(2))
    for key, value in alone.items():
        assert torch.equal(first[key], second[key]), f"the processes' {key} parted"
        torch.testing.assert_close(first[key], value, rtol=1e-5, atol=2e-6)


def test_two_processes_agree_on_when_the_discriminator_rests(played: Path) -> None:
    first, second = (safetensors.torch.load_file(played / f"gated-{rank}.safetensors") for rank in range(2))
    assert "accuracy" in first
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_two_processes_share_what_stabilisers_draw_and_adapt(played: Path) -> None:
    alone = play.stabilised(World())
    first, second = (safetensors.torch.load_file(played / f"stabilised-{rank}.safetensors") for rank in range(2))
    for key, value in alone.items():
        assert torch.equal(first[key], second[key]), f"the processes' {key} parted"
        torch.testing.assert_close(first[key], value, rtol=1e-3, atol=1e-4)


def test_processes_agree_on_means_votes_and_values(found: list[dict[str, Any]]) -> None:
    halved = [process["facts"].pop("halved") for process in found]
    assert halved[0] == halved[1]
    assert 1e-4 < halved[0][0] < 2 * 2**-8
    for process in found:
        assert process["facts"] == {
            "mean": [0.5, 4.0],
            "any": [True, False],
            "gathered": ["from 0", "from 1"],
            "gradient": [0.5, 0.5, 0.5],
        }


def test_when_one_process_diverges_all_stop_in_the_same_move(found: list[dict[str, Any]]) -> None:
    for process in found:
        assert process["diverged"] == "The term 'adversarial' of discriminator's loss is nan in round 1"


def test_a_batch_that_cannot_be_shared_is_refused_by_both(found: list[dict[str, Any]], played: Path) -> None:
    sentence = "--batch 15 does not divide among 2 processes of 1 micro-batches: give a multiple of 2."
    assert [process["indivisible"] for process in found] == [sentence, sentence]
    assert not (played / "odd").exists()


def test_a_run_of_one_process_goes_on_with_two(found: list[dict[str, Any]], played: Path) -> None:
    assert [process["resumed"][0] for process in found] == [0, 0]
    assert "The run began with processes 1 and goes on with 2." in found[0]["resumed"][1]
    assert found[1]["resumed"][1] == ""
    assert_close(played / "begun", played / "alone", rounds=4)


def test_torchrun_trains_once_and_a_run_of_two_processes_goes_on_with_one(tmp_path: Path, played: Path) -> None:
    run = tmp_path / "run"
    code, said = torchrun("zerosum", "--", "train", "ring8", *GAN, "--rounds", 3, "--run", run)
    assert code == 0, said
    for line in ("Done: 3 rounds.", "round 3/3"):
        assert len([said_ for said_ in said.splitlines() if said_.startswith(line)]) == 1
    assert Run(run).description["machine"]["processes"] == 2
    assert [row["round"] for row in Run(run).history()] == [2, 3]
    assert main(["train", "--resume", str(run), "--rounds", "4"]) == 0
    assert_close(run, played / "alone", rounds=4)


def assert_close(one: Path, other: Path, *, rounds: int) -> None:
    ends = [safetensors.torch.load_file(Run(run).checkpoint(rounds) / "weights.safetensors") for run in (one, other)]
    for key, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][key], rtol=1e-5, atol=2e-6)


@pytest.mark.slow
def test_two_processes_rescue_a_run_as_one_does(tmp_path: Path) -> None:
    code, said = torchrun("tests.cli.failing_run", "start", tmp_path / "two")
    assert code == 0, said
    one, two = failing_run.start(tmp_path / "one"), Run.open(tmp_path / "two")
    assert rescues_of(two) == rescues_of(one)
    assert two.latest().name == "00000060"
    assert two.description["config"] == one.description["config"]


@pytest.mark.slow
def test_two_processes_give_up_a_game_that_diverges_together(tmp_path: Path) -> None:
    hopeless = ("--stabilise", "weight-penalty:1e38")
    run = ("--run", tmp_path / "run", "--rounds", 20, "--autopilot")
    code, said = torchrun("zerosum", "--", "train", "ring8", *GAN, *hopeless, *run)
    assert code != 0
    assert said.count("The run fails after 3 rescues") == 1
    assert said.count("Rescue (try ") == 3
