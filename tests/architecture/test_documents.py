"""Documents are what the code makes of them."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import Path

from bench import signs as signs_page
from bench.results import ANSWERS, FOLDER, PAGE, ROOT, answered, page
from zerosum import kinds
from zerosum.doctor import signs
from zerosum.tasks import TASKS


def test_the_benchmarks_page_is_made_of_the_results():
    assert list(FOLDER.glob("*.json"))
    assert PAGE.read_text() == page(), "run `python -m bench.results`"
    assert ANSWERS.read_text() == answered(), "run `python -m bench.results`"


def test_the_doctor_s_page_lists_every_sign():
    assert signs_page.PAGE.read_text() == signs_page.page(), "run `python -m bench.signs`"
    assert signs_page.signs_table().count("\n| `") == len(signs.names())


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_documents_leads_somewhere():
    built = ROOT / "docs" / "reference"  # by `make docs`, which checks its links
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        if built in document.parents:
            continue
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", document.read_text()):
            place = document.parent / target if target else document
            assert place.exists(), f"{document.name} links to {target}, which is not there"
            assert not anchor or anchor in anchors(place), (
                f"{document.name} links to {target}#{anchor}: no such heading"
            )


def test_the_design_names_every_layer_task_and_kind():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    _, *layers = contracts["importlinter:contract:layers"]["layers"].strip().splitlines()
    design = " ".join((ROOT / "docs" / "design.md").read_text().split())
    assert " > ".join(f"`{layer}`" for layer in layers) in design
    listed = re.findall(r"\*\* is what a (?:recipe is for|sample is): (.*?)\. It is a file", design)
    assert [set(words.split(", ")) for words in listed] == [set(TASKS), set(kinds.names())]


def test_every_docstring_names_the_arguments_that_there_are():
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef):
                continue
            section = re.search(r"^Args:\n((?:    .*\n?|\n)*)", ast.get_docstring(node) or "", re.MULTILINE)
            inside = node.body if isinstance(node, ast.ClassDef) else [node]
            wanted = "__init__" if isinstance(node, ast.ClassDef) else node.name
            function = next((one for one in inside if isinstance(one, ast.FunctionDef) and one.name == wanted), None)
            if section is None or function is None:
                continue
            given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
            told = set(re.findall(r"^    (\w+):", section[1], re.MULTILINE))
            assert told <= given, f"{file.name}: {node.name} has no argument {', '.join(told - given)}"
