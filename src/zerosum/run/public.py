"""What a run says of itself to others: without paths, command lines, names of machines, and the data's whereabouts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerosum.text import one_line, shown

KEPT = ("format", "id", "recipe", "task", "rounds", "objective", "batch_norm", "config", "training", "versions")
"""Entries of run.json that are kept as they are, but for paths."""

PLACES = ("labels", "ages", "target", "captions")
"""Settings of the data that may be paths, of which the last part is kept."""

CONDITIONS = ("device", "precision", "memory_format", "micro_batches", "processes")
"""Entries on the machine that are kept, because results depend on them."""

_PATH = re.compile(r"(?<![\w./:\\~-])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\,;:'\"()]+){2,}")


def public(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what run.json says, without what belongs to its owner alone.

    Used where a run leaves a machine and where one arrives: what came from elsewhere names no place on this machine.
    """
    found = {name: _without_paths(description[name]) for name in KEPT if name in description}
    if "spec" in description:
        found["spec"] = description["spec"]
    origin, data, machine, options = (
        value if isinstance(value := description.get(name), dict) else {}
        for name in ("recipe_origin", "data", "machine", "data_options")
    )
    if origin:
        found["recipe_origin"] = {"place": name_of(origin.get("place")), "sha256": origin.get("sha256")}
    found["data"] = {
        "source": name_of(data.get("source")) or "unknown",
        "fingerprint": data.get("fingerprint"),
        "count": data.get("count"),
        "notes": [],
    }
    found["data_options"] = {
        name: name_of(value) if name in PLACES else _without_paths(value)
        for name, value in options.items()
        if name != "cache"
    } | {"cache": None}
    found["machine"] = {name: _without_paths(machine[name]) for name in CONDITIONS if name in machine}
    return found | {"command": None}


def name_of(place: object) -> str | None:
    r"""Return the last part of a path, or None for none.

    >>> name_of("/home/ada/photos/"), name_of("digits"), name_of("C:\\data\\labels.csv:age")
    ('photos', 'digits', 'labels.csv:age')
    """
    if not isinstance(place, str):
        return None
    parts = [part for part in re.split(r"[/\\]", place) if part not in ("", ".", "..", "~")]
    return one_line(shown(parts[-1])) if parts else None


def without_paths(value: Any, known: Mapping[str, str]) -> Any:
    """Return JSON in whose strings known places are replaced by their public names, and other paths by their last part.

    >>> without_paths(["of /data/ada/x y, /tmp/a/b.png and 3/4/5"], {"/data/ada/x y": "x"})
    ['of x, b.png and 3/4/5']
    """
    if isinstance(value, str):
        for place, name in sorted(known.items(), key=lambda pair: -len(pair[0])):
            value = value.replace(place, name)
        return _PATH.sub(lambda found: name_of(found[0]) or "", value)
    if isinstance(value, Mapping):
        return {str(name): without_paths(part, known) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(part, known) for part in value]
    return value


def places_of(run: Path, description: Mapping[str, Any]) -> dict[str, str]:
    """Return the places that a run's files may speak of, with public names for them."""
    data = description.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    found = {os.path.expanduser("~"): "~", str(Path.cwd()): "", str(run.absolute()): run.name, str(run): run.name}
    if isinstance(source, str) and source:
        found |= {place: name_of(source) or "data" for place in (source, str(Path(source).absolute()))}
    return {place: name for place, name in found.items() if re.search(r"[/\\]\w", place)}


def _without_paths(value: Any) -> Any:
    return without_paths(value, {})
