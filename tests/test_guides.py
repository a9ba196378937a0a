"""The commands of each guide run as they stand, but for fewer rounds on smaller networks and less data."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pages import guides, notebooks
from zerosum import recipes

QUICK = ["--rounds", "2", "--batch", "4", "--save-every", "1", "--previews", "4"]


def shortened(words: list[str]) -> list[str]:
    """Shorten a command that trains, evaluates or samples; what is said last counts."""
    if "train" in words and "--explain" not in words:
        name = words[words.index("--recipe") + 1] if "--recipe" in words else "cgan"
        narrow = ["--width", "4"] if "width" in recipes.find(name).Config.names() else []
        return [*words, *QUICK, *narrow]
    return [*words, "--count", "40", "--features", "random"] if words[1] == "evaluate" else words


@pytest.mark.slow
@pytest.mark.parametrize("page", guides.GUIDES_WITH_COMMANDS)
def test_the_commands_of_a_guide_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    if page == "two-gans":
        pytest.importorskip("matplotlib")
    if page == "page":
        pytest.importorskip("onnxruntime")
    folder = tmp_path / "work"
    folder.mkdir()
    printed = guides.play(page, folder, shorten=shortened, count=24)
    assert list(printed) == guides.commands(page)
    assert len(printed) >= 1


def test_every_guide_is_played():
    assert {path.stem for path in guides.GUIDES.glob("*.md")} - {"index"} == guides.GUIDES_WITH_COMMANDS.keys()


CELLS = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell, shown = InteractiveShell.instance(), []
shell.display_pub.publish = lambda data, **rest: shown.append(sorted(data))
shell.system = shell.system_piped
for source in json.load(open(sys.argv[1])):
    shell.run_cell(source).raise_error()
    assert shell.user_ns.get("_exit_code", 0) in (0, 3), source
json.dump(shown, open("shown.json", "w"))
"""


@pytest.mark.parametrize("page", guides.GUIDES_WITH_COMMANDS)
def test_a_notebook_types_the_commands_of_its_guide(page: str):
    cells = notebooks.notebook(page)["cells"]
    typed = [line[1:] for cell in cells for line in "".join(cell["source"]).splitlines() if line.startswith("!")]
    assert typed == guides.commands(page)
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert not [cell for cell in cells if "](" in "".join(cell["source"]) or "```{" in "".join(cell["source"])]


def test_notebooks_have_the_form_of_notebooks(tmp_path: Path):
    nbformat = pytest.importorskip("nbformat")
    for path in notebooks.write(tmp_path):
        nbformat.validate(nbformat.read(path, as_version=4))


@pytest.mark.slow
def test_the_cells_of_a_notebook_run_and_show_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("IPython")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    guide = guides.GUIDES_WITH_COMMANDS["larger"]
    assert guide.data is not None
    guide.data(24)
    sources = ["".join(cell["source"]) for cell in notebooks.notebook("larger")["cells"] if cell["cell_type"] == "code"]
    typed = [
        "\n".join(_quick(line) if line.startswith("!") else line for line in source.splitlines()) for source in sources
    ]
    Path("cells.json").write_text(json.dumps(typed))
    done = subprocess.run([sys.executable, "-c", CELLS, "cells.json"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(Path("shown.json").read_text()) == [["text/html", "text/plain"], ["image/png", "text/plain"]]


def _quick(line: str) -> str:
    return "!" + shlex.join([sys.executable, "-m", *shortened(shlex.split(line[1:]))])
