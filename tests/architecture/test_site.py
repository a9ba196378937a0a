"""The site's pages: each has a place in a table of contents, and its commands are the program's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from zerosum import recipes
from zerosum.cli import COMMANDS
from zerosum.cli.completion import flags_by_command
from zerosum.config import flag
from zerosum.inference.controls import controls

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILT = ("reference", "_built", "_site")
TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)


def pages() -> list[Path]:
    return [path for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).parts[0] not in BUILT]


def listed() -> set[Path]:
    """Return the pages that some table of contents has."""
    found = {DOCS / "index.md"}
    for page in pages():
        for body in TOCTREE.findall(page.read_text(encoding="utf-8")):
            for entry in (line.strip() for line in body.splitlines()):
                if entry and not entry.startswith(":"):
                    found |= {path.resolve() for path in page.parent.glob(f"{entry}.md")}
    return found


def test_every_page_has_a_place_in_the_table_of_contents():
    assert len(pages()) > 50
    assert {page.resolve() for page in pages()} - {path.resolve() for path in listed()} == set()


COMMAND = re.compile(r"(?:`|^\$ |^)(?:torchrun .*?-m )?zerosum (?:-- )?([a-z]+) ([^`\n]*)", re.MULTILINE)


def flags_of_use() -> dict[str, set[str]]:
    """Return the flags that recipes add to the commands that use their runs."""
    found: dict[str, set[str]] = {}
    for recipe in map(recipes.find, recipes.names()):
        verb = recipe.task.command.split()[1]
        found.setdefault(verb, set()).update(map(flag, controls(recipe)))
    return found


def test_the_flags_of_the_commands_of_all_pages_are_theirs():
    found, own = flags_by_command(tuple(COMMANDS))
    of_use, read = flags_of_use(), 0
    own[""] = dict.fromkeys(set().union(*own.values()), ())  # the data choose the recipe
    past = {DOCS / "benchmarks.md", *DOCS.glob("decisions/*"), *DOCS.glob("tutorials/*")}  # or commands that are added
    for page in (ROOT / "README.md", *(page for page in pages() if page not in past)):
        for verb, rest in COMMAND.findall(page.read_text(encoding="utf-8").replace("\\\n", " ")):
            typed = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", re.sub(r'".*?"', "", rest))) - {"--help"}
            if not typed:
                continue
            recipe = next(iter(re.findall(r"--recipe (\S+)", rest)), "")
            have = found[verb].keys() | of_use.get(verb, set())
            have |= own.get(recipe, own[""]).keys() if verb in ("train", "tune") else set()
            assert typed <= have, f"{page.name}: zerosum {verb} has no {', '.join(sorted(typed - have))}"
            read += len(typed)
    assert read > 300


def test_the_commands_of_all_pages_are_commands():
    found = 0
    for page in (page for page in pages() if page.parent.name != "tutorials"):  # which add commands
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("$ zerosum "):
                assert shlex.split(line)[2] in COMMANDS, f"{page.name}: {line}"
                found += 1
    assert found > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimum", "divergences", "fits", "losses", "dirac"])
def test_the_figures_of_the_concepts_are_what_the_code_draws(name: str, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="needs the extra plots")
    from pages import figures

    drawn = figures.save(name, tmp_path).read_text()
    kept = (figures.FOLDER / f"{name}.svg").read_text()
    numbers = [re.findall(r"-?\d+\.\d+", text) for text in (drawn, kept)]
    assert len(numbers[0]) == len(numbers[1])
    assert [float(n) for n in numbers[0]] == pytest.approx([float(n) for n in numbers[1]], abs=0.01)


@pytest.mark.slow
def test_the_reference_has_a_page_for_everything(tmp_path: Path):
    from pages import reference
    from zerosum import recipes, stabilisers
    from zerosum.doctor import signs
    from zerosum.evaluation import measures

    reference.write(tmp_path)
    for part, names in (
        ("recipes", recipes.names()),
        ("stabilisers", stabilisers.names()),
        ("signs", signs.names()),
        ("metrics", measures.better()),
        ("commands", COMMANDS),
    ):
        assert {path.stem for path in (tmp_path / part).glob("*.md")} == {*names, "index"}
    assert "--n-critic" in (tmp_path / "recipes" / "wgan_gp.md").read_text()
