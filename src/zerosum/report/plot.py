"""Curves of runs as a figure of matplotlib, for papers and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zerosum.errors import InputError
from zerosum.report.charts import smooth
from zerosum.run.directory import Run
from zerosum.text import listed, shown

FORMATS = (".pdf", ".svg", ".png")


def figure(runs: Sequence[Run], curves: Sequence[str] = ()) -> Any:
    """Draw curves of one run or several over rounds, smoothed over raw values: a matplotlib Figure, a panel a curve.

    Args:
        runs: whose histories to draw; a line each.
        curves: columns of history.jsonl, such as "generator/loss"; by default all losses.

    Raises:
        InputError: matplotlib is missing, no run is given, a curve is not in any history, or nothing was measured.
    """
    if not runs:
        raise InputError("No run was given: name the folder that `zerosum train` made, as in zerosum plot runs/faces.")
    try:
        from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError:
        raise InputError("Drawing curves needs matplotlib: pip install 'zerosum[plots]'.") from None
    histories = list(zip(_titles(runs), [run.history() for run in runs], strict=True))
    known = list(dict.fromkeys(name for _, history in histories for name in history.measured()))
    chosen = list(curves) or [name for name in known if name.endswith("/loss")]
    for name in chosen:
        if name not in known:
            raise InputError(f"There is no curve {name!r}: there are {listed(known, most=12)}.")
    if not chosen:
        raise InputError(f"{runs[0].path} has no losses in its history yet: train it first.")
    drawn = Figure(figsize=(4.2 * min(len(chosen), 3), 3.1 * -(-len(chosen) // 3)), layout="constrained")
    panels = drawn.subplots(-(-len(chosen) // 3), min(len(chosen), 3), squeeze=False).ravel()
    lines: dict[str, Any] = {}
    for panel, name in zip(panels, chosen, strict=False):
        for place, (title, history) in enumerate(histories):
            rounds, values = history.series(name)
            if values:
                (line,) = panel.plot(rounds, smooth(values), color=f"C{place}")
                panel.plot(rounds, values, color=line.get_color(), alpha=0.2, linewidth=0.8)
                lines.setdefault(title, line)
        panel.set(title=_literal(name), xlabel="round")
    for panel in panels[len(chosen) :]:
        panel.set_visible(False)
    if len(histories) > 1:  # handles are given because matplotlib leaves out labels that begin with _
        drawn.axes[0].legend(list(lines.values()), [_literal(title) for title in lines], frameon=False)
    return drawn


def _titles(runs: Sequence[Run]) -> list[str]:
    """Name runs by their folders; by their paths those whose folders have one name."""
    names = [run.path.resolve().name for run in runs]
    return [str(run.path) if names.count(name) > 1 else name for name, run in zip(names, runs, strict=True)]


def _literal(text: str) -> str:
    """Return text that matplotlib writes as it is: between two $ it reads mathematics."""
    return shown(text).replace("$", r"\$")


def plot(*runs: str | Path | Run, curves: str | Sequence[str] = ()) -> Any:
    """Draw curves of runs over rounds, smoothed over the raw values, and return the matplotlib Figure.

    Args:
        runs: run directories, a line each.
        curves: columns of history.jsonl, such as "generator/loss", or one; by default all losses.

    Raises:
        InputError: no run, or see `figure`.
    """
    return figure([Run.open(run) for run in runs], (curves,) if isinstance(curves, str) else curves)


def save(runs: Sequence[Run], out: Path, curves: Sequence[str] = ()) -> Path:
    """Write `figure` as .pdf, .svg or .png, the same to the last byte each time.

    Raises:
        InputError: the ending is another, or see `figure`.
        StorageError: the disk refuses.
    """
    from zerosum.runtime.atomic_files import replacing

    if out.suffix.lower() not in FORMATS:
        raise InputError(f"{out} ends in {out.suffix or 'nothing'}: give a name that ends in {', '.join(FORMATS)}.")
    drawn = figure(runs, curves)
    import matplotlib as mpl  # pyright: ignore[reportMissingImports]  # an extra

    dates = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with mpl.rc_context({"svg.hashsalt": "zerosum", "pdf.fonttype": 42}), replacing(out) as partial:
        drawn.savefig(partial, format=out.suffix.lower()[1:], metadata=dates.get(out.suffix.lower()), dpi=200)
    return out
