"""Sending what a run directory holds to a tracker, once: while it is trained, after, or again."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zerosum.errors import InputError, ZerosumError
from zerosum.evaluation.result import FILE, Evaluation
from zerosum.media.whole_png import whole_png
from zerosum.run.directory import Run
from zerosum.run.public import public
from zerosum.run.rescues import rescues_of
from zerosum.runtime.lock import holder
from zerosum.runtime.regular_files import read_regular
from zerosum.text import is_whole
from zerosum.trackers import connect, sending
from zerosum.trackers.base import About, Tracker
from zerosum.trackers.sending import Sent


class TrackerError(ZerosumError):
    """A tracker refuses what is sent."""


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
        InputError: no such tracker, its package is not installed, or the run is gone or another one is in its place.
        TrackerError: it refuses, and nobody trains the run any more; the same call goes on from there.
    """
    key = f"{to}:{project}"
    sent = sending.read(run, key)
    tracker = _connect(run, to, project, sent.session)
    sent.session = tracker.session
    sending.write(run, key, sent)
    before = sent.rows, sent.pictures
    try:
        while True:
            training = holder(run.path) is not None  # before reading, so that the last lines are read after its end
            try:
                _require_there(run)
                if (void := _void(run, sent, to)) is not None:
                    note(void)
                _send(run, tracker, key, sent, note)
            except ZerosumError:
                raise
            except Exception as error:  # of the tracker's package, whatever it is
                if not training:
                    said = f"{to} refuses ({_first(error)}): the same command goes on from here."
                    raise TrackerError(said) from error
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


def _require_there(run: Run) -> None:
    """See that a folder still holds the run.

    Raises:
        InputError: it does not, and what it holds is not sent into the session of the run.
    """
    try:
        now = Run.open(run.path).description.get("id")
    except InputError as error:
        raise InputError(f"The run is gone, and what it had is sent: {error}") from None
    if now != run.description.get("id"):
        raise InputError(f"{run.path} holds another run now: the same command follows that one.")


def _send(run: Run, tracker: Tracker, key: str, sent: Sent, note: Callable[[str], None]) -> None:
    """Send what was not sent yet, and keep what was sent whatever comes of it."""
    try:
        _send_rows(run, tracker, sent)
        _send_pictures(run, tracker, sent, note)
        _send_evaluation(run, tracker, sent)
    finally:
        sending.write(run, key, sent)


def _send_rows(run: Run, tracker: Tracker, sent: Sent) -> None:
    for row in [row for row in run.history() if row["round"] > sent.round]:
        values = {name: float(value) for name, value in row.items() if name != "round" and _is_number(value)}
        tracker.log(values, int(row["round"]))
        sent.round = int(row["round"])
        sent.rows += 1


def _send_pictures(run: Run, tracker: Tracker, sent: Sent, note: Callable[[str], None]) -> None:
    paths = sorted(path for path in (run.path / "samples").glob("*.png") if is_whole(path.stem))
    for path in [path for path in paths if int(path.stem) > sent.picture]:
        if whole := whole_png(path) is not None:
            tracker.picture(path, int(path.stem))
        else:
            note(f"{path} is no whole PNG, and is not sent.")
        sent.picture = int(path.stem)
        sent.pictures += whole


def _send_evaluation(run: Run, tracker: Tracker, sent: Sent) -> None:
    """Send the figures of an evaluation, each with its protocol in its name."""
    path = run.path / FILE
    try:
        if (digest := hashlib.sha256(read_regular(path)).hexdigest()) == sent.evaluation:
            return
        found = Evaluation.read(path)
    except (OSError, InputError):
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


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
