"""One-line mutations of Python source: small changes that a test ought to notice, found by syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
NAMES = {"mean": "sum", "sum": "mean", "min": "max", "max": "min", "floor": "ceil", "sqrt": "abs", "any": "all"}
NAMES |= {"all": "any", "real": "fake", "fake": "real", "a": "b", "b": "a", "first": "last", "last": "first"}

SYMMETRIC = ("min", "max", "isinstance", "getattr")
"""Calls whose first arguments are not swapped: nothing would change, or nothing would run."""


@dataclass(frozen=True)
class Mutation:
    """A replacement of one expression or statement."""

    file: str
    line: int
    what: str
    start: int
    """First byte replaced; `stop` is the byte after the last."""
    stop: int
    text: str

    @property
    def id(self) -> str:
        return f"{self.file}:{self.line}:{self.what}"

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.stop :]


def mutations(file: str, source: bytes) -> list[Mutation]:
    """Return every mutation of a file, in the order of its text, each with an id of its own."""
    offsets = [0]
    for line in source.split(b"\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    found: dict[str, Mutation] = {}
    for node in _code(ast.parse(source)):
        start = offsets[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        stop = offsets[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        for what, changed in _changes(node):
            text = changed if isinstance(changed, str) else ast.unparse(changed)
            mutation = Mutation(file, node.lineno, f"{what}, column {node.col_offset}", start, stop, text)  # type: ignore[attr-defined]
            if _parses(mutation.apply(source)):
                found[mutation.id] = mutation
    return sorted(found.values(), key=lambda m: (m.start, m.id))


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk over what is computed: no annotations, docstrings, imports, or sentences of errors."""
    for name, child in ast.iter_fields(tree):
        if name in ("annotation", "returns", "bases", "type_params", "decorator_list"):
            continue
        for node in child if isinstance(child, list) else [child]:
            if not isinstance(node, ast.AST) or isinstance(
                node, (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr)
            ):
                continue
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                continue
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__pydantic_config__", "B", "T"):
                continue
            if isinstance(node, (ast.expr, ast.stmt, ast.keyword)):
                yield node
            yield from _code(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST | str]]:
    """Yield what can be done to one node: a name of the change, and the node or text in its place."""
    match node:
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield _symbols(op, ARITHMETIC[type(op)]), _with(node, op=ARITHMETIC[type(op)]())
            if isinstance(op, ast.Mult):
                yield "drop the right factor", f"({ast.unparse(node.left)})"
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield _symbols(op, COMPARISONS[type(op)]), _with(node, ops=[COMPARISONS[type(op)]()])
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield _symbols(op, type(other)), f"({ast.unparse(_with(node, op=other))})"
        case ast.UnaryOp(op=ast.USub() | ast.Not() as op):
            yield f"drop {type(op).__name__}", f"({ast.unparse(node.operand)})"
        case ast.Constant(value=value) if isinstance(value, (bool, int, float)):
            yield f"{value!r} -> {_other(value)!r}", repr(_other(value))
        case ast.IfExp():
            yield "swap the branches", f"({ast.unparse(_with(node, body=node.orelse, orelse=node.body))})"
        case ast.Expr(value=ast.Call() as call):
            yield f"drop {ast.unparse(call.func)}(...)", "pass"
        case ast.List() | ast.Tuple() if len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
            yield "drop the last element", f"({', '.join(map(ast.unparse, node.elts[:-1]))},)"
        case ast.Dict() if len(node.keys) > 1:
            yield "drop the last key", _with(node, keys=node.keys[:-1], values=node.values[:-1])
        case ast.Call():
            yield from _calls(node)
        case _:
            return


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in NAMES:
        other = NAMES[node.func.attr]
        yield f"{node.func.attr} -> {other}", _with(node, func=_with(node.func, attr=other))
    if isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield f"{node.func.id} -> {NAMES[node.func.id]}", _with(node, func=_with(node.func, id=NAMES[node.func.id]))
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("detach", "relu", "clone", "copy", "float"):
        yield f"drop .{node.func.attr}()", node.func.value
    if len(node.args) > 1 and not any(isinstance(argument, ast.Starred) for argument in node.args[:2]):
        one, two, *rest = node.args
        if ast.unparse(one) != ast.unparse(two) and ast.unparse(node.func) not in SYMMETRIC:
            yield "swap the first two arguments", _with(node, args=[two, one, *rest])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            kept = [other for place, other in enumerate(node.keywords) if place != index]
            yield f"drop {keyword.arg}=", _with(node, keywords=kept)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _symbols(old: ast.AST, new: type[ast.AST]) -> str:
    return f"{type(old).__name__} -> {new.__name__}"


def _other(value: float) -> float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else round(value + 0.1, 9) if abs(value) < 1 else value * 2


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
