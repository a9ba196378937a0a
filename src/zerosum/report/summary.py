"""Summary of a run in words and in a handful of numbers."""

from __future__ import annotations

from pathlib import PurePath
from statistics import fmean, median

from zerosum import text
from zerosum.report.run_data import RunData

Fact = tuple[str, str, str]
"""Name, value, and a smaller addition that may be empty."""


def recipe(evidence: RunData) -> str:
    """Name the recipe, or say that it is not known."""
    return str(evidence.about.get("recipe") or "Unknown recipe")


def source(evidence: RunData) -> str:
    """Name the data by the last part of where it came from."""
    given = str(evidence.section("data").get("source") or "")
    return PurePath(given).name or given or "unknown data"


def noun(evidence: RunData) -> str:
    """Name the kind of samples by their shape."""
    shape = evidence.section("spec").get("shape")
    return {1: "points", 3: "images"}.get(len(shape), "samples") if isinstance(shape, list) else "samples"


def story(evidence: RunData) -> list[str]:
    """Describe the run and its course, a sentence or two for each."""
    return [sentence for sentence in (_what(evidence), _how_far(evidence), _how_well(evidence)) if sentence]


def facts(evidence: RunData) -> list[Fact]:
    """Return the most important numbers, those that are known."""
    found: list[Fact] = []
    if evidence.history:
        planned = _planned(evidence)
        found.append(("Rounds", f"{evidence.history[-1]['round']:,}", f"of {planned:,}" if planned else ""))
    if (seen := evidence.history.last("seen")) is not None:
        found.append((f"{noun(evidence).capitalize()} seen", f"{seen:,.0f}", _passes(evidence, seen)))
    if (seconds := evidence.history.last("seconds")) is not None:
        found.append(("Time", text.duration(seconds), ""))
    if speeds := evidence.history.series("images_per_second")[1]:
        found.append(("Speed", text.number(median(speeds)), f"{noun(evidence)} a second, median"))
    for key in evidence.history.measured():
        if key.startswith("peak_") and key.endswith("_bytes"):
            what = "of the process" if key == "peak_rss_bytes" else key[5:-6].replace("_", " ")
            found.append(("Peak memory", text.memory(max(evidence.history.series(key)[1])), what))
    if evidence.checkpoints:
        found.append(("Checkpoints", f"{len(evidence.checkpoints)}", f"last at {evidence.checkpoints[-1]:,}"))
    return found


def neighbours_read(evidence: RunData) -> list[str]:
    """Explain how to read the sheet of nearest neighbours, and give its numbers."""
    intro = (
        "Each row begins with a generated image; to its right are the training images nearest to it, by mean absolute "
        "difference of pixels. A row that shows one image again and again was memorised, not generated."
    )
    samples, training = distances(evidence, "samples"), distances(evidence, "training")
    if not samples:
        return [intro]
    searched = evidence.distances.get("searched")
    among = f" of {searched:,} searched" if isinstance(searched, int) else ""
    measured = (
        f"Distance to the nearest training image{among}, where 0 is a copy and 2 is black against white: "
        f"median {text.number(median(samples))}, least {text.number(min(samples))}"
    )
    if not training:
        return [intro, f"{measured}."]
    scale = f"{measured}; from one training image to the next, median {text.number(median(training))}."
    if median(samples) < min(training):
        return [intro, f"{scale} Samples lie nearer to training images than those do to each other: look for copies."]
    return [intro, scale]


def distances(evidence: RunData, name: str) -> list[float]:
    """Return the distances to the nearest training image of some "samples", or of some "training" images themselves."""
    listed = evidence.distances.get(name)
    entries = [entry.get("distance") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [float(distance) for distance in entries if isinstance(distance, int | float)]


def _what(evidence: RunData) -> str:
    if not evidence.about:
        return ""
    count, shape = evidence.section("data").get("count"), evidence.section("spec").get("shape")
    classes = evidence.section("spec").get("classes")
    parts = [f"{count:,} {noun(evidence)}" if isinstance(count, int) else f"an unknown number of {noun(evidence)}"]
    if isinstance(shape, list) and len(shape) == 3:
        channels, height, width = shape
        colours = {1: "in gray", 3: "in colour"}.get(channels, f"with {channels} channels")
        parts.append(f"{width} × {height} pixels {colours}")
    elif isinstance(shape, list) and noun(evidence) == "samples":
        parts.append("shape " + " × ".join(map(str, shape)))
    if isinstance(classes, list) and classes:
        parts.append(text.counted(len(classes), "class"))
    return f"The recipe {recipe(evidence)}, trained on {source(evidence)}: {', '.join(parts)}."


def _how_far(evidence: RunData) -> str:
    if not evidence.history:
        return "Nothing has been measured yet."
    played, planned = evidence.history[-1]["round"], _planned(evidence)
    seconds = evidence.history.last("seconds")
    took = "" if seconds is None else f" in {text.duration(seconds)}"
    if planned is None:
        return f"It has played {text.counted(played, 'round')}{took}."
    if played >= planned:
        return f"It played all of its {text.counted(planned, 'round')}{took}."
    return f"It has played {played:,} of {text.counted(planned, 'round')}{took}; the run is not finished."


def _how_well(evidence: RunData) -> str:
    """Give the losses and accuracies of the last tenth, and what the accuracies mean."""
    keys = evidence.history.measured()
    losses = {key.removesuffix("/loss"): _late(evidence, key) for key in keys if key.endswith("/loss")}
    said: list[str] = []
    if losses:
        listed = ", ".join(f"{name} {text.number(value)}" for name, value in losses.items())
        said.append(f"Over the last tenth of the run the losses were on average: {listed}.")
    reals = [key for key in keys if key.endswith("/real_accuracy")]
    fakes = [key for key in keys if key.endswith("/fake_accuracy")]
    if len(reals) == len(fakes) == 1:
        real, fake = _late(evidence, reals[0]), _late(evidence, fakes[0])
        meaning = (
            "it separates them almost always"
            if min(real, fake) > 0.95
            else (
                "it hardly separates them" if abs(real + fake - 1) < 0.1 else "it separates them often, but not always"
            )
        )
        said.append(
            f"The discriminator classified {real * 100:.0f} % of the real and {fake * 100:.0f} % of the generated "
            f"samples correctly: {meaning}."
        )
    return " ".join(said)


def _late(evidence: RunData, key: str) -> float:
    values = evidence.history.series(key)[1]
    return fmean(values[-max(1, len(values) // 10) :])


def _planned(evidence: RunData) -> int | None:
    """Return how many rounds the run is to have, wherever run.json says so."""
    for table in (evidence.about, evidence.section("training"), evidence.section("config")):
        if isinstance(table.get("rounds"), int):
            return table["rounds"]
    return None


def _passes(evidence: RunData, seen: float) -> str:
    count = evidence.section("data").get("count")
    return f"{text.number(seen / count)} times the data" if isinstance(count, int) and count > 0 else ""
