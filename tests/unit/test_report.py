import html.parser
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch

from zerosum import report
from zerosum.errors import InputError
from zerosum.media.image_grid import grid, write_png
from zerosum.report.charts import WIDE, Line, chart, limits_of, smooth, ticks
from zerosum.report.run_data import PREVIEWS, read

ABOUT = {
    "format": 1,
    "recipe": "dcgan",
    "config": {"rounds": 2000, "betas": [0.5, 0.999], "n_critic": 1, "spectral": True},
    "training": {"seed": 0},
    "spec": {"shape": [1, 8, 8], "classes": []},
    "data": {"source": "photos/faces", "fingerprint": "9f3c", "count": 1000, "notes": ["3 images were cut."]},
    "machine": {"device": "cpu"},
    "versions": {"zerosum": "0.1.0"},
    "command": "zerosum train photos/faces",
}


def row(at: int, **more) -> dict:
    values = {"discriminator/loss": 1.2, "generator/loss": 0.8, "discriminator/real": 2.5}
    accuracies = {"discriminator/real_accuracy": 0.7, "discriminator/fake_accuracy": 0.6}
    clock = {"round": at, "phase": "main", "seen": at * 64, "seconds": at * 0.1, "images_per_second": 640.0}
    return {**clock, "peak_rss_bytes": 7e8, **values, **accuracies, **more}


def make(run: Path, *, about=ABOUT, rows=None, previews=(0, 1000, 2000), tail="") -> Path:
    (run / "checkpoints" / "00002000").mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(about))
    rows = [row(at) for at in range(20, 2001, 20)] if rows is None else rows
    (run / "history.jsonl").write_text("".join(json.dumps(values) + "\n" for values in rows) + tail)
    for at in previews:
        write_png(grid(torch.zeros(4, 1, 8, 8)), run / "samples" / f"{at:08d}.png")
    return run


def write_evaluation(
    run: Path, *, title="FID-pixels", settings="", notes=("few samples.",), extractor="pixels"
) -> None:
    figure = {"metric": "fid", "title": title, "value": 7.25, "better": "lower", "settings": settings, "floor": 0.5}
    figure |= {"interval": {"low": 7.1, "high": 7.4}, "notes": list(notes)}
    protocol = {"extractor": extractor, "sees": "The pixels.", "data": "photos/faces", "split": "test", "real": 100}
    protocol |= {"against": "train", "fake": 100, "size": "1x8x8", "resizer": "none", "seed": 0}
    evaluation = {"round": 2000, "protocol": protocol, "figures": [figure], "notes": []}
    (run / "evaluation.json").write_text(json.dumps(evaluation))


