"""docs/kinds.md says what every command does with every kind of sample; here each cell is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome, zerosum  # noqa: F401
from tests.kinds import walk
from zerosum import kinds

PAGE = Path(__file__).parents[2] / "docs" / "kinds.md"
FAST = ("points", ("train --evaluate-every", "sample --out FOLDER", "evaluate FOLDER --against", "doctor FOLDER"))


def cells() -> dict[str, dict[str, str]]:
    """Return the cells of the table: of a row, by kind."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {name.strip("`"): dict(zip(head[1:], row, strict=True)) for name, *row in rows}


def attempt(run: Callable[..., Outcome], kind: str, row: str, cell: str) -> list[str]:
    """Run the command of a cell, and return what is not as the cell says."""
    words = walk.ROWS[row](walk.Place(kind))
    code, out, err = run(*words)
    said, wrong = err.strip(), []
    done = (0, 3) if row.startswith("doctor") else (0,)  # 3: it has found something
    if (code in done) != (cell == "yes") or code not in (*done, 2):
        wrong.append(f"exit code {code}")
    if code == 2 and (len(said.splitlines()) != 1 or cell.removeprefix("no: ") not in said):
        wrong.append("says something else")
    if "Traceback" in err or (kind in ("clips", "volumes", "waveforms") and " images" in out):
        wrong.append("a traceback, or images where there are none")
    return [f"{kind}: {row}: {', '.join(wrong)}: {' '.join(words)}\n{out[-500:]}{said[-500:]}"] if wrong else []


def test_the_table_has_every_kind_and_every_command_and_no_empty_cell() -> None:
    found = cells()
    assert list(found) == list(walk.ROWS)
    for row in found.values():
        assert sorted(row) == list(kinds.names()) == sorted(walk.GIVEN)
        assert all(cell == "yes" or cell.startswith("no: ") for cell in row.values())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    walk.write_sides(tmp_path)


def test_points_are_sampled_into_a_folder_that_is_data_again(place: None, zerosum: Callable[..., Outcome]) -> None:  # noqa: F811
    kind, rows = FAST
    assert not [wrong for row in rows for wrong in attempt(zerosum, kind, row, cells()[row][kind])]


@pytest.mark.slow
@pytest.mark.parametrize("kind", walk.GIVEN)
def test_every_command_does_with_a_kind_what_the_table_says(
    kind: str,
    place: None,
    zerosum: Callable[..., Outcome],  # noqa: F811
) -> None:
    wrong = [one for row, of in cells().items() for one in attempt(zerosum, kind, row, of[kind])]
    assert not wrong, "\n".join(wrong)
    assert list(Path(f"run-{kind}").glob("events.out.tfevents.*"))
