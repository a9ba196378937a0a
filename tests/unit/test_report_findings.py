"""The report's section on findings: in words, with the flags to change, a chart, and nothing unescaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.test_report import ABOUT, Structure, make, row
from zerosum import report
from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.report import findings

COLLAPSE = Finding(
    sign="mode-collapse", title="The samples look alike", severity="critical", confidence="likely", since=1_200,
    measure="variety of the samples", value=0.04, threshold=0.1, keys=("watch/diversity", "watch/absent"),
    meaning="Every latent gives nearly the same sample.",
    remedies=(Remedy(flags="--batch 128", why="shows more at once"), Remedy(flags="--lr 0.0001", why="moves slower")),
    source="Goodfellow 2016, section 5.1.1",
)  # fmt: skip
ROWS = [row(at, **({"watch/diversity": 0.9 - at / 2500} if at % 100 == 0 else {})) for at in range(20, 2001, 20)]


def page_of(
    run: Path, found: Sequence[Finding], monkeypatch: pytest.MonkeyPatch, rows: Sequence[dict] = ROWS
) -> tuple[str, list[Evidence]]:
    """Write a report of a run with the findings given; return its page and what was diagnosed."""
    asked: list[Evidence] = []
    monkeypatch.setattr(findings, "diagnose", lambda evidence: asked.append(evidence) or found)
    page = report.write(make(run, rows=list(rows))).read_text(encoding="utf-8")
    assert Structure(page).open == []
    return page, asked


def section(page: str) -> str:
    """Return the markup of the section on findings."""
    return re.search(r"<h2>What the doctor finds</h2>.*?</section>", page, re.DOTALL).group()  # type: ignore[union-attr]


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", Structure(markup.removesuffix("</section>")).text)


def test_a_finding_is_said_in_words_with_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, asked = page_of(tmp_path / "run", [COLLAPSE], monkeypatch)
    said = words(section(page))
    assert "The samples look alike critical" in said
    assert "Since round 1,200. Variety of the samples: 0.04 (threshold 0.1). How sure: likely." in said
    assert "Every latent gives nearly the same sample." in said
    assert "--batch 128 : shows more at once --lr 0.0001 : moves slower" in said
    assert "<code>--batch 128</code>" in page
    assert "Source: Goodfellow 2016, section 5.1.1" in said
    (evidence,) = asked
    assert (evidence.last_round, evidence.facts.recipe, evidence.facts.rounds) == (2_000, "dcgan", 2_000)
    assert evidence.facts.flags == {*ABOUT["config"], *ABOUT["training"]}


def test_its_chart_marks_the_round_and_the_threshold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, _ = page_of(tmp_path / "run", [COLLAPSE], monkeypatch)
    svg = ElementTree.fromstring(re.search(r"<svg.*?</svg>", section(page), re.DOTALL).group())  # type: ignore[union-attr]
    assert svg.attrib["aria-label"] == "The samples look alike (mode-collapse)"
    lines = {line.attrib["class"]: line.attrib for line in svg.iter("line")}
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    assert 0 < float(lines["reference"]["y1"]) < height
    assert 0.5 * width < float(lines["mark"]["x1"]) < 0.7 * width, "round 1,200 of 100 to 2,000"
    assert "round 1,200" in [text.text for text in svg.iter("text")]
    assert len(list(svg.iter("path"))) == 2, "raw and smooth of the one series that there is"


@pytest.mark.parametrize(
    ("change", "drawn"),
    [
        ({"threshold": 40.0}, {"mark"}),
        ({"since": 0}, {"reference"}),
        ({"keys": ()}, None),
        ({"keys": ("watch/absent",)}, None),
    ],
)
def test_what_a_chart_cannot_show_is_left_out(
    change: dict, drawn: set[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding(**{**vars(COLLAPSE), **change})
    markup = section(page_of(tmp_path / "run", [finding], monkeypatch)[0])
    found = {kind for kind in ("mark", "reference") if f'class="{kind}"' in markup}
    assert ("<svg" in markup) == (drawn is not None)
    assert found == (drawn or set())
    assert f"threshold {finding.threshold:g}" in words(markup)


def test_a_run_without_findings_says_so_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, _ = page_of(tmp_path / "run", [], monkeypatch)
    assert "Nothing: no sign of failure was found in what was measured." in words(section(page))
    page, _ = page_of(tmp_path / "empty", [], monkeypatch, rows=[])
    assert "Nothing was measured yet, so nothing can be found." in words(section(page))


def test_findings_are_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "<script>alert('x')</script>&\" onload='x"
    finding = Finding(
        sign=evil, title=evil, severity="warning", confidence="likely", since=200, measure=evil, value=1, threshold=0.5,
        keys=(f"{evil}/loss",), meaning=evil, remedies=(Remedy(flags=evil, why=evil),), source=evil,
    )  # fmt: skip
    rows = [row(at, **{f"{evil}/loss": 1.0 + at}) for at in (200, 400)]
    page, _ = page_of(tmp_path / "run", [finding], monkeypatch, rows=rows)
    structure = Structure(page)
    assert "<script" not in page
    assert structure.text.count(evil) > 5
    assert not [name for name in structure.attributes if name.startswith("on")]
