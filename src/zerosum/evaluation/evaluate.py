"""From evidence to figures."""

from __future__ import annotations

from collections.abc import Sequence

from zerosum.data.workers import Progress
from zerosum.errors import InputError
from zerosum.evaluation.evidence import Evidence
from zerosum.evaluation.figure import Figure, sound
from zerosum.evaluation.measures import chosen, families


def take(
    evidence: Evidence, names: Sequence[str] | None, *, progress: Progress | None = None
) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Take metrics.

    Args:
        evidence: samples beside real ones.
        names: of the metrics; all that the evidence allows and that do not take minutes where None.
        progress: told "metrics", and how many families of them are done of how many.

    Returns:
        The figures, and a sentence for each metric that nobody asked for by name and that could not be taken.

    Raises:
        InputError: A metric that is asked for by name cannot be had.
    """
    asked = chosen(evidence, names) if names is not None else None
    todo = (
        asked if asked is not None else [f for f in families() if f.cost == "seconds" and f.missing(evidence) is None]
    )
    figures: list[Figure] = []
    notes: list[str] = []
    for done, family in enumerate(todo):
        if progress is not None:
            progress("metrics", done, len(todo))
        try:
            figures += family.judge(evidence)
        except InputError as error:
            if names is not None:
                raise
            notes.append(f"{', '.join(family.names)} left out: {error}")
    return tuple(sound(f) for f in figures if names is None or f.metric in names), tuple(notes)
