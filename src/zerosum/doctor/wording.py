"""An examination as lines of plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from zerosum.doctor.examine import Examination
from zerosum.doctor.finding import Finding
from zerosum.text import counted, listed, number, shown

CONFIDENCE = {"possible": "possibly", "likely": "likely", "certain": "certain"}


def lines(found: Examination, place: str) -> list[str]:
    """Return what was found, the most severe first, and what was looked at and could not be looked for."""
    said = [f"{place}: {_count(found)}."]
    for finding in found.findings:
        said += ["", *_of_finding(finding, found.form)]
    return [shown(line) for line in [*said, "", *_scope(found)]]


def _count(found: Examination) -> str:
    if not found.findings:
        return "no finding"
    by_severity = Counter(finding.severity for finding in found.findings)
    parts = ", ".join(f"{count} {severity}" for severity, count in by_severity.items())
    return f"{counted(len(found.findings), 'finding')} ({parts})"


def _of_finding(finding: Finding, form: str) -> Iterator[str]:
    yield f"{finding.severity.upper()}: {finding.title}"
    figure = f"{finding.measure}: {number(finding.value)}, threshold {number(finding.threshold)}"
    when = "" if form == "images" else f"Since round {finding.since:,}. "
    yield f"  {when}{figure[:1].upper()}{figure[1:]} ({CONFIDENCE[finding.confidence]})."
    if finding.meaning:
        yield f"  {finding.meaning}"
    for index, remedy in enumerate(finding.remedies):
        before = "In zerosum, try" if form == "log" else "Try"
        yield f"  {before if index == 0 else 'or'} {remedy.flags}: {remedy.why}."
    if finding.source:
        yield f"  Read more: {finding.source}"


def _scope(found: Examination) -> Iterator[str]:
    history = found.evidence.history
    total = len(found.looked_for) + len(found.lacking)
    if found.form == "images":
        count = len(found.evidence.samples) if found.evidence.samples is not None else 0
        what = counted(count, "image")
        if found.evidence.real is not None:
            what += f" beside {counted(len(found.evidence.real), 'real one')}"
    elif len(history):
        keys = sum("/" in key for key in history.measured())
        rounds = f"rounds {history[0]['round']:,} to {found.evidence.last_round:,}"
        what = f"{counted(keys, 'measurement')} in {counted(len(history), 'row')}, {rounds}"
    else:
        what = "nothing: no measurement was kept yet"
    yield f"Looked at {what}, for {len(found.looked_for)} of {counted(total, 'sign')}."
    if found.lacking:
        yield "Not looked for, because what is named here is missing:"
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, keys in found.lacking.items():
            groups.setdefault(keys, []).append(name)
        yield from (f"  {listed(keys, most=3)}: {listed(names, most=20)}" for keys, names in groups.items())
    if found.read_as:
        yield f"Read as: {listed([f'{name} -> {key}' for name, key in found.read_as.items()], most=30)}."
    if found.not_read:
        yield (
            f"Not understood: {listed(found.not_read, most=12)}; "
            "--map COLUMN=discriminator/loss, or another name, says what one is."
        )
    yield from found.notes
