"""Data-parallel training over several processes: the only user of torch.distributed.

Started by `torchrun`; networks stay plain modules, and gradients are averaged in one flat message a move.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

from zerosum.errors import ProcessLostError, ZerosumError
from zerosum.runtime.rendezvous import PATIENCE, Meeting, meet

_joined = False
_meeting: Meeting | None = None
_group: dist.ProcessGroup | None = None  # of training, which waits less long; None for the one that opens the data

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """The process group of a run, from the side of one process."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int | None = None
    """Processes of this node; None for all."""
    message: torch.dtype | None = None
    """What gradients travel as; None for their own dtype."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace the gradients of `parameters` by their means over the processes."""
        if self.size == 1:
            return
        # A weight that took no part has no gradient in any process: it is left alone here, and by the optimizer.
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        flat = self.average_(flat) if self.message is None else self._average_as(flat, self.message)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def average_(self, values: Tensor) -> Tensor:
        """Replace `values`, in place, by their means over the processes."""
        if self.size > 1:
            with _together():
                dist.all_reduce(values, group=_group)
            values /= self.size
        return values

    def _average_as(self, values: Tensor, message: torch.dtype) -> Tensor:
        """Return the means of `values` (N,) over the processes, which travel as `message` and are summed in float32.

        Each process averages a share of N, so that as many values travel as in a ring: 2 (size - 1) / size of them.
        """
        share = -(-len(values) // self.size)
        sent = torch.nn.functional.pad(values, (0, share * self.size - len(values))).to(message).view(torch.uint8)
        received, whole = torch.empty_like(sent), torch.empty_like(sent)
        with _together():
            dist.all_to_all_single(received, sent, group=_group)
            mean = received.view(message).view(self.size, share).float().mean(0).to(message).view(torch.uint8)
            dist.all_gather_into_tensor(whole, mean, group=_group)
        return whole.view(message)[: len(values)].to(values.dtype)

    def any(self, flag: bool) -> bool:
        """Return whether `flag` is true in any process."""
        if self.size == 1:
            return flag
        votes = torch.tensor([float(flag)])
        if dist.get_backend() == "nccl":
            votes = votes.cuda(self.local_rank)
        with _together():
            dist.all_reduce(votes, group=_group)
        return bool(votes.item())

    def gather(self, value: object) -> list[object]:
        """Return every process's value, in the order of their ranks."""
        if self.size == 1:
            return [value]
        values: list[object] = [None] * self.size
        with _together():
            dist.all_gather_object(values, value, group=_group)
        return values

    def wait(self) -> None:
        """Return once every process has come here."""
        if self.size > 1:
            with _together():
                dist.barrier(group=_group)

    def first_then_others(self, make: Callable[[], T]) -> T:
        """Return what `make` makes in one process a node, which leaves it in a cache, and then in the others.

        The first of all comes first, then the first of each other node, which may see that cache or not, then the rest.

        Raises:
            ProcessLostError: One of those before has failed, and says why.
        """
        nodes = self.local_size is not None and self.local_size < self.size
        turn = 0 if self.is_first else 1 if nodes and self.local_rank == 0 else 2
        for before in range(turn):
            if (before == 0 or nodes) and self.any(False):
                raise failed_elsewhere()
        failed = True
        try:
            made = make()
            failed = False
        finally:
            lost = turn < 2 and self.any(failed)
        if lost:
            raise failed_elsewhere()
        if turn == 0 and nodes and self.any(False):
            raise failed_elsewhere()
        return made


def join(device: torch.device) -> World:
    """Join the processes that `torchrun` started, or be alone."""
    global _joined
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    rank, local_rank = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(local_rank)
        backend = "nccl" if device.type == "cuda" else "gloo"
        store = meeting().store
        with _together():
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
        _joined = True
    local_size = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    return World(rank=rank, size=size, local_rank=local_rank, local_size=local_size)


def meeting() -> Meeting:
    """Return what the processes of several know of each other."""
    global _meeting
    if _meeting is None:
        _meeting = meet(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    return _meeting


def first_says(name: str, make: Callable[[], str]) -> str:
    """Return, in every process, what `make` returns in the first, before they join; each `name` is used once.

    Raises:
        ProcessLostError: it has failed there.
    """
    return make() if int(os.environ.get("WORLD_SIZE", "1")) == 1 else meeting().first_says(name, make)


def wait_at_most(minutes: float) -> None:
    """Count a process that does not answer for so long as lost from here on; every process calls it."""
    global _group
    if dist.is_initialized():
        with _together():
            _group = cast(dist.ProcessGroup, dist.new_group(timeout=timedelta(minutes=minutes)))


def failed_elsewhere() -> ProcessLostError:
    """Return the error of a process that goes no further because another has failed, with that one's reason."""
    reason = None if _meeting is None else _meeting.failure()
    return ProcessLostError(reason or "Another process of this run has stopped: its output says why.")


@contextmanager
def _together() -> Iterator[None]:
    """Turn a lost connection to the other processes into one sentence.

    Raises:
        ProcessLostError: a process of this run is gone.
    """
    try:
        yield
    except RuntimeError as error:
        if _meeting is None:
            raise
        if dist.is_initialized() and dist.get_backend() == "gloo":
            leave()  # the others, who may wait for this process, notice at once
        raise ProcessLostError(_meeting.loss()) from error


def has_joined() -> bool:
    """Whether this process has met others, be it that it has left them again."""
    return _joined


def leave() -> None:
    """Part from the other processes, once and for all: nobody finds back together after this."""
    global _group
    _group = None
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def together() -> Iterator[None]:
    """Do what several processes do together: one that fails leaves word to the others, and all part at the end."""
    try:
        yield
    except ProcessLostError:
        raise
    except BaseException as error:
        if _meeting is not None:
            _meeting.tell_failure(_reason(error))
        raise
    finally:
        leave()


def _reason(error: BaseException) -> str:
    """Say why a process fails, in a line."""
    if isinstance(error, ZerosumError | SystemExit):
        return str(error)
    return " ".join(f"{type(error).__name__}: {error}".split())
