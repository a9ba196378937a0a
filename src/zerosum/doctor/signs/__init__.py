"""Signs of failure, one a file: a pure function from evidence to a finding, or to nothing."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding

SHARED = ("remedies", "windows")
"""Modules of this package that hold no sign."""

ORDER = {"critical": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What a file of this package defines as `SIGN`."""

    name: str
    """In lower case with hyphens, as the file is called with underscores."""

    title: str
    """What it finds, in a few words."""

    find: Callable[[Evidence], Finding | None]

    source: str
    """Where the sign and its threshold come from: paper and section, or our own measurement and its command."""

    def finding(self, **fields: Any) -> Finding:
        """Return a finding of this sign, with its title and its source unless others are given."""
        return Finding(**{"sign": self.name, "title": self.title, "source": self.source, **fields})


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all signs, in alphabetical order."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if m.name not in SHARED))


def find(name: str) -> Sign:
    """Return a sign by its name."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SIGN


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return the findings of all signs, the most severe first, and among equals the earliest."""
    return ranked(finding for name in names() if (finding := find(name).find(evidence)) is not None)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the most severe first, and among equals the earliest."""
    return sorted(findings, key=lambda finding: (ORDER[finding.severity], finding.since, finding.sign))
