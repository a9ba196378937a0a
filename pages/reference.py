"""The reference: a page a recipe, metric, stabiliser, sign and command, made of docstrings and registries.

python -m pages.reference        writes docs/reference
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from zerosum import cli, kinds, recipes, stabilisers
from zerosum.config import documentation, flag, spelt
from zerosum.doctor import signs
from zerosum.evaluation import measures
from zerosum.evaluation.measures.base import MetricGroup
from zerosum.recipe import Recipe
from zerosum.stabilisers import base

ROOT = Path(__file__).parents[1]
Pages = Mapping[str, str]


def write(folder: Path) -> None:
    """Write the reference into a folder, which then holds nothing else; files that stay as they are keep their time."""
    pages: dict[str, str] = {}
    for part, made in _parts().items():
        pages |= {f"{part}/{name}": text for name, text in made.items()} | {f"{part}/index": _index(part, made)}
    pages["index"] = _first()
    pages["python"] = PYTHON
    for path in folder.rglob("*.md") if folder.exists() else ():
        if path.relative_to(folder).with_suffix("").as_posix() not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def recipe_pages() -> Pages:
    """Return a page a recipe."""
    return {name: _recipe(name, recipes.find(name)) for name in recipes.names()}


def metric_pages() -> Pages:
    """Return a page a metric."""
    return {name: _metric(name, group) for group in measures.groups() for name in group.names}


def stabiliser_pages() -> Pages:
    """Return a page a stabiliser."""
    return {name: _stabiliser(name, stabilisers.find(name)) for name in stabilisers.names()}


def sign_pages() -> Pages:
    """Return a page a sign of failure."""
    return {name: _sign(signs.find(name)) for name in signs.names()}


def command_pages() -> Pages:
    """Return a page a command: what its --help prints."""
    return {name: _command(name, does) for name, does in cli.COMMANDS.items()}


PARTS = {
    "recipes": ("Recipes", "A game each, by name: `zerosum train DATA --recipe NAME`."),
    "metrics": ("Metrics", "What `zerosum evaluate --metrics NAME,NAME` takes."),
    "stabilisers": ("Stabilisers", "Additions to any recipe's game: `zerosum train DATA --stabilise NAME:VALUE`."),
    "signs": ("Signs", "What `zerosum doctor` looks for."),
    "commands": ("Commands", "What `zerosum COMMAND --help` prints."),
}

PYTHON = """# Python

```{eval-rst}
.. automodule:: zerosum.api
   :members:

.. autofunction:: zerosum.report.plot.plot

.. autoclass:: zerosum.run.directory.Run
   :members:

.. autoclass:: zerosum.run.history.History
   :members:

.. autoclass:: zerosum.Recipe
   :members:

.. autoclass:: zerosum.Player
   :members:

.. autoclass:: zerosum.Game
   :members:

.. autoclass:: zerosum.Loss
   :members:

.. automodule:: zerosum.objectives
   :members:
```
"""


def _parts() -> dict[str, Pages]:
    made = (recipe_pages(), metric_pages(), stabiliser_pages(), sign_pages(), command_pages())
    return dict(zip(PARTS, made, strict=True))


def _first() -> str:
    parts = "\n".join([*(f"{part}/index" for part in PARTS), "python"])
    made = "Made of the code at every build of this site."
    return f"# Reference\n\n{made}\n\n```{{toctree}}\n:maxdepth: 1\n\n{parts}\n```\n"


def _index(part: str, made: Pages) -> str:
    title, what = PARTS[part]
    rows = [f"| [{name}]({name}.md) | {_cell(_summary(text))} |" for name, text in made.items()]
    table = "\n".join([f"| {title.lower().removesuffix('s')} | |", "|---|---|", *rows])
    return f"# {title}\n\n{what}\n\n{table}\n\n```{{toctree}}\n:hidden:\n\n" + "\n".join(made) + "\n```\n"


def _summary(text: str) -> str:
    """Return the first paragraph below a page's title, in one line."""
    return " ".join(text.split("\n\n")[1].split())


