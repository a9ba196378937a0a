"""Curves of runs by names from outside: folders named as mathematics, alike, or in a way that matplotlib leaves out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from zerosum.cli import main
from zerosum.report import plot
from zerosum.run.directory import Run

pytest.importorskip("matplotlib", reason="needs the extra plots")


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Makes a run that measured some curves, in a folder of a name."""

    def made(name: str, *curves: str) -> Run:
        path = tmp_path / name
        path.mkdir(parents=True)
        (path / "run.json").write_text(json.dumps({"format": 2, "recipe": "gan"}))
        rows = [{"round": at, **dict.fromkeys(curves, at / 7)} for at in (1, 2, 3)]
        (path / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return Run.open(path)

    return made


def said(drawn: Any) -> list[str]:
    return [text.get_text().replace(r"\$", "$") for text in drawn.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("name", ["a$b_$c", "$\\frac$", "_under"])
@pytest.mark.skipif(os.name != "posix", reason="folders have such names on POSIX")
def test_a_folder_has_its_name_in_the_legend(name: str, run: Any, tmp_path: Path) -> None:
    runs = [run(name, "g/loss"), run("other", "g/loss")]
    assert said(plot.figure(runs)) == [name, "other"]
    assert plot.save(runs, tmp_path / "curves.svg").exists()


def test_runs_in_folders_of_one_name_are_told_apart(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run("a/run", "g/loss"), run("b/run", "g/loss"), run("c", "g/loss")]
    assert said(plot.figure(runs)) == [str(tmp_path / "a" / "run"), str(tmp_path / "b" / "run"), "c"]
    monkeypatch.chdir(tmp_path / "c")
    assert said(plot.figure([Run.open("."), runs[0]])) == ["c", "run"]


def test_a_run_has_one_colour_in_all_panels_and_stands_in_the_legend(run: Any) -> None:
    drawn = plot.figure([run("one", "g/loss"), run("two", "d/loss", "g/loss"), run("three", "d/loss")])
    first, second = ([line.get_color() for line in panel.lines[::2]] for panel in drawn.axes)
    assert [panel.get_title() for panel in drawn.axes] == ["g/loss", "d/loss"]
    assert (first, second) == (["C0", "C1"], ["C1", "C2"])
    assert said(drawn) == ["one", "two", "three"]


def test_without_a_run_it_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot"]) == 2
    assert "No run was given" in capsys.readouterr().err
