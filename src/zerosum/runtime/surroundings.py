"""What a process sets for all of PyTorch, put to known values while zerosum computes and back afterwards.

The same numbers come out wherever zerosum is called: under another default dtype or device, with gradients off, in a
thread or under autocast. The process that calls finds its own settings, its random state and its memory when the call
returns.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from zerosum.errors import InputError
from zerosum.runtime import rng
from zerosum.runtime.device import freed_memory_kept

_training = threading.Lock()


@contextmanager
def own_settings() -> Iterator[None]:
    """Compute in float32 and on the CPU where nothing else is said, with gradients, without autocast, drawing apart."""
    dtype = torch.get_default_dtype()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.is_autocast_enabled("cpu"):
            stack.enter_context(torch.autocast("cpu", enabled=False))
        if torch.cuda.is_available() and torch.is_autocast_enabled("cuda"):
            stack.enter_context(torch.autocast("cuda", enabled=False))
        stack.callback(torch.set_default_dtype, dtype)
        torch.set_default_dtype(torch.float32)
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(rng.fork(torch.device("cpu")))
        yield


@contextmanager
def only_training() -> Iterator[None]:
    """Train with settings of our own, memory that is kept, and no other training in this process.

    Raises:
        InputError: There is another one, in another thread: both would draw from the same random state.
    """
    if not _training.acquire(blocking=False):
        raise InputError(
            "Another training is under way in this process, and both would draw from one random state, so that neither "
            "would be repeatable: start this one in a process of its own, or after the other."
        )
    try:
        with own_settings(), freed_memory_kept():
            yield
    finally:
        _training.release()
