"""Questions about what a recipe is stay in `tasks/`; about what a sample is, where kinds and networks are made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zerosum
from zerosum import kinds, tasks

SOURCE = Path(zerosum.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
METHODS = {task.method for task in tasks.TASKS.values()}
RECIPES = {name for name in vars(tasks) if name.endswith("Recipe")} | {"Recipe"}
KINDS = set(kinds.names())


def questions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, what is asked) of what a recipe is, or what a sample is."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("isinstance", "issubclass")
        ):
            named = {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
            if named & RECIPES:
                yield node.lineno, "recipe"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("hasattr", "getattr"):
            asked = node.args[1]
            if isinstance(asked, ast.Constant) and asked.value in METHODS:
                yield node.lineno, "recipe"
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) and side.value in KINDS for side in sides) and any(
                isinstance(side, ast.Attribute) and side.attr in ("kind", "name") for side in sides
            ):
                yield node.lineno, "kind"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_what_a_recipe_is_and_what_a_sample_is_are_asked_in_their_places(path: Path) -> None:
    here = str(path.relative_to(SOURCE))
    for line, asked in questions(ast.parse(path.read_text(encoding="utf-8"))):
        places = {"recipe": ("tasks/", "recipes/__init__.py"), "kind": ("kinds/", "data/", "recipes/")}[asked]
        assert here.startswith(places), f"{here}:{line} asks what a {asked} is: read a row of tasks/ or kinds/"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("isinstance(recipe, TranslationRecipe)", "recipe"),
        ("issubclass(kind, A | LatentRecipe)", "recipe"),
        ("hasattr(recipe, 'sample')", "recipe"),
        ("spec.kind == 'points'", "kind"),
    ],
)
def test_questions_are_recognised(text: str, asked: str) -> None:
    assert [found for _, found in questions(ast.parse(text))] == [asked]


def test_every_recipe_has_a_task_whose_method_it_has() -> None:
    from zerosum import recipes

    for name in recipes.names():
        recipe = recipes.find(name)
        assert recipe.task in tasks.TASKS.values(), name
        assert callable(getattr(recipe, recipe.task.method)), name
