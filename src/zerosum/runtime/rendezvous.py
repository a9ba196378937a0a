"""How the processes that `torchrun` started find each other, and what they know of each other besides tensors.

All of it goes by a key-value store that outlives a worker: after a restart, `torchrun --max-restarts` hands the same
store to new workers, with everything in it. So the first process names each attempt anew, and the others follow it
only where it has heard of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import torch.distributed as dist

from zerosum.errors import ProcessLostError

PATIENCE = timedelta(hours=12)
"""How long a process waits for another, which may be packing a large data set."""
ANSWER_SECONDS = 3.0
"""How long processes that notice a loss wait for each other's word."""
POLL_SECONDS = 0.05
ATTEMPT, MET, FAILED = "zerosum/attempt", "met", "failed"


FIRST_LOST = "The first node of this run does not answer: it has ended, or the network to it is down."
T = TypeVar("T")


def _in_time(ask: Callable[[], T], *, otherwise: T) -> T:
    """Ask the store, which waits without end for a machine that is gone; `otherwise` where it does not answer."""
    answers: list[T] = []

    def asking() -> None:
        with contextlib.suppress(RuntimeError):  # the store is lost too
            answers.append(ask())

    thread = threading.Thread(target=asking, name="zerosum-store", daemon=True)
    thread.start()
    thread.join(3 * ANSWER_SECONDS)
    return answers[0] if answers else otherwise


class Meeting:
    """What the processes of one attempt share: who they are, what the first decides, and why one of them fails."""

    def __init__(self, store: dist.Store, rank: int, hosts: list[str]) -> None:
        self.store, self.rank, self.hosts = store, rank, hosts

    def first_says(self, name: str, make: Callable[[], str]) -> str:
        """Return, in every process, what `make` returns in the first; `name` is used once.

        Raises:
            ProcessLostError: it has failed there.
        """
        if self.rank == 0:
            made = make()
            self.store.set(f"said/{name}", made)
            return made
        while True:
            if self.store.check([f"said/{name}"]):
                return self.store.get(f"said/{name}").decode()
            if self.store.check([FAILED]):
                raise ProcessLostError(self.store.get(FAILED).decode())
            time.sleep(POLL_SECONDS)

    def tell_failure(self, reason: str) -> None:
        """Leave word of why this process fails."""
        said = f"Process {self.rank} on {self.hosts[self.rank]} has stopped: {reason}"
        _in_time(lambda: self.store.set(FAILED, said), otherwise=None)

    def failure(self) -> str | None:
        """Return what the process that fails leaves word of, soon; None where it does not."""
        return _in_time(self._failure, otherwise=None)

    def _failure(self) -> str | None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if self.store.check([FAILED]):
                return self.store.get(FAILED).decode()
            time.sleep(POLL_SECONDS)
        return None

    def loss(self) -> str:
        """Return a sentence on which process is gone, and why if it has left word."""
        return _in_time(self._loss, otherwise=FIRST_LOST)

    def _loss(self) -> str:
        self.store.set(f"alive/{self.rank}", "")
        deadline, silent = time.monotonic() + ANSWER_SECONDS, list(range(len(self.hosts)))
        while silent and time.monotonic() < deadline:
            if self.store.check([FAILED]):
                return self.store.get(FAILED).decode()
            silent = [rank for rank in silent if not self.store.check([f"alive/{rank}"])]
            time.sleep(POLL_SECONDS)
        if not silent:
            return "A message among the processes of this run was lost, though all of them answer: start it again."
        named = ", ".join(f"{rank} on {self.hosts[rank]}" for rank in silent)
        which = f"Process {named} does" if len(silent) == 1 else f"Processes {named} do"
        return f"{which} not answer: killed, out of memory, or a machine or the network is down."


def meet(rank: int, size: int) -> Meeting:
    """Meet the other processes of this attempt.

    Raises:
        ProcessLostError: the place that `torchrun` names does not answer, or the others do not come.
    """
    try:
        shared, _, _ = next(iter(dist.rendezvous("env://", rank, size, timeout=PATIENCE)))
        nonce, host = secrets.token_hex(8), socket.gethostname()
        if rank == 0:
            return _host(shared, size, [nonce, host])
        return _join(shared, rank, [nonce, host])
    except RuntimeError as error:
        place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        raise ProcessLostError(f"The processes of this run do not meet at {place}: {error}") from error


def _host(shared: dist.Store, size: int, own: list[str]) -> Meeting:
    attempt = secrets.token_hex(8)
    store = dist.PrefixStore(attempt, shared)
    shared.set(ATTEMPT, attempt)
    arrived = [own, *(json.loads(store.get(f"join/{rank}")) for rank in range(1, size))]
    store.set(MET, json.dumps(arrived))
    return Meeting(store, 0, [host for _, host in arrived])


def _join(shared: dist.Store, rank: int, own: list[str]) -> Meeting:
    """Follow the first process to its attempt; one of before, which the store still has, never heard of this one."""
    while True:
        attempt = shared.get(ATTEMPT).decode()
        store = dist.PrefixStore(attempt, shared)
        store.set(f"join/{rank}", json.dumps(own))
        while shared.get(ATTEMPT).decode() == attempt:
            if store.check([MET]):
                arrived = json.loads(store.get(MET))
                if rank < len(arrived) and arrived[rank] == own:
                    return Meeting(store, rank, [host for _, host in arrived])
            time.sleep(POLL_SECONDS)
