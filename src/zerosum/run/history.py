"""What was measured while a run was trained, read from history.jsonl."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, overload

from zerosum.errors import InputError
from zerosum.runtime.regular_files import NotRegularError, read_regular

Row = dict[str, Any]


class History(Sequence[Row]):
    """The rows of a history, each with a "round", ascending.

    Args:
        rows: as they were written. Of rounds that were played again after a resume, what was measured last counts.
        damaged: lines beside them that cannot be read.
    """

    def __init__(self, rows: Sequence[Row] = (), *, damaged: int = 0) -> None:
        self.rows: list[Row] = []
        self.damaged = damaged
        for row in rows:
            while self.rows and self.rows[-1]["round"] >= row["round"]:
                self.rows.pop()
            self.rows.append(row)

    @classmethod
    def read(cls, path: Path) -> History:
        """Read a file of one JSON object a line; without one there are no rows.

        Lines that cannot be read, cut short by a kill for example, are skipped and counted.
        """
        try:
            lines = [line for line in read_regular(path).splitlines() if line.strip()]
        except FileNotFoundError:
            return cls()
        except NotRegularError:
            return cls(damaged=1)
        rows = [row for line in lines if (row := _row(line)) is not None]
        return cls(rows, damaged=len(lines) - len(rows))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def until(self, round_: int) -> list[Row]:
        """Return the rows up to a round, that one included."""
        return [row for row in self.rows if row["round"] <= round_]

    def measured(self) -> list[str]:
        """Return the names of all that was measured, in the order of their first appearance."""
        return list(self._measured)

    @cached_property
    def _measured(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for row in self.rows for key, value in row.items() if _is_finite(value)))

    def series(self, key: str) -> tuple[list[float], list[float]]:
        """Return rounds and values of one measurement, leaving out what is not a finite number.

        >>> History([{"round": 1, "a": 0.5}, {"round": 2}, {"round": 3, "a": 2}]).series("a")
        ([1, 3], [0.5, 2.0])
        """
        rows = [row for row in self.rows if _is_finite(row.get(key))]
        return [row["round"] for row in rows], [float(row[key]) for row in rows]

    def frame(self) -> Any:
        """Return it as a pandas DataFrame with a row a line, by round.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            pd: Any = import_module("pandas")
        except ImportError:
            raise InputError("A data frame needs pandas: pip install pandas.") from None
        return pd.DataFrame(self.rows, columns=None if self.rows else ["round"]).set_index("round")

    def last(self, key: str) -> float | None:
        """Return the last finite value of one measurement; None where there is none."""
        values = self.series(key)[1]
        return values[-1] if values else None


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and _is_finite(row.get("round")) else None


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
