"""Rules that keep one thing in one place, read off the syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zerosum

SOURCE = Path(zerosum.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
ONLY_IN = {
    "backward": {"game.py"},
    "optimizer.step": {"player.py"},
    "torch.save": {"run/checkpoint.py"},
    "torch.load": {"run/checkpoint.py", "runtime/external_weights.py"},
    "torch.distributed": {"runtime/distributed.py", "runtime/rendezvous.py"},
    "127.5": {"data/batch.py"},
    "a recipe's constructor": {"run/load.py"},
    "digits that int may refuse": {"text.py"},
}
FORBIDDEN_IN_RECIPES = ("detach", "no_grad", "requires_grad", "requires_grad_", "cuda")


def name_of(node: ast.AST) -> str:
    """Spell an attribute chain: `self.optimizer.step` -> "self.optimizer.step"."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(tree: ast.AST) -> set[str]:
    """Return which of the guarded things a file uses."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = name_of(node.func)
            found |= {"backward"} if node.func.attr == "backward" else set()
            found |= {"optimizer.step"} if called.endswith("optimizer.step") else set()
            found |= {called} & {"torch.save", "torch.load"}
            odd = {"isdigit", "isdecimal", "isnumeric"}
            found |= {"digits that int may refuse"} if node.func.attr in odd else set()
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
            built = ast.unparse(node.func).startswith(("recipes.find(", "type(recipe)"))
            found |= {"a recipe's constructor"} if built else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found |= {"torch.distributed"} if any(n.startswith("torch.distributed") for n in names) else set()
        elif isinstance(node, ast.Constant) and node.value == 127.5:
            found.add("127.5")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_each_guarded_thing_stays_in_its_place(path):
    here = str(path.relative_to(SOURCE))
    strayed = {thing for thing in uses(ast.parse(path.read_text())) if here not in ONLY_IN[thing]}
    assert not strayed, f"{here} uses {strayed}, which belong in {[ONLY_IN[thing] for thing in strayed]}"


def test_the_guarded_things_are_found_where_they_belong():
    for thing, places in ONLY_IN.items():
        for place in places:
            assert thing in uses(ast.parse((SOURCE / place).read_text()))


@pytest.mark.parametrize("path", sorted((SOURCE / "recipes").glob("*.py")), ids=lambda p: p.stem)
def test_recipes_leave_gradients_and_devices_to_the_game(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in FORBIDDEN_IN_RECIPES, f"{path.name}:{node.lineno} uses .{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_fit_a_sitting_and_functions_a_screen(path):
    text = path.read_text()
    budget = 450 if path.parent.name == "recipes" else 250
    assert len(text.splitlines()) <= budget
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, f"{path.name}: {node.name} is too long to see at once"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_public_definition_says_what_it_is(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or not tree.body, f"{path.name} has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_are_written_by_python_whose_refusals_are_os_errors(path: Path) -> None:
    # safetensors' save_file has errors of its own for a full disk, which nothing turns into a sentence
    assert "save_file(" not in path.read_text(encoding="utf-8"), "write the bytes of safetensors.torch.save"


def test_type_checkers_are_told_where_public_names_come_from() -> None:
    """`evaluate` and `compare` once had the arguments of other functions of these names, for editors alone."""
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    told = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == zerosum._HOMES
