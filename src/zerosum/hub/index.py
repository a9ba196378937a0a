"""The index of a pushed run: which files there are, how large they are, and their checksums. Nothing else is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zerosum
from zerosum.errors import InputError
from zerosum.runtime.regular_files import open_regular
from zerosum.runtime.untrusted_json import parse

FORMAT = 1
INDEX = "zerosum.json"
WEIGHTS, RUN, CARD, PICTURE, EVALUATION = (
    "weights.safetensors",
    "run.json",
    "README.md",
    "samples.png",
    "evaluation.json",
)
LIVE, AVERAGES, STATE = "resume/weights.safetensors", "resume/averages.safetensors", "resume/state.safetensors"
RESUMING = (LIVE, AVERAGES, STATE)
"""What training resumes from, beside the rest."""

ALLOWED = {
    WEIGHTS: 1 << 40,
    RUN: 1 << 26,
    CARD: 1 << 22,
    PICTURE: 1 << 26,
    EVALUATION: 1 << 24,
    **dict.fromkeys(RESUMING, 1 << 40),
}
"""The files that a pushed run can have, and how many bytes each can have at most."""

LARGEST_INDEX = 1 << 16


@dataclass(frozen=True)
class Entry:
    """A file."""

    size: int
    """Bytes."""

    sha256: str


@dataclass(frozen=True)
class Index:
    """What a pushed run consists of."""

    round: int
    """Rounds that were played."""

    files: Mapping[str, Entry]

    def text(self) -> str:
        """Return it as JSON."""
        files = {name: {"bytes": entry.size, "sha256": entry.sha256} for name, entry in sorted(self.files.items())}
        content = {"format": FORMAT, "zerosum": zerosum.__version__, "round": self.round, "files": files}
        return json.dumps(content, indent=2) + "\n"

    @classmethod
    def of(cls, round_: int, files: Mapping[str, bytes]) -> Index:
        """Make the index of files by their names."""
        entries = {name: Entry(len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()}
        return cls(round_, entries)

    @classmethod
    def read(cls, text: str, repository: str) -> Index:
        """Read an index from elsewhere.

        Raises:
            InputError: it is none, of another format, or names a file that no run has.
        """
        try:
            content: dict[str, Any] = parse(text)
            if (found := content["format"]) != FORMAT:
                raise InputError(
                    f"{repository} was pushed in format {found!r}, and this version of zerosum reads {FORMAT}."
                )
            files = {name: _entry(entry) for name, entry in content["files"].items()}
            round_ = content["round"]
            if type(round_) is not int or not 0 <= round_ < 10**9:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{repository} is no run that zerosum pushed: its {INDEX} cannot be read.") from None
        if extra := sorted(files.keys() - ALLOWED.keys()):
            raise InputError(f"{repository} lists {extra[0]!r}, which is no file of a run: nothing was taken.")
        if missing := sorted({WEIGHTS, RUN} - files.keys()):
            raise InputError(f"{repository} is no whole run: it lacks {missing[0]}.")
        for name, entry in files.items():
            if entry.size > ALLOWED[name]:
                raise InputError(f"{repository} has {entry.size:,} bytes of {name}, more than any run has.")
        return cls(round_, files)

    def require_sizes(self, sizes: Mapping[str, int | None], repository: str) -> None:
        """Check what the Hub says of the files' sizes, before they are downloaded.

        Raises:
            InputError: one is missing there, or of another size.
        """
        for name, entry in self.files.items():
            if name not in sizes:
                raise InputError(f"{repository} is no whole run: it lacks {name}.")
            if sizes[name] not in (None, entry.size):
                raise InputError(f"{repository} has {sizes[name]:,} bytes of {name}, and its index {entry.size:,}.")

    def checked(self, folder: Path, name: str, repository: str) -> bytes:
        """Return a downloaded file's bytes, once its size and checksum are known to be those of the index.

        Raises:
            InputError: they are not, or it is no regular file.
        """
        entry, path = self.files[name], folder / name
        try:
            if path.is_symlink():
                raise OSError
            with open_regular(path) as file:
                content = file.read(entry.size + 1)
        except OSError:
            raise InputError(f"{repository} is no whole run: {name} did not arrive.") from None
        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise InputError(f"{name} of {repository} is not what its index says (size or checksum differ): damaged.")
        return content


def _entry(found: Any) -> Entry:
    size, digest = found["bytes"], found["sha256"]
    if type(size) is not int or size < 0 or re.fullmatch("[0-9a-f]{64}", digest) is None:
        raise ValueError
    return Entry(size, digest)
