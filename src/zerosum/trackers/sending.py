"""What trackers were sent of a run, kept in the run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from zerosum.errors import InputError
from zerosum.run.directory import Run
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.regular_files import read_regular
from zerosum.runtime.untrusted_json import parse

STATE = "follow.json"
"""What was sent, in the run."""


@dataclass(kw_only=True)
class Sent:
    """What a tracker was sent."""

    session: str | None = None
    """By what id the tracker goes on."""

    round: int = -1
    """Of the last line of history. A round that is played again after a resume is not sent again."""

    picture: int = -1
    """Round of the last preview."""

    evaluation: str = ""
    """Checksum of the evaluation."""

    rows: int = 0
    """Lines of history, altogether."""

    pictures: int = 0
    """Previews, altogether."""

    rescues: int = 0
    """Rescues of the run that are known of."""


def read(run: Run, key: str) -> Sent:
    """Read what was sent; nothing where nobody wrote it.

    Raises:
        InputError: the file cannot be read: sending all again would be worse.
    """
    try:
        return Sent(**_known(run).get(key, {}))
    except TypeError:
        raise _damaged(run) from None


def _known(run: Run) -> dict[str, Any]:
    """Return what each tracker was sent.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        found = parse(read_regular(run.path / STATE).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise _damaged(run) from None
    if not isinstance(found, dict):
        raise _damaged(run)
    return found


def _damaged(run: Run) -> InputError:
    return InputError(f"{run.path / STATE} is damaged: delete it to send the whole run again, to a new session.")


def write(run: Run, key: str, sent: Sent) -> None:
    """Keep what a tracker was sent, beside what others were.

    Raises:
        InputError: the file was damaged meanwhile.
        StorageError: the disk refuses.
    """
    known = _known(run)
    with replacing(run.path / STATE) as partial:
        partial.write_text(json.dumps(known | {key: asdict(sent)}, indent=2) + "\n", encoding="utf-8")
