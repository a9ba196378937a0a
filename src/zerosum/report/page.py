"""A report's page, from the evidence of a run: what it is and how it went in words, then pictures, curves, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerosum.report.curves import curves
from zerosum.report.evaluation import quality
from zerosum.report.html import Markup, join, png, tag
from zerosum.report.run_data import Picture, RunData
from zerosum.report.style import STYLE
from zerosum.report.summary import facts, neighbours_read, recipe, source, story
from zerosum.text import command

LISTED = 24
"""Entries of a list that a table shows before it counts the rest: class names can be thousands."""


def page(evidence: RunData) -> Markup:
    """Write the whole page."""
    title = f"{recipe(evidence)} on {source(evidence)}"
    head = tag(
        "head",
        {},
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", {}, title),
        tag("style", {}, Markup(STYLE)),
    )
    sections = (_header, _missing, _samples, quality, _neighbours, curves, _settings, _data, _use, _footer)
    body = tag("body", {}, *(section(evidence) for section in sections))
    return join(Markup("<!doctype html>\n"), tag("html", {"lang": "en"}, head, body), "\n")


def _header(evidence: RunData) -> Markup:
    tiles = [
        tag("div", {}, tag("dt", {}, name), tag("dd", {}, value, *([tag("small", {}, more)] if more else [])))
        for name, value, more in facts(evidence)
    ]
    return tag(
        "header",
        {},
        tag("p", {"class": "kicker"}, f"zerosum report of {evidence.path}"),
        tag("h1", {}, f"{recipe(evidence)} on {source(evidence)}"),
        *(tag("p", {"class": "story"}, sentence) for sentence in story(evidence)),
        *([tag("dl", {"class": "facts"}, *tiles)] if tiles else []),
    )


def _missing(evidence: RunData) -> Markup:
    if not evidence.missing:
        return Markup()
    items = [tag("li", {}, sentence) for sentence in evidence.missing]
    return tag("div", {"class": "notice"}, tag("p", {}, "Not everything is here:"), tag("ul", {}, *items))


def _samples(evidence: RunData) -> Markup:
    """Show the last preview large and earlier ones small: beside it, or below it where it is wide."""
    if not evidence.previews:
        return Markup()
    *earlier, last = evidence.previews
    same = "images, each beside its source" if _translates(evidence) else "latents"
    same = "images and masks" if _completes(evidence) else same
    caption = f"Round {last.round:,}. Every preview is made from the same {same}, with the averaged weights if any."
    large = _figure(last, f"Samples at round {last.round}", caption)
    if not earlier:
        return _section("Samples", large)
    small = [_figure(picture, f"Samples at round {picture.round}", f"Round {picture.round:,}") for picture in earlier]
    layout = "below" if last.width > 1.4 * last.height else "beside"
    return _section("Samples", tag("div", {"class": layout}, large, tag("div", {"class": "earlier"}, *small)))


def _neighbours(evidence: RunData) -> Markup:
    if evidence.neighbours is None:
        return Markup()
    sentences = [tag("p", {"class": "soft"}, sentence) for sentence in neighbours_read(evidence)]
    sheet = _figure(evidence.neighbours, "Generated samples, each beside its nearest training images", "")
    return _section("Does it remember or invent?", *sentences, sheet)


def _settings(evidence: RunData) -> Markup:
    own = _card("Recipe", evidence.section("config"))
    training = _card("Training", evidence.section("training"))
    surroundings = [_card(name.capitalize(), evidence.section(name)) for name in ("machine", "versions")]
    if not any((own, training, *surroundings)):
        return Markup()
    folded = tag("summary", {}, "Machine and versions")
    return _section(
        "Settings",
        tag("div", {"class": "pair"}, own, training),
        *([tag("details", {}, folded, tag("div", {"class": "pair"}, *surroundings))] if any(surroundings) else []),
    )


def _data(evidence: RunData) -> Markup:
    data = evidence.section("data")
    listed = data.get("notes")
    notes = [tag("li", {}, str(note)) for note in listed] if isinstance(listed, list) else []
    table = _card("", {**{name: value for name, value in data.items() if name != "notes"}, **evidence.section("spec")})
    if not table and not notes:
        return Markup()
    return _section("Data", table, *([tag("ul", {"class": "soft"}, *notes)] if notes else []))


def _use(evidence: RunData) -> Markup:
    run, flags, argument = evidence.path, *_naming(evidence)
    began = evidence.about.get("command")
    made = [tag("p", {}, "It was made by"), tag("pre", {}, began)] if isinstance(began, str) else []
    if not evidence.checkpoints:
        return _section("Use", tag("p", {}, "Without a checkpoint there is nothing to sample from yet."), *made)
    model = f"import zerosum\n\nmodel = zerosum.load({str(run)!r}{argument})\nimages = model."
    if _completes(evidence):
        what, typed = (
            "Fill holes in an image or a folder of images",
            command("zerosum", "inpaint", run, *flags, "INPUT", "--mask", "MASK"),
        )
        python = f"{model}complete(images, mask)    # (N, C, H, W) in [-1, 1] and (N, 1, H, W), 1 where there is a hole"
    elif _translates(evidence):
        what, typed = (
            "Translate an image or a folder of images",
            command("zerosum", "translate", run, *flags, "INPUT", "--out", "OUTPUT"),
        )
        python = f"{model}translate(sources)    # (N, C, H, W) in [-1, 1], from as many of the same range"
    else:
        what, typed = "Make samples as files", command("zerosum", "sample", run, *flags)
        python = f"{model}sample(16)    # (16, C, H, W) in [-1, 1]"
    return _section(
        "Use",
        tag("p", {}, f"{what}, or in Python:"),
        tag("pre", {}, typed),
        tag("pre", {}, python),
        tag("p", {}, f"Go on training from round {evidence.checkpoints[-1]:,}:"),
        tag("pre", {}, command("zerosum", "train", "--resume", run, *flags)),
        *made,
    )


def _naming(evidence: RunData) -> tuple[tuple[str, ...], str]:
    """Return what names the recipe of a run to a command, and to Python, where a run does not do so by itself."""
    name, origin = evidence.about.get("recipe"), evidence.section("recipe_origin")
    place = origin.get("place")
    if not origin or place == name:
        return (), ""
    return ("--recipe", str(place or "path/to/my_gan.py")), f", recipe={place!r}" if place else f", recipe={name}"


def _translates(evidence: RunData) -> bool:
    """Whether the run makes images from images."""
    return "source_shape" in evidence.section("spec")


def _completes(evidence: RunData) -> bool:
    """Whether the run fills holes in images."""
    return evidence.about.get("recipe") == "inpaint"


def _footer(evidence: RunData) -> Markup:
    version = evidence.section("versions").get("zerosum")
    return tag(
        "footer",
        {},
        f"Written by zerosum {version or ''} from the files in {evidence.path}. Nothing is loaded from elsewhere.",
    )


def _section(title: str, *children: str) -> Markup:
    return tag("section", {}, tag("h2", {}, title), *children)


def _figure(picture: Picture, description: str, caption: str) -> Markup:
    """Show a picture at its size, or enlarged by a whole factor while it stays under 560 pixels."""
    factor = max(1, 560 // max(picture.width, picture.height))
    size = {"width": picture.width * factor, "height": picture.height * factor}
    kind = {"class": "pixels"} if factor > 1 else {}
    image = png(picture.content, {"alt": description, **size, **kind})
    return tag("figure", {}, image, *([tag("figcaption", {}, caption)] if caption else []))


def _card(title: str, table: Mapping[str, Any]) -> Markup:
    """Show names and values, nested names joined by a dot."""
    rows = [tag("tr", {}, tag("th", {}, name), tag("td", {}, value)) for name, value in _flat(table).items()]
    if not rows:
        return Markup()
    return tag("div", {"class": "card"}, *([tag("h3", {}, title)] if title else []), tag("table", {}, *rows))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
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
        case _:
            return f"{value:g}"
