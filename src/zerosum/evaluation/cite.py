"""References of a run as BibTeX: the papers of its recipe, its stabilisers and its metrics, and the software.

Which papers is read from the docstrings of recipes and stabilisers, and from the keywords of references.bib, which name
metrics.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import zerosum
from zerosum import recipes, stabilisers
from zerosum.evaluation.class_table import MARK
from zerosum.evaluation.result import FILE, Evaluation
from zerosum.run.directory import Run

ARXIV = re.compile(r"arxiv\.org/abs/(\d{4}\.\d{4,5})")
ENTRY = re.compile(r"^@\w+\{.*?^\}\n", re.MULTILINE | re.DOTALL)

SOFTWARE = """@software{{zerosum,
  author = {{{{the authors of zerosum}}}},
  title = {{zerosum}},
  version = {{{version}}},
  license = {{Apache-2.0}}
}}
"""


def bibtex(run: Run) -> tuple[str, list[str]]:
    """Return the references of a run, and what has none.

    Raises:
        InputError: the run's evaluation cannot be read.
    """
    recipe, training = str(run.description.get("recipe")), run.description.get("training") or {}
    found, lacking = list[str](), list[str]()

    def take(name: str, entries: Iterable[str]) -> None:
        added = list(entries)
        found.extend(added)
        if not added:
            lacking.append(name)

    if recipe in recipes.names():
        take(recipe, papers(recipes.about(recipe), first=True))
    else:
        lacking.append(recipe)
    for one in stabilisers.parse(training.get("stabilise")):
        take(one.name, papers(_source(type(one))))
    if (run.path / FILE).is_file():
        figures = Evaluation.read(run.path / FILE).figures
        for metric in dict.fromkeys(figure.metric.partition(MARK)[0] for figure in figures):  # of a class, too
            take(metric, of_metric(metric))
    versions = run.description.get("versions") or {}
    software = SOFTWARE.format(version=versions.get("zerosum", zerosum.__version__))
    return "\n".join([*dict.fromkeys(found), software]), lacking


def papers(text: str, *, first: bool = False) -> list[str]:
    """Return the entries of the arXiv papers that a docstring names as its paper or source."""
    named = re.findall(r"^(?:Paper|Source): .*(?:\n {0,4}\S.*)*", text, re.MULTILINE)
    numbers = list(dict.fromkeys(ARXIV.findall("\n".join(named) or text)))
    return [entry for number in numbers[: 1 if first else None] if (entry := entries().get(number)) is not None]


def of_metric(name: str) -> list[str]:
    """Return the entries that name a metric among their keywords."""
    words = re.compile(r"keywords = \{([^}]*)\}")
    return [e for e in entries().values() if (found := words.search(e)) and name in found[1].split()]


@cache
def entries() -> dict[str, str]:
    """Return all entries by their arXiv number."""
    text = files("zerosum.evaluation").joinpath("references.bib").read_text(encoding="utf-8")
    return {re.findall(r"eprint = \{([^}]*)\}", entry)[0]: entry for entry in ENTRY.findall(text)}


def _source(kind: type) -> str:
    return f"{inspect.getdoc(sys.modules[kind.__module__]) or ''}\n{inspect.getdoc(kind) or ''}"
