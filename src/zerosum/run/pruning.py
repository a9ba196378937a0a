"""Which checkpoints of a run are kept."""

from __future__ import annotations

from pathlib import Path

from zerosum.run.directory import Run
from zerosum.runtime.atomic_files import remove_folder, storing


def prune(run: Run, *, keep: int, elders: bool = False) -> None:
    """Drop all but the newest `keep` checkpoints and, if asked, two older ones.

    The older of the two becomes the younger one once that lies in the first half of the run; so both stay spread out.

    Raises:
        StorageError: the disk refuses.
    """
    paths = run.checkpoints()
    spared: list[Path] = []
    with storing(run.path):
        for old in paths[:-keep]:
            spared.append(old)
            if len(spared) > 2 * elders:
                aged = len(spared) > 1 and 2 * int(spared[1].name) <= int(paths[-1].name)
                remove_folder(spared.pop(0 if aged or not elders else -1))
