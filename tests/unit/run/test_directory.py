"""The run directory: what may be written where, and what a kill may leave in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zerosum import api
from zerosum.errors import InputError, StorageError
from zerosum.run import directory
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run, require_free
from zerosum.runtime.progress import Silent


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "deep" / "run", {"recipe": "gan"})


def test_a_new_run_opens_with_its_description(run: Run) -> None:
    assert Run.open(str(run.path)) == run
    assert run.description == {"format": 2, "recipe": "gan"}


def test_an_empty_folder_may_be_used_and_a_run_may_not(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty")
    require_free(tmp_path / "absent")
    with pytest.raises(InputError, match="already holds a run: go on with it by `zerosum train --resume"):
        Run.create(run.path, {})


def test_a_kill_in_the_middle_of_a_line_costs_that_line_only(run: Run) -> None:
    for round_ in (1, 2):
        run.log({"round": round_, "generator/loss": 0.5})
    with (run.path / "history.jsonl").open("a") as file:
        file.write('{"round": 3, "gener')
    assert [row["round"] for row in run.history()] == [1, 2]
    run.rewind(2)
    run.log({"round": 3})
    assert [row["round"] for row in run.history()] == [1, 2, 3]


def test_rewinding_keeps_a_copy_of_what_it_cannot_read(run: Run) -> None:
    path = run.path / "history.jsonl"
    whole = b'{"round": 1}\n\xff{"round": 2}\n{"round": 3}\n[4]\n{"round": 5}\n'
    path.write_bytes(whole)
    said = run.rewind(4)
    assert said == f"{path} has 2 damaged lines, left out; a copy is {path}.damaged."
    assert (run.path / "history.jsonl.damaged").read_bytes() == whole
    assert [row["round"] for row in run.history()] == [1, 3]
    assert run.rewind(4) is None
    path.write_bytes(b"{")
    assert str(run.rewind(4)).endswith(f"a copy is {path}.damaged-2.")
    assert (run.path / "history.jsonl.damaged").read_bytes() == whole


def test_a_description_is_read_and_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    api.train("ring8", recipe="gan", run="run", progress=Silent(), rounds=1, batch=8)
    reads: list[Path] = []
    read = directory.read_regular
    monkeypatch.setattr(directory, "read_regular", lambda path: (reads.append(path), read(path))[1])
    run = Run.open("run")
    plan = read_config(run)
    assert read_config(Run.open(run)) is plan
    assert api.load(run).spec == read_spec(run)
    assert [path.name for path in reads].count("run.json") == 1
    run.describe(run.description | {"config": plan.config.to_json() | {"rounds": 7}})
    assert read_config(run).config.rounds == 7


def test_rewinding_drops_what_came_later_and_nothing_else(run: Run) -> None:
    for round_ in (1, 2, 3):
        run.log({"round": round_})
        run.sample(round_).write_bytes(b"picture")
    (run.path / "samples" / "walk-0.png").write_bytes(b"mine")
    run.rewind(2)
    assert [row["round"] for row in run.history()] == [1, 2]
    assert sorted(path.name for path in (run.path / "samples").iterdir()) == [
        "00000001.png",
        "00000002.png",
        "walk-0.png",
    ]


def test_a_run_without_history_has_none(run: Run) -> None:
    assert not run.history()
    run.rewind(0)
    assert not run.history()


def test_checkpoints_are_listed_by_round_and_half_written_ones_are_not(run: Run) -> None:
    for name in ("00000010", "00000009", ".00000011.part"):
        (run.path / "checkpoints" / name).mkdir()
    assert run.checkpoints() == [run.checkpoint(9), run.checkpoint(10)]
    assert run.latest() == run.checkpoint(10)


def test_a_run_without_checkpoints_says_what_to_do(run: Run) -> None:
    with pytest.raises(InputError, match=r"holds no checkpoint: .* go on by `zerosum train --resume"):
        run.latest()


def test_a_refused_write_is_one_sentence(run: Run) -> None:
    (run.path / "history.jsonl").mkdir()
    with pytest.raises(StorageError, match="could not be written: Is a directory; what was saved before stands"):
        run.log({"round": 1})


OLD = {
    "format": 1,
    "recipe": "cyclegan",
    "config": {"rate": 1e-4, "average": 0.5, "hold": 0.25, "width": 4},
    "training": {},
    "data_options": {},
    "spec": {"shape": [3, 16, 16], "source_shape": [3, 16, 16], "classes": []},
    "data": {"source": "/photos"},
}


def test_a_run_of_format_1_is_read_by_the_names_of_format_2(run: Run) -> None:
    (run.path / "run.json").write_text(json.dumps(OLD))
    opened = Run.open(run.path)
    assert opened.description["format"] == 2
    assert opened.description["task"] == "translate"
    assert read_spec(opened).kind == "domains"
    config: Any = read_config(opened).config
    assert (config.lr, config.ema_decay, config.lr_hold, config.width) == (1e-4, 0.5, 0.25, 4)
    assert json.loads((run.path / "run.json").read_text()) == OLD


@pytest.mark.parametrize(("shape", "kind"), [([2], "points"), ([1, 8, 8], "images")])
def test_the_kind_of_a_run_of_format_1_follows_from_its_recipe_and_shape(run: Run, shape: list[int], kind: str) -> None:
    (run.path / "run.json").write_text(json.dumps({**OLD, "recipe": "gan", "config": {}, "spec": {"shape": shape}}))
    assert read_spec(Run.open(run.path)).kind == kind


def test_a_file_whose_name_is_a_digit_but_no_number_is_none_of_the_run_s(run: Run) -> None:
    for folder, name in (("samples", "00000001.png"), ("samples", "²3.png"), ("checkpoints", "²")):
        (run.path / folder).mkdir(exist_ok=True)
        (run.path / folder / name).touch()
    run.rewind(0)
    assert [path.name for path in (run.path / "samples").iterdir()] == ["²3.png"]
    assert run.checkpoints() == []
