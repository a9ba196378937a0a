"""Sending what a run directory holds to a tracker, once: while it is trained, after, or again."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zerosum.errors import InputError, ZerosumError
from zerosum.evaluation.result import FILE, Evaluation
from zerosum.run.directory import Run
from zerosum.run.public import public
from zerosum.run.rescues import rescues_of
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.lock import holder
from zerosum.runtime.untrusted_json import parse
from zerosum.text import is_whole
from zerosum.trackers import connect
from zerosum.trackers.base import About, Tracker

STATE = "follow.json"
"""What was sent, in the run."""


class TrackerError(ZerosumError):
    """A tracker refuses what is sent."""


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


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was sent this time."""

    rows: int
    pictures: int


def follow(
    run: Run,
    *,
    to: str,
    project: str,
    every: float = 5.0,
    note: Callable[[str], None] = lambda sentence: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Tally:
    """Send a run to a tracker until nobody trains it any more, and what was not sent yet if nobody does.

    Args:
        run: the run, which is only read but for follow.json.
        to: name of the tracker.
        project: what it is filed under.
        every: seconds between looks.
        note: is told of errors while the run is trained, after which it is tried again, and of rescues that made void
            what was sent.
        sleep: waits.

    Raises:
        InputError: no such tracker, or its package is not installed.
        TrackerError: it refuses, and nobody trains the run any more; the same call goes on from there.
    """
    key = f"{to}:{project}"
    sent = _read(run, key)
    tracker = _connect(run, to, project, sent.session)
    sent.session = tracker.session
    _write(run, key, sent)
    before = sent.rows, sent.pictures
    try:
        while True:
            training = holder(run.path) is not None  # before reading, so that the last lines are read after its end
            try:
                if (void := _void(run, sent, to)) is not None:
                    note(void)
                _send(run, tracker, key, sent)
            except ZerosumError:
                raise
            except Exception as error:  # of the tracker's package, whatever it is
                if not training:
                    raise TrackerError(
                        f"{to} refuses ({_first(error)}): the same command goes on from here."
                    ) from error
                note(f"{to} refuses ({_first(error)}): trying again.")
            if not training:
                return Tally(rows=sent.rows - before[0], pictures=sent.pictures - before[1])
            sleep(every)
    finally:
        tracker.finish()


def _connect(run: Run, to: str, project: str, session: str | None) -> Tracker:
    about = About(project=project, name=run.path.resolve().name, settings=_settings(run))
    try:
        return connect(to, about, session)
    except ZerosumError:
        raise
    except Exception as error:
        raise TrackerError(f"{to} cannot be used ({_first(error)}).") from error


def _void(run: Run, sent: Sent, to: str) -> str | None:
    """Say, once a rescue, that rounds which were sent are of a game that was given up."""
    rescues = rescues_of(Run(run.path))
    new, sent.rescues = rescues[sent.rescues :], len(rescues)
    back = min((rescue.to for rescue in new), default=sent.round)
    if back >= sent.round:
        return None
    return (
        f"The autopilot went back to round {back:,}: {to} shows rounds up to {sent.round:,} of the game before. Follow "
        "it with another --project to send the run as it is now."
    )


def _send(run: Run, tracker: Tracker, key: str, sent: Sent) -> None:
    """Send what was not sent yet, and keep what was sent whatever comes of it."""
    try:
        _send_rows(run, tracker, sent)
        _send_pictures(run, tracker, sent)
        _send_evaluation(run, tracker, sent)
    finally:
        _write(run, key, sent)


def _send_rows(run: Run, tracker: Tracker, sent: Sent) -> None:
    for row in [row for row in run.history() if row["round"] > sent.round]:
        values = {name: float(value) for name, value in row.items() if name != "round" and _is_number(value)}
        tracker.log(values, int(row["round"]))
        sent.round = int(row["round"])
        sent.rows += 1


def _send_pictures(run: Run, tracker: Tracker, sent: Sent) -> None:
    paths = sorted(path for path in (run.path / "samples").glob("*.png") if is_whole(path.stem))
    for path in [path for path in paths if int(path.stem) > sent.picture]:
        tracker.picture(path, int(path.stem))
        sent.picture = int(path.stem)
        sent.pictures += 1


def _send_evaluation(run: Run, tracker: Tracker, sent: Sent) -> None:
    """Send the figures of an evaluation, each with its protocol in its name."""
    path = run.path / FILE
    if not path.exists() or (digest := hashlib.sha256(path.read_bytes()).hexdigest()) == sent.evaluation:
        return
    try:
        found = Evaluation.read(path)
    except InputError:
        return
    protocol = found.protocol
    under = f"{protocol.fake} against {protocol.real}, split {protocol.split}, {protocol.extractor}"
    tracker.summary(
        {f"evaluation/{figure.title} ({under})": figure.value for figure in found.figures if figure.value is not None}
    )
    sent.evaluation = digest


def _settings(run: Run) -> dict[str, Any]:
    """Return what run.json says, without paths, as plain values with dots in their names."""
    about = public(run.description)
    parts = {name: about.get(name) for name in ("recipe", "task", "config", "training", "data", "machine", "versions")}
    return dict(
        _flat({**parts, "data_options": about.get("data_options"), "shape": about.get("spec", {}).get("shape")})
    )


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        elif value not in (None, [], ()):
            found.append((prefix + name, value))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read(run: Run, key: str) -> Sent:
    """Read what was sent; nothing where nobody wrote it.

    Raises:
        InputError: the file cannot be read: sending all again would be worse.
    """
    path = run.path / STATE
    if not path.exists():
        return Sent()
    try:
        found = parse(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError
        return Sent(**found[key]) if key in found else Sent()
    except (OSError, ValueError, TypeError):
        raise InputError(f"{path} is damaged: delete it to send the whole run again, to a new session.") from None


def _write(run: Run, key: str, sent: Sent) -> None:
    path = run.path / STATE
    known = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    with replacing(path) as partial:
        partial.write_text(json.dumps(known | {key: asdict(sent)}, indent=2) + "\n", encoding="utf-8")


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
