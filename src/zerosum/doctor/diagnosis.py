"""Findings of one place as a list, which a notebook shows as a page."""

from __future__ import annotations

from html import escape

from zerosum.doctor.finding import Finding
from zerosum.doctor.wording import CONFIDENCE
from zerosum.text import number, shown

COLOURS = {"critical": "#b3261e", "warning": "#9a6700", "note": "#57606a"}


class Diagnosis(list[Finding]):
    """Findings, the most severe first."""

    def _repr_html_(self) -> str:
        """Return the findings as HTML, with every text escaped; a sentence where there are none."""
        if not self:
            return "<p>No finding: no sign of failure was found in what was measured.</p>"
        return "".join(map(_of_finding, self))


def _of_finding(finding: Finding) -> str:
    when = f"Since round {finding.since:,}. " if finding.since else ""
    figure = f"{finding.measure[:1].upper()}{finding.measure[1:]}: {number(finding.value)}"
    figure += f", threshold {number(finding.threshold)} ({CONFIDENCE[finding.confidence]})."
    remedies = "".join(
        f"<li><code>{_text(remedy.flags)}</code>: {_text(remedy.why)}</li>" for remedy in finding.remedies
    )
    source = f"<p><small>Read more: {_text(finding.source)}</small></p>" if finding.source else ""
    return (
        f'<section><p><b><span style="color:{COLOURS[finding.severity]}">{finding.severity.upper()}</span> '
        f"{_text(finding.title)}</b></p><p>{_text(when + figure)}<br>{_text(finding.meaning)}</p>"
        + (f"<p>Try one of these, the first first:</p><ul>{remedies}</ul>" if remedies else "")
        + f"{source}</section>"
    )


def _text(words: str) -> str:
    """Escape text for HTML, with control characters spelt out."""
    return escape(shown(words))
