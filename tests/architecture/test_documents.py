"""Documents are what the code makes of them."""

from __future__ import annotations

import re

from bench.results import FOLDER, PAGE, ROOT, page


def test_the_benchmarks_page_is_made_of_the_results():
    assert list(FOLDER.glob("*.json"))
    assert PAGE.read_text() == page(), "run `python -m bench.results`"


def test_every_link_between_documents_leads_somewhere():
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}, which is not there"
