"""Whether all machines that train together see the folder of the run."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from zerosum.errors import InputError
from zerosum.runtime import distributed
from zerosum.runtime.distributed import World

PATIENCE_SECONDS = 10.0
"""How long a network disk is given to show what another machine wrote."""


def require_shared(path: Path, world: World) -> None:
    """See that every process sees the run that the first has begun.

    Raises:
        InputError: this one does not.
        ProcessLostError: another does not.
    """
    unseen = not is_seen(path)
    if world.any(unseen):
        raise not_shared(path) if unseen else distributed.failed_elsewhere()


def is_seen(path: Path) -> bool:
    """Whether there is a run in a folder, as far as this machine sees, in some seconds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (path / "run.json").is_file():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
        if path.is_dir():
            os.listdir(path)  # has a network disk look anew
    return True


def not_shared(path: Path) -> InputError:
    """Return the error of a machine that does not see a run that the first process has written."""
    return InputError(
        f"{socket.gethostname()} does not see {path}, which the first process of this run has written: name a folder "
        "on a disk that all machines share, with --run."
    )
