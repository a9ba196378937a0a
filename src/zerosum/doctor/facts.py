"""What is known about a run beside its history, read from its run.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerosum.doctor.evidence import Facts


def facts_of(about: Mapping[str, Any]) -> Facts:
    """Gather facts from what run.json says; what it lacks, or holds in another form, is unknown.

    >>> facts_of({"recipe": "gan", "config": {"batch": 64}, "data": {"count": 9, "notes": []}}).images
    9
    """
    config, training, data = (_table(about, name) for name in ("config", "training", "data"))
    shape, notes, count = _table(about, "spec").get("shape"), data.get("notes"), data.get("count")
    recipe, objective, rounds, batch_norm = (about.get(n) for n in ("recipe", "objective", "rounds", "batch_norm"))
    rounds = config.get("rounds") if rounds is None else rounds
    return Facts(
        recipe=recipe if isinstance(recipe, str) else None,
        config=config,
        training=training,
        objective=objective if isinstance(objective, str) else None,
        flags=frozenset(config) | frozenset(training),
        images=count if isinstance(count, int) else None,
        shape=tuple(shape) if isinstance(shape, list | tuple) else (),
        rounds=rounds if isinstance(rounds, int) else None,
        epochs=False,
        batch_norm=batch_norm if isinstance(batch_norm, bool) else None,
        notes=tuple(map(str, notes)) if isinstance(notes, list | tuple) else (),
    )


def _table(about: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = about.get(name)
    return part if isinstance(part, dict) else {}
