"""Rescues of a run by the autopilot, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerosum.config import flag, spelt
from zerosum.report.run_data import RunData


@dataclass(frozen=True, kw_only=True)
class Row:
    """One rescue in words."""

    round: str
    attempt: str
    finding: str
    to: str
    change: str
    skipped: list[str]


def rescues(evidence: RunData) -> list[Row]:
    """Return a row for each rescue that run.json lists."""
    listed = evidence.about.get("rescues")
    return [_row(entry) for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _row(entry: Mapping[str, Any]) -> Row:
    changes, skipped, to = entry.get("changes"), entry.get("skipped"), entry.get("to")
    given = changes if isinstance(changes, dict) else {}
    pairs = {name: pair for name, pair in given.items() if isinstance(pair, list) and len(pair) == 2}
    change = ", ".join(f"{flag(name)} {spelt(now)} (was {spelt(was)})" for name, (was, now) in pairs.items())
    return Row(
        round=_number(entry.get("round")),
        attempt=_number(entry.get("attempt")),
        finding=str(entry.get("finding", "")),
        to="the start" if to == 0 else _number(to),
        change=_end(entry) or change,
        skipped=[str(each) for each in skipped] if isinstance(skipped, list) else [],
    )


def _end(entry: Mapping[str, Any]) -> str:
    """Say how tries ended; nothing where there was one."""
    if entry.get("fell_back"):
        return "none: the run ends at an earlier state, whose samples were nearest to real ones"
    if entry.get("gave_up"):
        return "none: no try was left"
    return "none: no try was left, and the run goes on" if entry.get("resigned") else ""


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else ""
