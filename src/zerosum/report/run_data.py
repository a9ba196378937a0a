"""Data of a run directory, any part of which may be missing or damaged."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from zerosum.errors import InputError
from zerosum.media.whole_png import whole_png
from zerosum.run.history import History
from zerosum.run.older_format import in_present_format
from zerosum.runtime.regular_files import read_regular
from zerosum.runtime.untrusted_json import parse
from zerosum.text import is_whole

TYPES = {".wav": "audio/wav", ".mp4": "video/mp4", ".gif": "image/gif", ".glb": "model/gltf-binary"}
"""Files beside previews that a report carries, by their endings."""

LARGEST = 16 * 2**20
"""Bytes of such a file beyond which a report leaves it where it is."""

PREVIEWS = 7
"""Pictures over time that a report shows, the first and the last among them."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG as it lies on the disk."""

    content: bytes
    width: int
    height: int

    round: int = 0
    """Rounds played when it was made."""

    @property
    def captions(self) -> list[str]:
        """What its images were made from, as its text chunk says, where that was text."""
        try:
            with Image.open(BytesIO(self.content)) as picture:
                said = getattr(picture, "text", {}).get("captions", "")
        except (OSError, ValueError, SyntaxError):  # damaged
            return []
        return said.split(" | ") if said else []


@dataclass(frozen=True, kw_only=True)
class Playable:
    """A file of samples that is heard, watched or turned."""

    name: str
    type: str
    """As browsers know it, such as "audio/wav"."""

    content: bytes


@dataclass(frozen=True, kw_only=True)
class RunData:
    """All that a report is written from."""

    path: Path
    about: dict[str, Any]
    """run.json; empty when missing."""

    history: History
    """Rows of history.jsonl."""

    previews: list[Picture]
    """First, some between, last."""

    played: list[Playable]
    """Files of the newest preview that are heard, watched or turned."""

    neighbours: Picture | None
    distances: dict[str, Any]
    """samples/nearest.json; empty when missing."""

    evaluation: dict[str, Any]
    """evaluation.json; empty when missing."""

    checkpoints: list[int]
    """Rounds that can be resumed from, ascending."""

    missing: list[str]
    """A sentence for each part that is absent or damaged."""

    def section(self, name: str) -> dict[str, Any]:
        """Return a part of run.json that should be a table; empty when it is not there or not one."""
        part = self.about.get(name)
        return part if isinstance(part, dict) else {}


def read(run: Path) -> RunData:
    """Read a run directory.

    Raises:
        InputError: There is no such folder, or nothing of a run in it.
    """
    parts = ("run.json", "history.jsonl", "samples", "checkpoints")
    if not run.is_dir() or not any((run / part).exists() for part in parts):
        raise InputError(
            f"{run} is not a run directory; give the folder that `zerosum train` made, for example runs/faces."
        )
    missing: list[str] = []
    about = in_present_format(_json(run / "run.json", missing, expected=True))
    history = _history(run / "history.jsonl", missing)
    previews = _previews(run / "samples", missing)
    sheet = run / "samples" / "nearest.png"
    return RunData(
        path=run,
        about=about,
        history=history,
        previews=previews,
        played=_played(run / "samples", missing),
        neighbours=_picture(sheet, 0, missing) if sheet.exists() else None,
        distances=_json(run / "samples" / "nearest.json", missing, expected=False),
        evaluation=_json(run / "evaluation.json", missing, expected=False),
        checkpoints=_checkpoints(run / "checkpoints", missing),
        missing=missing,
    )


def _json(path: Path, missing: list[str], *, expected: bool) -> dict[str, Any]:
    if not path.exists():
        if expected:
            missing.append(f"{path.name} is not there, so settings and data are unknown.")
        return {}
    try:
        found = parse(read_regular(path).decode())
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict):
        return found
    missing.append(f"{path.name} cannot be read; it was probably being written when the run stopped.")
    return {}


def _history(path: Path, missing: list[str]) -> History:
    history = History.read(path)
    if not path.exists():
        missing.append("history.jsonl is not there, so there are no curves.")
        return history
    if history.damaged:
        missing.append(
            f"history.jsonl: {history.damaged} line{'s' * (history.damaged > 1)} cut short or unreadable, left out."
        )
    if not history:
        missing.append("history.jsonl holds no measurements yet, so there are no curves.")
    return history


def _previews(folder: Path, missing: list[str]) -> list[Picture]:
    paths = sorted((path for path in folder.glob("*.png") if is_whole(path.stem)), key=lambda path: int(path.stem))
    if len(paths) > PREVIEWS:
        paths = [paths[round(place * (len(paths) - 1) / (PREVIEWS - 1))] for place in range(PREVIEWS)]
    found = [_picture(path, int(path.stem), missing) for path in paths]
    if not paths:
        missing.append("There are no preview pictures yet.")
    return [picture for picture in found if picture is not None]


def _played(folder: Path, missing: list[str]) -> list[Playable]:
    named = [path for path in sorted(folder.glob("newest.*")) if path.suffix in TYPES and path.is_file()]
    found = [(path, TYPES[path.suffix]) for path in named]
    for path, _ in found:
        if path.stat().st_size > LARGEST:
            missing.append(f"samples/{path.name} is too large for this page: open it where it is.")
    small = [(path, mime) for path, mime in found if path.stat().st_size <= LARGEST]
    return [Playable(name=path.name, type=mime, content=read_regular(path)) for path, mime in small]


def _picture(path: Path, at_round: int, missing: list[str]) -> Picture | None:
    """Read a PNG if it is whole."""
    content = whole_png(path)
    if content is None:
        missing.append(f"{path.name} is not a whole PNG file, left out.")
        return None
    width, height = struct.unpack(">II", content[16:24])
    return Picture(content=content, width=width, height=height, round=at_round)


def _checkpoints(folder: Path, missing: list[str]) -> list[int]:
    found = sorted(int(path.name) for path in folder.glob("*") if is_whole(path.name))
    if not found:
        missing.append("There is no checkpoint yet, so the run cannot be resumed or sampled from.")
    return found
