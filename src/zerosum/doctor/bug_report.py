"""What a report of a bug needs, as Markdown, without anything that says who wrote it or of what.

Settings are shown where they are numbers or words of zerosum itself: a path, a name of data or of a class is left out.
Names of the home folder, the working folder, the user, the host and the run are removed from all that is left.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch

import zerosum
from zerosum import recipes, stabilisers
from zerosum.config import BaseConfig
from zerosum.data.options import DataConfig
from zerosum.doctor.examine import Examination, examine
from zerosum.recipe import RecipeConfig
from zerosum.run.directory import Run
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime import device
from zerosum.text import memory

PACKAGES = ("numpy", "scipy", "pillow", "safetensors", "pydantic", "tyro", "tensorboard")
LAST = 5
"""Rows of history that are shown."""

WORDS = re.compile(r"auto|none|cpu|mps|cuda(:\d+)?|\d+(x\d+)?")
KEY = re.compile(
    r"round|seen|seconds|images_per_second|peak_[a-z_]+_bytes"
    r"|(discriminator|generator|critic|encoder|watch|evaluation)[a-z0-9_]*(/[a-z0-9_-]+){1,2}"
)
"""Names in the history that are zerosum's own: players of a recipe from outside may be called anything."""

SHORTEST = 3
"""Characters of a name that is removed from the text: shorter ones are parts of other words."""


def bug_report(place: str | Path | None = None) -> list[str]:
    """Return the lines of a report on this machine, and on a run where one is named.

    Raises:
        InputError: there is no run at the place.
    """
    run = None if place is None else Run.open(place)
    said = ["## Machine", "", *_table(_machine())]
    if run is not None:
        found = examine(run.path)
        said += ["", "## Run", "", *_table(_settings(run)), "", "## Findings", "", *_findings(found)]
        said += ["", f"## Last {LAST} rows of history", "", "```text", *_rows(found), "```"]
    return [_without_names(line, run) for line in said]


def _machine() -> dict[str, object]:
    about = device.describe()
    packages = {name: _version(name) for name in PACKAGES}
    gpus = [
        f"{entry.name}, {memory(entry.total_memory)}, compute capability {entry.major}.{entry.minor}"
        for entry in (torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count()))
    ]
    return {
        "zerosum": zerosum.__version__,
        "torch": f"{torch.__version__}, CUDA {torch.version.cuda}" if torch.version.cuda else torch.__version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        **packages,
        "system": f"{platform.system()} {platform.machine()}, {'-'.join(platform.libc_ver()) or 'no libc'}",
        "cpu": about["cpu"],
        "cores": about["cores"],
        "threads": about["threads"],
        "bfloat16": about["bfloat16"],
        "memory": _memory(),
        "gpus": "; ".join(gpus) or ("Apple MPS" if torch.backends.mps.is_available() else "none"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _memory() -> str:
    try:
        return memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # Windows
        return "unknown"


def _settings(run: Run) -> dict[str, object]:
    about = run.description
    name = str(about.get("recipe"))
    known = name in recipes.names()
    spec, data, versions = (_part(about, part) for part in ("spec", "data", "versions"))
    classes, shape = spec.get("classes"), spec.get("shape")
    parts: list[tuple[str, type[BaseConfig]]] = [
        ("config", recipes.find(name).Config if known else RecipeConfig),
        ("training", TrainingConfig),
        ("data_options", DataConfig),
    ]
    settings = {
        key: value for part, kind in parts for key, value in _part(about, part).items() if _is_ours(key, value, kind)
    }
    return {
        "recipe": name if known else "one of the user's own",
        "begun with": ", ".join(
            f"{key} {value}" for key, value in versions.items() if re.fullmatch(r"[\w.+]+", str(value))
        ),
        "samples": data.get("count") if isinstance(data.get("count"), int) else "unknown",
        "shape": "x".join(str(side) for side in shape if isinstance(side, int))
        if isinstance(shape, list)
        else "unknown",
        "classes": len(classes) if isinstance(classes, list) else 0,
        **settings,
    }


def _part(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = about.get(name)
    return found if isinstance(found, dict) else {}


def _is_ours(name: str, value: Any, kind: type[BaseConfig]) -> bool:
    """Whether a setting can be shown: a number, or a word that zerosum itself gives to choose from."""
    if name not in kind.names():
        return False
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, list):
        return all(isinstance(each, bool | int | float) for each in value)
    if name == "stabilise":
        return all(part.partition(":")[0].strip() in stabilisers.names() for part in str(value).split(","))
    return bool(WORDS.fullmatch(str(value))) or value in _words(get_type_hints(kind).get(name))


def _words(kind: Any) -> set[Any]:
    """Return the words among the arguments of a type: those of a Literal, wherever it stands."""
    found = {kind} if isinstance(kind, str) else set()
    for inner in get_args(kind):
        found |= _words(inner)
    return found


def _findings(found: Examination) -> Iterator[str]:
    if not found.findings:
        yield "None."
    for each in found.findings:
        yield (
            f"- {each.severity}, {each.confidence}: `{each.sign}` since round {each.since:,}, "
            f"{each.value:.6g} with threshold {each.threshold:.6g}"
        )


def _rows(found: Examination) -> Iterator[str]:
    for row in found.evidence.history[-LAST:]:
        shown = (
            f'"{key}": {value:.6g}'
            for key, value in row.items()
            if KEY.fullmatch(key) and isinstance(value, int | float) and not isinstance(value, bool)
        )
        yield "{" + ", ".join(shown) + "}"


def _table(rows: Mapping[str, object]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items())]


def _without_names(line: str, run: Run | None) -> str:
    """Remove the names of folders, user, host and run, the longest first."""
    for name, said in sorted(_names(run).items(), key=lambda item: -len(item[0])):
        if len(name) >= SHORTEST:
            line = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", said, line)
    return line


def _names(run: Run | None) -> dict[str, str]:
    found = {str(Path.cwd()): "(folder)"}
    for name, ask in (("(home)", lambda: str(Path.home())), ("(user)", getpass.getuser), ("(host)", platform.node)):
        try:
            found[ask()] = name
        except (OSError, KeyError, RuntimeError):  # there is none
            continue
    if run is not None:
        found |= {str(run.path): "(run)", str(run.path.absolute()): "(run)"}
    return found
