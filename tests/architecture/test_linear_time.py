"""What is done to every name of a data set takes a time that grows with their number, not with its square."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zerosum

SOURCE = Path(zerosum.__file__).parent
MADE_OF_ALL = {"set", "frozenset", "list", "sorted", "tuple"}


def made_again(tree: ast.AST) -> Iterator[int]:
    """Yield lines of comprehensions that make a collection for each of their items, to look one thing up in it."""
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.comprehension)):
        own = names_in(node.target)
        for part in (part for condition in node.ifs for part in ast.walk(condition)):
            if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.In | ast.NotIn):
                where = part.comparators[0]
                made = isinstance(where, ast.Call) and isinstance(where.func, ast.Name) and where.func.id in MADE_OF_ALL
                if made and own.isdisjoint(names_in(where)):
                    yield part.lineno


def names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_collection_is_made_anew_for_each_of_its_items(path: Path) -> None:
    lines = list(made_again(ast.parse(path.read_text(encoding="utf-8"))))
    assert not lines, f"{path.relative_to(SOURCE)}:{lines} makes a collection for each item: make it once, ahead"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[name for name in every if name not in set(names)]", True),
        ("tuple(name for name in every if wanted(name) and name in sorted(names))", True),
        ("[name for name in every if name not in chosen]", False),
        ("[word for word in words if 'a' in list(word)]", False),
    ],
)
def test_such_comprehensions_are_recognised(text: str, found: bool) -> None:
    assert bool(list(made_again(ast.parse(text)))) == found
