"""What a paper needs of runs: a table with seeds as one row, curves in a vector format, references."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import pytest

from zerosum import recipes, stabilisers
from zerosum.cli import COMMANDS, main
from zerosum.evaluation import cite, measures
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.metrics.bootstrap import Interval
from zerosum.run.directory import Run

PROTOCOL = Protocol(
    extractor="pixels", identity="x", sees="pixels", data="digits", split="test", fingerprint="f", against="train",
    real=100, fake=100, size="1x8x8", resizer="none", seed=0,
)  # fmt: skip


def make(name: str, recipe: str, seed: int, fid: float, **settings: object) -> Path:
    """Write a run of one round that was evaluated."""
    description = {
        "recipe": recipe, "config": settings, "training": {"seed": seed, "stabilise": "r1"}, "data_options": {},
        "spec": {}, "data": {"fingerprint": "d", "source": "<b>digits</b>"}, "versions": {"zerosum": "0.1.0"},
    }  # fmt: skip
    run = Run.create(Path(name), description)
    for round_, loss in ((1, 2.0), (2, 1.0)):
        run.log({"round": round_, "generator/loss": loss})
    interval = Interval(fid - 1, fid + 1, 0.95, 0.5, "bootstrap").limited((0.0, None))
    figure = MetricResult(metric="fid", title="FID_x", value=fid, better="lower", floor=0.5, interval=interval)
    Evaluation(subject=name, round=2, protocol=PROTOCOL, figures=(figure,), notes=()).write(
        run.path / "evaluation.json"
    )
    return run.path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    made = [make(f"a{seed}", "dcgan", seed, fid) for seed, fid in enumerate((3.0, 5.0, 7.0))]
    return [str(path) for path in (*made, make("b", "wgan_gp", 0, 9.0))]


def test_seeds_are_one_row_with_mean_and_interval_over_them(runs, capsys):
    assert main(["compare", *runs, "--format", "markdown"]) == 0
    printed = capsys.readouterr().out
    (ours,) = re.findall(r"\| dcgan \| 3 \| (\S+) \((\S+) to (\S+)\)", printed)
    reach = 4.3027 * 2 / 3**0.5  # the 97.5 % quantile of Student's t with two degrees of freedom
    assert [float(value) for value in ours] == pytest.approx([5, 5 - reach, 5 + reach], abs=0.01)
    assert "| wgan_gp | 1 | 9" in printed
    assert "Seed 0" in printed


def test_a_folder_of_samples_says_how_it_comes_into_a_comparison(runs, capsys):
    Path("my samples").mkdir()
    assert main(["compare", runs[0], "my samples"]) == 2
    said = capsys.readouterr().err
    assert "my samples is no run: `zerosum evaluate 'my samples' --against DATA --out FILE.json`" in said


def test_an_interval_over_seeds_stays_within_what_the_metric_can_be(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runs = [str(make(f"a{seed}", "dcgan", seed, fid)) for seed, fid in enumerate((1.0, 5.0, 12.0))]
    assert main(["compare", *runs, "--format", "markdown"]) == 0
    assert "| dcgan | 3 | 6 (0 to 19.8)" in capsys.readouterr().out


def test_another_setting_is_another_method(runs, capsys):
    other = str(make("wide", "dcgan", 4, 2.0, width=64))
    assert main(["compare", *runs[:3], other, "--format", "markdown"]) == 0
    printed = capsys.readouterr().out
    assert "| a0 | 3 |" in printed
    assert "| wide | 1 |" in printed


def test_latex_escapes_names_and_csv_has_all_digits(runs, capsys):
    assert main(["compare", *runs, "--format", "latex", "--out", "table.tex"]) == 0
    table = Path("table.tex").read_text()
    assert r"FID\_x $\downarrow$" in table
    assert r"wgan\_gp & 1 &" in table
    assert table.count("&") % 2 == 0
    assert main(["compare", *runs, "--format", "csv", "--out", "table.csv"]) == 0
    with open("table.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], float(row["value"])) for row in rows] == [("dcgan", 5.0), ("wgan_gp", 9.0)]
    assert main(["compare", *runs, "--out", "x"]) == 2
    assert "--format" in capsys.readouterr().err


def test_curves_are_drawn_the_same_each_time(runs, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra plots")
    assert main(["plot", *runs[:2], "--out", "curves.svg"]) == 0
    first = Path("curves.svg").read_bytes()
    assert b"<svg" in first
    assert main(["plot", *runs[:2], "--out", "again.svg"]) == 0
    assert Path("again.svg").read_bytes() == first
    assert main(["plot", runs[0], "--curves", "generator/los", "--out", "x.svg"]) == 2
    assert "generator/loss" in capsys.readouterr().err
    assert main(["plot", runs[0], "--out", "x.bmp"]) == 2


def test_references_are_those_of_recipe_stabilisers_metrics_and_software(runs, capsys):
    assert main(["cite", runs[3], "--out", "run.bib"]) == 0
    text = Path("run.bib").read_text()
    numbers = re.findall(r"eprint = \{(\S+)\}", text)
    assert numbers == ["1704.00028", "1801.04406", "1706.08500"]
    assert "@software{zerosum" in text
    assert not capsys.readouterr().err


def test_the_figure_of_a_class_is_cited_as_its_metric_is(runs, capsys):
    path = Path(runs[3]) / "evaluation.json"
    known = Evaluation.read(path)
    (fid,) = known.figures
    of_classes = [dataclasses.replace(fid, metric=f"fid:{name}") for name in ("shirt", "a:b")]
    dataclasses.replace(known, figures=(fid, *of_classes)).write(path)
    assert main(["cite", runs[3]]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("1706.08500") == 1
    assert not printed.err


def test_every_recipe_has_a_reference_and_every_keyword_is_a_metric():
    for name in recipes.names():
        assert cite.papers(recipes.about(name), first=True), f"references.bib lacks the paper of {name}"
    words = " ".join(re.findall(r"keywords = \{([^}]*)\}", "".join(cite.entries().values()))).split()
    assert set(words) <= measures.better().keys()
    lacking = [n for n in stabilisers.names() if not cite.papers(cite._source(stabilisers.find(n)))]
    assert lacking == ["dropout", "label-flips", "weight-penalty"]  # none of arXiv


def test_a_notebook_shows_the_newest_preview_and_escapes_names(runs):
    run = Run.open(runs[0])
    assert "<b>digits</b>" not in run._repr_html_()
    assert "round 2" in run._repr_html_()
    run.sample(1).write_bytes(b"first")
    run.sample(2).write_bytes(b"second")
    assert "c2Vjb25k" in run._repr_html_()


def test_a_history_is_a_data_frame(runs):
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert list(Run.open(runs[0]).history().frame()["generator/loss"]) == [2.0, 1.0]


def test_three_answers_lead_to_a_command(monkeypatch, capsys):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("colour\nmy photos\n\n"))
    assert main(["init"]) == 0
    printed = capsys.readouterr().out
    assert "zerosum train 'my photos' --recipe pix2pix --degrade gray --run 'runs/my photos'" in printed
    monkeypatch.setattr("sys.stdin", io.StringIO("cake\n"))
    assert main(["init"]) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("more\ndigits\n²\n"))
    assert main(["init"]) == 2
    assert "'²' is no number of minutes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("more\n..\n60\n"))
    assert main(["init"]) == 0
    assert "runs/.." not in capsys.readouterr().out


def test_help_fits_a_screen(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert sum(line.startswith("  zerosum ") for line in lines) == 3
    assert len(COMMANDS) < 33


def test_progress_in_a_notebook_is_one_line(monkeypatch):
    from zerosum.runtime import notebook
    from zerosum.runtime.progress import Status

    shown: list[str] = []

    class Handle:
        def update(self, data, raw):
            shown[-1] = data["text/plain"]

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setitem(
        __import__("sys").modules, "IPython.display", type("Fake", (), {"display": staticmethod(display)})
    )
    progress = notebook.NotebookProgress(refresh_seconds=0)
    status = Status(round=1, rounds=3, phase="main", seen=4, images_per_second=1.0, seconds_left=2.0)
    for round_ in (1, 2, 3):
        progress.update(dataclasses.replace(status, round=round_))
    assert len(shown) == 1
    assert shown[0].startswith("round 3/3")


def test_references_name_all_authors_and_where_a_paper_appeared():
    found = cite.entries()
    assert len(found) > 50
    for number, entry in found.items():
        assert "others" not in entry
        assert ("booktitle = {" in entry) == entry.startswith("@inproceedings{"), entry
        year = int(re.findall(r"year = \{(\d{4})\}", entry)[0])
        assert 0 <= year - (2000 + int(number[:2])) <= 2 or number == "2501.05441", entry  # put on arXiv after it
