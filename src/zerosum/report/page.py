"""The page of a report, from the data of a run: a summary in words, then previews, curves and settings."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zerosum.report.curves import curves
from zerosum.report.evaluation import quality
from zerosum.report.findings import findings
from zerosum.report.render import render
from zerosum.report.rescues import rescues
from zerosum.report.run_data import Picture, Playable, RunData
from zerosum.report.summary import facts, neighbours_read, recipe, source, story
from zerosum.text import command

LISTED = 24
"""Entries of a list that a table shows before it counts the rest: class names can be thousands."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture on the page, which carries its PNG within itself."""

    src: str
    alt: str
    width: int
    height: int
    pixelated: bool
    caption: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The previews, the last one large."""

    last: Image
    earlier: list[Image]
    layout: str
    """Where earlier ones are: beside the last, or below it where it is wide."""


if TYPE_CHECKING:
    from zerosum.tasks import Task


def page(evidence: RunData) -> str:
    """Render the whole page."""
    sheet, listed = evidence.neighbours, evidence.section("data").get("notes")
    data = {name: value for name, value in evidence.section("data").items() if name != "notes"}
    return render(
        "page.html",
        title=f"{recipe(evidence)} on {source(evidence)}",
        path=evidence.path,
        story=story(evidence),
        facts=facts(evidence),
        missing=evidence.missing,
        samples=_samples(evidence),
        played=[_player(one) for one in evidence.played],
        findings=findings(evidence),
        quality=quality(evidence),
        neighbours=_image(sheet, "Generated samples, each beside its nearest training images") if sheet else None,
        neighbours_read=neighbours_read(evidence),
        rescues=rescues(evidence),
        curves=curves(evidence),
        settings=_tables(Recipe=evidence.section("config"), Training=evidence.section("training")),
        surroundings=_tables(Machine=evidence.section("machine"), Versions=evidence.section("versions")),
        data=_flat({**data, **evidence.section("spec")}),
        notes=[str(note) for note in listed] if isinstance(listed, list) else [],
        use=_use(evidence),
        version=evidence.section("versions").get("zerosum") or "",
    )


def _samples(evidence: RunData) -> Samples | None:
    if not evidence.previews:
        return None
    *earlier, last = evidence.previews
    same = {"nothing": "latents", "text": "captions"}.get(_task(evidence).given, "images")
    caption = f"Round {last.round:,}. Every preview is made from the same {same}, with the averaged weights if any."
    if texts := last.captions:
        caption += f" Two images of each caption and the real one, row by row: {'; '.join(texts)}."
    return Samples(
        last=_image(last, f"Samples at round {last.round}", caption),
        earlier=[_image(one, f"Samples at round {one.round}", f"Round {one.round:,}") for one in earlier],
        layout="below" if last.width > 1.4 * last.height else "beside",
    )


def _image(picture: Picture, description: str, caption: str = "") -> Image:
    """Show a picture at its size, or enlarged by a whole factor while it stays under 560 pixels."""
    factor = max(1, 560 // max(picture.width, picture.height))
    return Image(
        src="data:image/png;base64," + base64.b64encode(picture.content).decode(),
        alt=description,
        width=picture.width * factor,
        height=picture.height * factor,
        pixelated=factor > 1,
        caption=caption,
    )


def _player(file: Playable) -> dict[str, str]:
    """Embed a file that is played by its element: audio, video, img, or a to download where browsers show none."""
    element = "img" if file.type == "image/gif" else file.type.partition("/")[0]
    src = f"data:{file.type};base64,{base64.b64encode(file.content).decode()}"
    return {"name": file.name, "element": element if element in ("audio", "video", "img") else "a", "src": src}


def _use(evidence: RunData) -> list[tuple[str, list[str]]]:
    """List what can be done with the run, each with what to type."""
    run, flags, argument = evidence.path, *_naming(evidence)
    began = evidence.about.get("command")
    made = [("It was made by", [began])] if isinstance(began, str) else []
    if not evidence.checkpoints:
        return [("Without a checkpoint there is nothing to sample from yet.", []), *made]
    task = _task(evidence)
    python = f"import zerosum\n\nmodel = zerosum.load({str(run)!r}{argument})\nimages = {task.python}"
    resumed = f"Continue training from round {evidence.checkpoints[-1]:,}:"
    return [
        (f"{task.invitation}, or in Python:", [task.typed(run, *flags), python]),
        (resumed, [command("zerosum", "train", "--resume", run, *flags)]),
        *made,
    ]


def _naming(evidence: RunData) -> tuple[tuple[str, ...], str]:
    """Return what names the recipe of a run to a command, and to Python, where a run does not do so by itself."""
    name, origin = evidence.about.get("recipe"), evidence.section("recipe_origin")
    place = origin.get("place")
    if not origin or place == name:
        return (), ""
    return ("--recipe", str(place or "path/to/my_gan.py")), f", recipe={place!r}" if place else f", recipe={name}"


def _task(evidence: RunData) -> Task:
    """Return what the run is for, as run.json says."""
    from zerosum.tasks import GENERATE, TASKS  # which need torch, as the rest of a report does not

    return TASKS.get(str(evidence.about.get("task")), GENERATE)


def _tables(**sections: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the tables that have rows, by their titles."""
    tables = {title: _flat(table) for title, table in sections.items()}
    return {title: rows for title, rows in tables.items() if rows}


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return names and values as they are read, nested names joined by a dot."""
    flat: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = _value(value)
    return flat


def _value(value: Any) -> str:
    """Write a setting as it is read back, without the quotes of JSON."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list():
            more = [f"and {len(value) - LISTED:,} more"] if len(value) > LISTED else []
            return ", ".join([*(_value(part) for part in value[:LISTED]), *more]) or "none"
        case int():
            return f"{value:,}" if value >= 10_000 else str(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
