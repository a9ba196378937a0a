"""What changes in a report while a run is trained: story, findings, figures and curves, as a piece of a page."""

from __future__ import annotations

from markupsafe import Markup

from zerosum.report.curves import curves
from zerosum.report.evaluation import quality
from zerosum.report.findings import findings
from zerosum.report.render import render
from zerosum.report.rescues import rescues
from zerosum.report.run_data import RunData
from zerosum.report.summary import facts, recipe, source, story


def title(evidence: RunData) -> str:
    """Return what a run is called on a page."""
    return f"{recipe(evidence)} on {source(evidence)}"


def live(evidence: RunData) -> Markup:
    """Render the piece."""
    return render(
        "live.html",
        story=story(evidence),
        facts=facts(evidence),
        findings=findings(evidence),
        quality=quality(evidence),
        rescues=rescues(evidence),
        curves=curves(evidence),
    )
