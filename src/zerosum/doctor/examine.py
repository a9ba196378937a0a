"""Examination of a run, a log or a set of images by all signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.sources.find import built_in
from zerosum.doctor import signs
from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.facts import facts_of
from zerosum.doctor.finding import Finding
from zerosum.doctor.images import evidence_of_images
from zerosum.doctor.logs import is_log, read_log
from zerosum.doctor.measures import CHECKERBOARD, DIVERSITY, NEAREST
from zerosum.errors import InputError
from zerosum.run.directory import Run
from zerosum.runtime.paths import expanded
from zerosum.runtime.thread_pool import ProgressCallback

SCHEMA = 1
"""Version of what `Examination.to_json` returns."""

FROM_IMAGES = (DIVERSITY, CHECKERBOARD, NEAREST)
"""Measures that signs take from images themselves, where there are samples and real ones."""

Form = Literal["run", "log", "images"]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found in a place, and what could be looked for there."""

    form: Form
    evidence: Evidence
    findings: tuple[Finding, ...]
    """The most severe first."""

    looked_for: tuple[str, ...]
    """Names of the signs whose measurements are there."""

    lacking: dict[str, tuple[str, ...]]
    """Measurements that were not there, by the sign that could not be looked for without them."""

    read_as: dict[str, str] = field(default_factory=dict)
    """Of a log: name in the history of each column that is understood."""

    not_read: tuple[str, ...] = ()
    """Of a log: columns that are not understood."""

    notes: tuple[str, ...] = ()
    """What was done to the data or to the log, a sentence each."""

    @property
    def alarming(self) -> bool:
        """Whether a finding is more than a note."""
        return any(finding.severity != "note" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return all but the evidence as JSON knows it; a figure that is not finite is null."""
        history = self.evidence.history
        return {
            "schema": SCHEMA,
            "form": self.form,
            "rows": len(history),
            "last_round": self.evidence.last_round,
            "findings": [_finite(finding.to_json()) for finding in self.findings],
            "looked_for": list(self.looked_for),
            "lacking": {name: list(keys) for name, keys in self.lacking.items()},
            "read_as": self.read_as,
            "not_read": list(self.not_read),
            "notes": list(self.notes),
        }


def examine(
    place: str | Path,
    *,
    against: str | Path | None = None,
    columns: Sequence[str] = (),
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> Examination:
    """Examine a run, a log of another program, or images.

    Args:
        place: a run directory; a .csv, .tsv, .jsonl, .log or .txt file or TensorBoard's events; or a folder, .zip or
            array file of images, or a name of data.
        against: real images, to compare images with.
        columns: "COLUMN=KEY" for columns of a log.
        options: how images are read.
        progress: told of stages.

    Raises:
        InputError: there is nothing of these at the place, or it cannot be read.
        StorageError: the cache cannot be written to.
    """
    path = expanded(place)
    if (path / "run.json").exists():
        _refuse("run", against=against, columns=columns)
        run = Run.open(path)
        history = run.history()
        damaged = history.damaged
        notes = (f"Lines of history.jsonl that cannot be read, left out: {damaged:,}.",) if damaged else ()
        return _by_all_signs("run", Evidence(history=history, facts=facts_of(run.description)), notes=notes)
    if is_log(path):
        _refuse("log", against=against)
        log = read_log(path, columns)
        evidence = Evidence(history=log.history, facts=Facts(epochs=log.epochs))
        return _by_all_signs("log", evidence, read_as=log.read_as, not_read=log.not_read, notes=log.notes)
    if built_in(place) is None and not path.exists():
        raise InputError(f"There is no run, log, folder or file {place}: name one that is there.")
    _refuse("images", columns=columns)
    evidence, remarks = evidence_of_images(place, against, options=options, progress=progress)
    return _by_all_signs("images", evidence, notes=tuple(remarks))


def _refuse(form: Form, *, against: object = None, columns: Sequence[str] = ()) -> None:
    """Refuse what is of no use for a form of place.

    Raises:
        InputError: something is given that is.
    """
    if against is not None:
        raise InputError(f"--against is for images, and a {form} is given: leave it out.")
    if columns:
        what = "a run is given" if form == "run" else "images are given"
        raise InputError(f"--map names columns of a log, and {what}: leave it out.")


@dataclass(frozen=True, kw_only=True)
class _Recorded(Evidence):
    """Evidence that keeps what a sign asks for, and whether it is there."""

    asked: dict[str, bool] = field(default_factory=dict)
    terms: dict[str, bool] = field(default_factory=dict)

    def series(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        rounds, values = super().series(key)
        if key != "round":
            self.asked[key] = len(values) > 0
        return rounds, values

    def players(self, term: str) -> list[str]:
        found = super().players(term)
        self.terms[term] = bool(found)
        return found

    def forget(self) -> None:
        """Begin with the next sign."""
        self.asked.clear()
        self.terms.clear()

    def lacking(self) -> tuple[str, ...]:
        """Return what was asked for where none of it is there; series where there were any, else terms of players."""
        asked = self.asked or self.terms
        compared = self.samples is not None and self.real is not None
        if compared and next(iter(asked), None) in FROM_IMAGES:
            return ()
        return () if any(asked.values()) else tuple(asked)


def _by_all_signs(form: Form, evidence: Evidence, **about: Any) -> Examination:
    recorded = _Recorded(**{each.name: getattr(evidence, each.name) for each in fields(Evidence)})
    found: list[Finding] = []
    looked_for: list[str] = []
    lacking: dict[str, tuple[str, ...]] = {}
    for name in signs.names():
        recorded.forget()
        finding = signs.find(name).find(recorded)
        if finding is not None:
            found.append(finding)
        elif absent := recorded.lacking():
            lacking[name] = absent
            continue
        looked_for.append(name)
    ranked = tuple(signs.ranked(found))
    return Examination(
        form=form, evidence=evidence, findings=ranked, looked_for=tuple(looked_for), lacking=lacking, **about
    )


def _finite(value: Any) -> Any:
    """Return a value as JSON has it: numbers of numpy as plain ones, and null for those that JSON lacks."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
