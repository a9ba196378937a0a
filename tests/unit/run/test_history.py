"""The history: one truth of what was measured, however often the run was killed and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from zerosum.run.history import History


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_a_damaged_line_is_skipped_wherever_it_is_and_counted(path: Path) -> None:
    path.write_bytes(b'{"round": 1}\n{"rou\n\n7\n{"seen": 3}\n{"round": NaN}\n{"round": 2}\n{"round": 3, "a')
    history = History.read(path)
    assert [row["round"] for row in history] == [1, 2]
    assert history.damaged == 5


def test_rounds_played_again_replace_those_before(path: Path) -> None:
    path.write_text('{"round": 1, "a": 1}\n{"round": 2, "a": 2}\n{"round": 3, "a": 3}\n{"round": 2, "a": 4}\n')
    assert History.read(path).series("a") == ([1, 2], [1, 4])


def test_only_finite_numbers_are_measurements(path: Path) -> None:
    path.write_text('{"round": 1, "a": NaN, "b": true, "c": 1.5, "phase": "main"}\n{"round": 2, "c": "x"}\n')
    history = History.read(path)
    assert history.measured() == ["round", "c"]
    assert (history.last("c"), history.last("a"), history.last("d")) == (1.5, None, None)


def test_no_file_is_no_history(path: Path) -> None:
    assert len(History.read(path)) == 0
    assert not History.read(path)