def _recipe(name: str, kind: type[Recipe]) -> str:
    config = kind.Config()
    rows = _settings(config.to_json(), documentation(kind.Config))
    trains = ", ".join(one.name for one in kinds.of_batches(kind.data))
    verb = kind.task.command.split()[1]
    facts = [f"Task: it {kind.task.does} ([`zerosum {verb}`](../commands/{verb}.md)).", f"Trains on: {trains}."]
    source = inspect.getsourcefile(kind)
    assert source is not None
    code = Path(source).read_text(encoding="utf-8").split('"""', 2)[2].strip()
    parts = [
        f"# {name}", _prose(recipes.about(name)), *facts, f"```console\n$ zerosum train DATA --recipe {name}\n```",
        "## Settings", rows, "## The whole recipe", f"```python\n{code}\n```",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _metric(name: str, group: MetricGroup) -> str:
    module = importlib.import_module(group.compute.__module__)
    way = group.names[name]
    better = f"{way} is better" if way in ("lower", "higher") else f"best {way}"
    beside = [other for other in group.names if other != name]
    parts = [
        f"# {name}",
        f"{better[0].upper()}{better[1:]}; takes {group.cost}"
        + ("." if group.cost == "seconds" else ", so that it is taken only where it is asked for."),
        f"```console\n$ zerosum evaluate RUN --metrics {name}\n```",
        *([f"What it does not react to, or reacts to the wrong way: {group.blind}."] if group.blind else []),
        *([f"Computed together with {', '.join(f'[{other}]({other}.md)' for other in beside)}."] if beside else []),
        *(["It has a quick form, for curves while training (`--evaluate-every`)."] if group.quick else []),
        "## How it is computed",
        *(_function(function) for function in _used(module, group)),
    ]
    return "\n\n".join(parts) + "\n"


def _used(module: Any, group: MetricGroup) -> list[Any]:
    """Find the functions of `zerosum.metrics` that a group's code calls, directly or through its module's own ones."""
    found, todo, seen = [], [group.compute], set()
    while todo:
        function = inspect.unwrap(todo.pop(0))
        function = getattr(function, "func", function)
        if function in seen or not inspect.isfunction(function):
            continue
        seen.add(function)
        for name in sorted({*_names(function.__code__)}):
            value = getattr(module, name, None)
            home = getattr(value, "__module__", None)
            if inspect.isfunction(value) and home == module.__name__:
                todo.append(value)
            elif inspect.isroutine(value) and str(home).startswith("zerosum.metrics") and value not in found:
                found.append(value)
    return [one for one in found if not one.__module__.endswith((".bootstrap", ".checks"))]


def _names(code: Any) -> Iterable[str]:
    """Return all names that a code object and those within it refer to."""
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _names(constant)


def _function(function: Any) -> str:
    text = inspect.getdoc(function) or ""
    return f"### `{function.__module__}.{function.__name__}`\n\n" + _prose(text)


def _stabiliser(name: str, kind: type[base.Stabiliser]) -> str:
    module = sys.modules[kind.__module__]
    value = kind().value
    typed = name if value == 1.0 else f"{name}:{value:g}"
    parts = [f"# {name}", _prose(inspect.getdoc(module) or ""), _prose(inspect.getdoc(kind) or "")]
    return "\n\n".join([*parts, f"```console\n$ zerosum train DATA --stabilise {typed}\n```"]) + "\n"


def _sign(sign: signs.Sign) -> str:
    about = inspect.getdoc(importlib.import_module(sign.find.__module__)) or ""
    parts = [f"# {sign.name}", f"{sign.title}.", _prose(about), f"Source: {_escaped(sign.source)}."]
    return "\n\n".join(parts) + "\n"


def _command(name: str, does: str) -> str:
    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}),
        contextlib.redirect_stdout(printed),
    ):
        code = cli.main([name, "--help"])
    assert code == 0, name
    text = "\n".join(line.rstrip() for line in printed.getvalue().splitlines()).strip()
    return f"# zerosum {name}\n\n{does[0].upper()}{does[1:]}.\n\n```text\n{text}\n```\n"


def _settings(values: Mapping[str, Any], texts: Mapping[str, str | None]) -> str:
    rows = [
        f"| `{flag(name)}` | {'' if value is None else f'`{spelt(value)}`'} | {_cell(_escaped(texts[name] or ''))} |"
        for name, value in values.items()
    ]
    return "\n".join(["| flag | default | |", "|---|---|---|", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


SECTION = re.compile(r"^(Args|Returns|Raises|Source|Note|Paper|Sources):(.*)$")


def _prose(text: str) -> str:
    """Turn a docstring into Markdown: sections in bold, arguments as a list, doctests as code, addresses as links."""
    lines: list[str] = []
    section = fenced = False
    for line in inspect.cleandoc(text).splitlines():
        heading = SECTION.match(line)
        if line.lstrip().startswith(">>>") and not fenced:
            lines += ["", "```python"]
            fenced = True
        if fenced and not line.strip():
            lines += ["```"]
            fenced = False
        if fenced:
            lines.append(line.strip() if section else line)
        elif heading:
            section = heading[1] in ("Args", "Returns", "Raises")
            lines += ["", f"**{heading[1]}:** {_escaped(heading[2].strip())}".rstrip(), *([""] if section else [])]
        elif section and re.match(r"^ {4}\S", line):
            named, colon, rest = line.strip().partition(":")
            lines.append(
                f"- `{named}`:{_escaped(rest)}" if colon and " " not in named.strip() else f"- {_escaped(line.strip())}"
            )
        elif section and line.startswith(" "):
            lines.append(f"  {_escaped(line.strip())}")
        else:
            section = section and not line.strip()
            lines.append(_escaped(line.strip()))
    return "\n".join([*lines, *(["```"] if fenced else [])]).strip()


def _escaped(text: str) -> str:
    """Keep letters of formulas from being read as Markdown, outside of code and addresses."""
    parts = re.split(r"(`[^`]*`|https?://[^\s),;]+)", text)
    for place, part in enumerate(parts):
        if part.startswith("http"):
            parts[place] = f"<{part.rstrip('.')}>" + "." * part.endswith(".")
        elif not part.startswith("`"):
            parts[place] = re.sub(r"([*_|<$#\[\]~])", r"\\\1", part)
    return "".join(parts)


if __name__ == "__main__":
    shutil.rmtree(ROOT / "docs" / "reference", ignore_errors=True)
    write(ROOT / "docs" / "reference")
