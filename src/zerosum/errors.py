"""Errors for the user: one sentence with what was given, what was expected, what to type next."""

from __future__ import annotations

from pathlib import Path


class ZerosumError(Exception):
    """Base of every error that zerosum raises on purpose. Its text is a sentence for the user."""

    exit_code = 1


class InputError(ZerosumError):
    """Something given to zerosum cannot be used: data, a setting, a run, a checkpoint."""

    exit_code = 2


class NoSuchSplit(InputError):  # noqa: N818
    """The data have no split of the name asked for. Only this means that a split is absent when one is searched for."""


class DivergedError(ZerosumError):
    """A loss, a gradient or a weight is no longer a finite number."""


class UnhealthyError(ZerosumError):
    """The autopilot has no try left: the run ends at its last healthy checkpoint, or at its last state."""

    exit_code = 3


class StorageError(ZerosumError):
    """The disk refused a write; everything saved before it stands."""

    path: Path | None = None
    """What could not be written, where one place is to blame."""


class ProcessLostError(ZerosumError):
    """Another process of this run has stopped, or its machine or the network to it is gone."""
