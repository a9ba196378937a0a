"""Curves for TensorBoard. Written as they come, so that a full disk is known at once and a kill loses nothing."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.summary.writer.record_writer import RecordWriter

from zerosum.run.directory import Run


class TensorBoardWriter:
    """One sitting's event file.

    Args:
        run: in whose folder it lies.
        after: rounds played before this sitting; what an earlier one wrote of later rounds is no longer shown.

    Raises:
        OSError: the disk refuses, here and in every method.
    """

    def __init__(self, run: Run, *, after: int) -> None:
        name = f"events.out.tfevents.{time.time():010.0f}.{platform.node()}.{os.getpid()}"
        self._file = (run.path / name).open("ab")
        self._records = RecordWriter(self._file)
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(step=after + 1, session_log=SessionLog(status=SessionLog.START)))

    def log(self, row: Mapping[str, Any]) -> None:
        """Write the measurements of a row, those with a slash in their name."""
        points = [Summary.Value(tag=name, simple_value=value) for name, value in row.items() if "/" in name]
        self._write(Event(step=row["round"], summary=Summary(value=points)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._records.flush()
