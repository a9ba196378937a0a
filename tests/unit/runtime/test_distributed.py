"""A world of one process; what two do together is in tests/distributed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
import torch

from zerosum.cli import main
from zerosum.errors import InputError, ProcessLostError, ZerosumError
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World


def test_without_torchrun_one_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    world = distributed.join(torch.device("cpu"))
    assert world == World(rank=0, size=1, local_rank=0)
    assert world.is_first
    assert not World(rank=1, size=2).is_first


def test_alone_everything_is_ones_own() -> None:
    world, value, weight = World(), torch.tensor([1.0, 2.0]), torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.ones(2)
    world.average_gradients([weight])
    world.wait()
    assert world.average_(value) is value
    assert value.tolist() == [1.0, 2.0]
    assert weight.grad.tolist() == [1.0, 1.0]
    assert (world.any(True), world.any(False)) == (True, False)
    assert world.gather("mine") == ["mine"]


def test_leaving_a_world_of_one_is_harmless() -> None:
    distributed.leave()
    distributed.leave()


LOST = "killed, out of memory, or a machine or the network is down."
SLOW = pytest.mark.slow
FIRST = "The first node of this run does not answer: it has ended, or the network to it is down.\n"
DESERTED = """
import os, sys, torch
from zerosum.runtime import distributed, rendezvous
from zerosum.errors import InputError, ZerosumError
rendezvous.ANSWER_SECONDS = 1.0
gone, how = int(sys.argv[1]), sys.argv[2]
world = distributed.join(torch.device("cpu"))
world.wait()
try:
    with distributed.together():
        if world.rank == gone:
            os._exit(0) if how == "killed" else None
            raise InputError("no data here")
        while True:
            world.any(False)
except ZerosumError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("gone", "how", "said"),
    [
        pytest.param("0", "killed", FIRST, marks=SLOW),
        ("1", "killed", "Process 1 on {host} does not answer: {lost}\n"),
        pytest.param("1", "failed", "Process 1 on {host} has stopped: no data here\n", marks=SLOW),
    ],
)  # fmt: skip
def test_a_process_whose_companion_is_gone_says_which_and_why(gone: str, how: str, said: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", DESERTED, gone, how],
            env=os.environ | world | {"RANK": rank},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    found = [process.communicate(timeout=120)[0] for process in both]
    assert found[1 - int(gone)] == said.format(host=socket.gethostname(), lost=LOST)
    assert found[int(gone)] == ("" if how == "killed" else "no data here\n")


def test_of_several_processes_only_the_first_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for rank, sentences in (("0", 1), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        assert main(["sample", "missing"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == sentences


def test_a_process_that_fails_at_its_turn_says_so_itself_and_nobody_waits() -> None:
    failed: list[bool] = []

    class Two(World):
        def any(self, flag: bool) -> bool:
            failed.append(flag)
            return any(failed)

    def fail() -> None:
        raise InputError("there is none")

    with pytest.raises(InputError, match="there is none"):
        Two(rank=0, size=2).first_then_others(fail)
    with pytest.raises(ProcessLostError):
        Two(rank=1, size=2).first_then_others(fail)
    assert failed == [True, False]


@pytest.mark.parametrize(
    ("error", "said"), [(InputError("no data here"), "Process 1: no data here\n"), (ProcessLostError("gone"), "")]
)
def test_an_error_that_another_process_alone_knows_is_told_by_it(
    error: ZerosumError, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> None:
        raise error

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(distributed, "_joined", True)
    monkeypatch.setattr("zerosum.cli.report.run", fail)
    assert main(["report", "run"]) == error.exit_code
    assert capsys.readouterr().err == said


class Turns(World):
    """One of several processes: says when it has made its part, and hears of what others do."""

    heard: tuple[bool, ...] = ()

    def any(self, flag: bool) -> bool:
        votes.append((self.rank, flag))
        return flag


votes: list[tuple[int, bool]] = []


@pytest.mark.parametrize(
    ("rank", "local_rank", "local_size", "meetings"),
    [(0, 0, 2, 2), (1, 1, 2, 2), (2, 0, 2, 2), (3, 1, 2, 2), (0, 0, 4, 1), (3, 3, 4, 1)],
)
def test_one_process_a_node_makes_what_all_open(rank: int, local_rank: int, local_size: int, meetings: int) -> None:
    votes.clear()
    world = Turns(rank=rank, size=4, local_rank=local_rank, local_size=local_size)
    made: list[int] = []
    world.first_then_others(lambda: made.append(len(votes)))
    assert len(votes) == meetings  # every process meets the others as often
    expected = 0 if rank == 0 else 1 if local_rank == 0 else meetings
    assert made == [expected]
