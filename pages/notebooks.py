"""The guides as notebooks: text stays text, commands become cells, and what they made is shown below them.

python -m pages.notebooks FOLDER        writes an .ipynb for each guide that has commands
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from pages.guides import GUIDES, GUIDES_WITH_COMMANDS

FENCE = re.compile(r"^```console\n(.*?)^```\n?", re.MULTILINE | re.DOTALL)
IMAGE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n\n?(\(The [^)]*\)\n)?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
HEAD = """This notebook is the guide of the same name in zerosum's documentation: each cell types its commands. It needs
`pip install zerosum` in the environment of its kernel, and your data beside it under the names in the commands."""
SHOWN = (".png", ".gif")


def notebook(page: str) -> dict[str, Any]:
    """Return a guide as a notebook of format 4.5."""
    text = IMAGE.sub("", (GUIDES / f"{page}.md").read_text(encoding="utf-8"))
    title, _, rest = text.partition("\n")
    cells = [_cell(f"{title}\n\n{HEAD}")]
    for place, part in enumerate(FENCE.split(rest)):
        if place % 2 == 0:
            cells += [_cell(LINK.sub(r"\1", part.strip()))] if part.strip() else []
        else:
            typed = [line[2:] for line in part.splitlines() if line.startswith("$ ")]
            cells.append(_cell("\n".join(f"!{line}" for line in typed), code=True))
            if shown := [line for command in typed for line in _shown(shlex.split(command))]:
                cells.append(_cell("\n".join([*_imports(shown), *shown]), code=True))
    for number, cell in enumerate(cells):
        cell["id"] = f"{page}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write(folder: Path) -> list[Path]:
    """Write the notebooks of all guides; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{page}.ipynb" for page in GUIDES_WITH_COMMANDS]
    for path in paths:
        path.write_text(json.dumps(notebook(path.stem), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


def _shown(words: list[str]) -> list[str]:
    """Return the lines that show what a command has made: a run, or a picture."""
    if "train" in words and "--run" in words:
        return [f'display(Run.open("{words[words.index("--run") + 1]}"))']
    out = words[words.index("--out") + 1] if "--out" in words else ""
    return [f'display(Image("{out}"))'] if out.endswith(SHOWN) else []


def _imports(lines: list[str]) -> list[str]:
    needed = {
        "Image(": "from IPython.display import Image",
        "Run.": "from zerosum.run.directory import Run",
    }
    return [statement for name, statement in needed.items() if any(name in line for line in lines)]


def _cell(text: str, *, code: bool = False) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    if code:
        return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
    return {"cell_type": "markdown", "metadata": {}, "source": source}


if __name__ == "__main__":
    for path in write(Path(sys.argv[1])):
        print(path)
