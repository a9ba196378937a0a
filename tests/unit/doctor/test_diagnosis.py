"""A diagnosis in a notebook: what it shows, and that names from data cannot become markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import zerosum
from zerosum.doctor import Finding, Remedy
from zerosum.doctor.diagnosis import Diagnosis

EVIL = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def finding(words: str) -> Finding:
    return Finding(
        sign="s", title=f"Title {words}", severity="warning", confidence="likely", since=1_200,
        measure=f"measure {words}", value=0.994, threshold=0.99, meaning=f"Meaning {words}.", source=f"Source {words}",
        remedies=(Remedy(flags=f"--flag {words}", why=f"why {words}"),),
    )  # fmt: skip


def read(diagnosis: Diagnosis) -> Tags:
    tags = Tags()
    tags.feed(diagnosis._repr_html_())
    return tags


def test_a_notebook_shows_the_finding_its_figure_and_its_remedies() -> None:
    page = read(Diagnosis([finding("here"), finding("there")]))
    for words in ("WARNING", "Title here", "Since round 1,200", "Measure here: 0.994, threshold 0.99 (likely)",
                  "Meaning here.", "--flag there", "why there", "Source there"):  # fmt: skip
        assert words in page.text
    assert sorted(tag for tag in page.opened if tag != "br") == sorted(page.closed)


def test_what_comes_from_data_stays_text() -> None:
    page = read(Diagnosis([finding(EVIL)]))
    assert "script" not in page.opened
    assert page.text.count(EVIL) == 6


def test_without_a_finding_a_sentence_says_so() -> None:
    assert read(Diagnosis()).text.startswith("No finding")


def test_python_returns_what_a_notebook_shows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,d_loss,g_loss\n" + "".join(f"{epoch},0.5,nan\n" for epoch in range(1, 9)))
    found = zerosum.diagnose(path)
    assert isinstance(found, Diagnosis)
    assert "CRITICAL" in found._repr_html_()