class Structure(html.parser.HTMLParser):
    """Collects the text of a page and sees that every element that opens also closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_startendtag(self, tag, attrs):
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text += data + " "


def text_of(run: Path) -> str:
    structure = Structure(report.write(run).read_text(encoding="utf-8"))
    assert structure.open == []
    return re.sub(r"\s+", " ", structure.text)


def test_a_report_says_in_words_what_the_run_is_and_how_it_went(tmp_path):
    text = text_of(make(tmp_path / "run"))
    assert "The recipe dcgan, trained on faces: 1,000 images, 8 × 8 pixels in gray." in text
    assert "It played all of its 2,000 rounds in 3 min." in text
    assert "discriminator 1.2, generator 0.8" in text
    assert "classified 70 % of the real and 60 % of the generated samples correctly" in text
    assert "zerosum train --resume" in text
    assert "3 images were cut." in text
    assert "Not everything is here" not in text


def test_an_unfinished_run_is_called_unfinished(tmp_path):
    text = text_of(make(tmp_path / "run", rows=[row(20), row(40)]))
    assert "It has played 40 of 2,000 rounds in 4 s; the run is not finished." in text


def test_a_report_stands_alone_and_runs_no_code(tmp_path):
    page = report.write(make(tmp_path / "run")).read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:image/png;base64,)', page)
    assert "<script" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert page.count("data:image/png;base64,") == 3


def test_whatever_came_from_outside_is_escaped(tmp_path):
    evil = "<script>alert('x')</script>&\" onload='x"
    about = {
        **ABOUT,
        "recipe": evil,
        "command": evil,
        "config": {evil: evil},
        "data": {"source": evil, "notes": [evil]},
        "spec": {"shape": [1, 8, 8], "classes": [evil]},
        "versions": {"zerosum": evil},
    }
    names = (f"{evil}/loss", f"{evil}/other", f"evaluation/{evil}")
    rows = [row(at, **dict.fromkeys(names, 1.0), phase=evil + str(at)) for at in (20, 40)]
    run = make(tmp_path / "<b>run\" onload='x", about=about, rows=rows)
    write_evaluation(run, title=evil, settings=evil, notes=[evil], extractor=evil)
    page = report.write(run).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>run" not in page
    structure = Structure(page)
    assert structure.open == []
    assert structure.text.count(evil) > 10
    assert not [name for name in structure.attributes if name.startswith("on")]


def test_a_line_cut_by_a_kill_is_left_out_and_named(tmp_path):
    text = text_of(make(tmp_path / "run", rows=[row(20), row(40)], tail='{"round": 60, "pha'))
    assert "1 line cut short or unreadable" in text
    assert "40 of 2,000 rounds" in text


def test_rounds_played_again_after_a_resume_count_once(tmp_path):
    rows = [row(20), row(40), row(60), row(40, **{"generator/loss": 5.0}), row(60)]
    evidence = read(make(tmp_path / "run", rows=rows))
    assert evidence.history.series("generator/loss") == ([20, 40, 60], [0.8, 5.0, 0.8])


def test_values_that_are_not_finite_numbers_are_not_drawn(tmp_path):
    rows = [row(20), row(40, **{"generator/loss": float("nan")}), row(60, **{"generator/loss": "broken"}), row(80)]
    run = make(tmp_path / "run", rows=rows)
    assert read(run).history.series("generator/loss")[0] == [20, 80]
    assert "nan" not in re.findall(r'd="([^"]*)"', report.write(run).read_text())


@pytest.mark.parametrize("present", ["run.json", "history.jsonl", "samples", "checkpoints"])
def test_a_run_of_which_only_one_part_is_left_has_a_report_that_names_the_rest(tmp_path, present):
    whole, run = make(tmp_path / "whole"), tmp_path / "run"
    run.mkdir()
    (whole / present).rename(run / present)
    text = text_of(run)
    assert "Not everything is here" in text
    sentences = {
        "run.json": "run.json is not there",
        "history.jsonl": "history.jsonl is not there",
        "samples": "no preview pictures",
        "checkpoints": "no checkpoint",
    }
    for part, sentence in sentences.items():
        assert (sentence in text) == (part != present)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00"])
def test_a_damaged_description_is_named_and_the_rest_is_shown(tmp_path, content):
    run = make(tmp_path / "run")
    (run / "run.json").write_bytes(content)
    text = text_of(run)
    assert "run.json cannot be read" in text
    assert "2,000 rounds" in text


def test_tables_that_are_not_tables_do_no_harm(tmp_path):
    about = {"recipe": None, "config": [1], "training": 3, "spec": {"shape": "x", "classes": 7}, "data": None}
    assert "Unknown recipe on unknown data" in text_of(make(tmp_path / "run", about=about))


def test_half_a_picture_is_left_out_and_named(tmp_path):
    run = make(tmp_path / "run")
    last = run / "samples" / "00002000.png"
    last.write_bytes(last.read_bytes()[:-20])
    assert "00002000.png is not a whole PNG file" in text_of(run)
    assert [picture.round for picture in read(run).previews] == [0, 1000]


def test_of_many_previews_the_first_and_the_last_are_among_the_few_shown(tmp_path):
    found = read(make(tmp_path / "run", previews=range(0, 4000, 100))).previews
    assert len(found) == PREVIEWS
    assert (found[0].round, found[-1].round) == (0, 3900)


def neighbours(run: Path, samples: list[float], training: list[float]) -> str:
    write_png(grid(torch.zeros(4, 1, 8, 8)), run / "samples" / "nearest.png")
    found = {name: [{"distance": d} for d in values] for name, values in (("samples", samples), ("training", training))}
    (run / "samples" / "nearest.json").write_text(json.dumps({**found, "searched": 988}))
    return text_of(run)


def test_neighbours_come_with_how_to_read_them(tmp_path):
    text = neighbours(make(tmp_path / "run"), [0.2, 0.3, 0.4], [0.25, 0.35])
    assert "of 988 searched" in text
    assert "median 0.3, least 0.2; from one training image to the next, median 0.3." in text
    assert "look for copies" not in text


def test_samples_nearer_to_training_images_than_those_to_each_other_are_called_out(tmp_path):
    assert "look for copies" in neighbours(make(tmp_path / "run"), [0.01, 0.02, 0.4], [0.25, 0.35])


def test_a_long_list_of_classes_is_counted_rather_than_written_out(tmp_path):
    about = {**ABOUT, "spec": {"shape": [1, 8, 8], "classes": [f"class-{place}" for place in range(1000)]}}
    text = text_of(make(tmp_path / "run", about=about))
    assert "and 976 more" in text
    assert "1,000 classes" in text


def test_settings_are_written_as_they_are_read_back(tmp_path):
    text = text_of(make(tmp_path / "run"))
    assert "n_critic 1 spectral yes" in text
    assert "betas 0.5, 0.999" in text


@pytest.mark.parametrize("name", ["absent", "other"])
def test_a_folder_that_is_no_run_is_refused(tmp_path, name):
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="not a run directory"):
        report.write(tmp_path / name)


def test_equal_runs_have_equal_reports(tmp_path):
    run = make(tmp_path / "run")
    assert report.write(run).read_bytes() == report.write(run).read_bytes()


def test_a_chart_is_well_formed_and_stays_within_its_frame():
    line = Line("loss", list(range(1, 5001)), [float(place % 7) for place in range(5000)])
    drawn = ElementTree.fromstring(chart([line], WIDE, title="loss", marks=[(2000, "fine")]))
    paths = [element.get("d", "") for element in drawn.iter() if element.tag == "path"]
    assert len(paths) == 2
    for path in paths:
        places = [tuple(map(float, place.split())) for place in path[1:].split("L")]
        assert 100 < len(places) < 1000
        assert all(0 <= x <= WIDE.width and 0 <= y <= WIDE.height for x, y in places)


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [-3.0, -3.0, -3.0], [1e-9, 2e-9], [1e12, 3e12]])
def test_charts_of_few_equal_tiny_and_huge_values_have_ticks(values):
    drawn = chart([Line("loss", list(range(len(values))), values)], WIDE, title="loss")
    assert 'class="grid"' in drawn
    assert "nan" not in drawn


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-5, 7), (0.001, 0.0013), (12, 1e6), (-1e-7, 1e-7)])
def test_ticks_are_few_even_and_inside(low, high):
    found = ticks(low, high, most=6)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in found)


def test_a_rare_spike_does_not_set_the_limits():
    low, high = limits_of([1.0, 2.0] * 500 + [1e6])
    assert low < 1
    assert high < 3


def test_smoothing_keeps_a_constant_and_a_straight_line():
    assert smooth([2.0] * 300) == pytest.approx([2.0] * 300)
    slope = [float(place) for place in range(400)]
    assert smooth(slope)[10:-10] == pytest.approx(slope[10:-10])


def test_an_evaluation_is_shown_with_its_floor_protocol_and_curves(tmp_path):
    run = make(tmp_path, rows=[row(at, **{"evaluation/fid-pixels": 9.0 - at / 1000}) for at in range(500, 2001, 500)])
    write_evaluation(run)
    page = report.write(run).read_text()
    text = " ".join(Structure(page).text.split())
    for said in ("How good is it?", "FID-pixels", "7.25", "7.1 to 7.4", "split test", "few samples.", "The pixels."):
        assert said in text
    assert "as many real samples (train)" in text
    assert page.count('aria-label="evaluation/fid-pixels"') == 1
    whole = json.loads((run / "evaluation.json").read_text())
    for change, said in (({"floor": 100}, "as many real samples (train)"), ({"floor": 40}, "40 real samples (train)")):
        changed = whole | {"protocol": whole["protocol"] | change}
        (run / "evaluation.json").write_text(json.dumps(changed))
        assert f"Real against real: {said}" in text_of(run)
    (run / "evaluation.json").write_text(json.dumps(whole | {"protocol": whole["protocol"] | {"resizer": 1}}))
    assert "7.25" not in report.write(run).read_text()
    (run / "evaluation.json").write_text("{}")
    assert "7.25" not in report.write(run).read_text()


def test_entries_of_another_kind_and_half_characters_do_no_harm(tmp_path):
    config = {"betas": [{"a": 1}, None, True], "name": "half \ud800 of a character"}
    make(tmp_path, about={**ABOUT, "config": config})
    write_evaluation(tmp_path)
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"verdict": 0.5}))
    assert "half \N{REPLACEMENT CHARACTER} of a character" in text_of(tmp_path)


@pytest.mark.parametrize("change", [{"resizer": 7}, {"resizer": None}, {"fake": []}])
def test_an_edited_evaluation_is_left_out(change, tmp_path):
    run = make(tmp_path)
    write_evaluation(run)
    path = run / "evaluation.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {"protocol": found["protocol"] | change}))
    assert "FID-pixels" not in report.write(run).read_text()


def test_a_picture_whose_name_is_a_digit_but_no_number_is_no_preview(tmp_path):
    run = make(tmp_path)
    (run / "samples" / "²3.png").touch()
    (run / "checkpoints" / "²").mkdir()
    found = read(run)
    assert [picture.round for picture in found.previews] == [0, 1000, 2000]
    assert found.checkpoints == [2000]
