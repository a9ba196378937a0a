"""Games that fail without help, without and with each stabiliser.

    python -m bench.stabilisers [--seeds 3] [--only NAME] [--data ring8] [--rounds N] [--results FILE]

Every game played is a line of bench/results/stabilisers.jsonl and is not played again: a stopped benchmark goes on
where it was. Writes docs/benchmarks/stabilisers.json and the pages from all lines of the present settings; with --data
it prints the table of these data alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.learning import PROTOCOL, count_modes, pixel_features, samples_of
from bench.results import ROOT, save
from bench.results import table as markdown
from zerosum import recipes, stabilisers, text
from zerosum.data.dataset import SampleDataset
from zerosum.data.stream import Stream
from zerosum.errors import DivergedError, InputError
from zerosum.game import Game
from zerosum.kinds import open_data
from zerosum.kinds.images import ImageDataset
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.runtime import device

PAGE = ROOT / "docs" / "stabilisers.md"
RESULTS = ROOT / "bench" / "results" / "stabilisers.jsonl"
SHOWN = 500
"""Digits that are trained on; the distance is to others."""

POINTS = {
    "batch": 256,
    "latent_dim": 2,
    "generator_hidden": [64, 64],
    "discriminator_hidden": [64, 64],
    "activation": "relu",
    "dropout": 0.0,
    "generator_lr": 1e-4,
    "discriminator_lr": 1e-3,
    "n_discriminator": 5,
    "ema_decay": 0.99,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "ring8": POINTS,
    "grid25": POINTS,
    "digits": {"batch": 64, "dropout": 0.0, "ema_decay": 0.99},
}
"""Settings of `gan` by data: on points a discriminator that overpowers, with ten times the generator's rate and five
moves a round, so that most modes are lost; on images one without dropout and few of them, which it memorises."""

ROUNDS = {"ring8": 2000, "grid25": 2000, "digits": 3000}

STRENGTHS = {
    "approximate-r1": {"points": 0.1, "images": 1.0},
    "consistency": {"images": 10.0},
    "feature-matching": {"points": 1.0, "images": 0.01},
    "gradient-penalty": {"points": 0.1, "images": 10.0},
    "instance-noise": {"points": 0.3, "images": 0.3},
    "minibatch-discrimination": {"points": 5.0},
    "r1": {"points": 0.1, "images": 1.0},
    "r2": {"points": 0.1, "images": 1.0},
    "two-time-scales": {"points": 0.1},
    "weight-clipping": {"points": 0.1, "images": 0.03},
}
"""Strengths other than the default, by kind of sample."""


def spelled(name: str, kind: str) -> str | None:
    """Return what --stabilise is given: `name:strength`, or None for the plain game."""
    strength = STRENGTHS.get(name, {}).get(kind)
    return None if name == "none" else name if strength is None else f"{name}:{strength:g}"


def few(dataset: SampleDataset) -> SampleDataset:
    """Return `SHOWN` of the images, without labels."""
    assert isinstance(dataset, ImageDataset)
    rows = np.random.default_rng(0).permutation(len(dataset))[:SHOWN]
    spec = replace(dataset.spec, classes=(), class_counts=())
    return replace(dataset, samples=np.take(dataset.samples, rows, axis=0), labels=None, spec=spec)


def measure(data: str, dataset: SampleDataset) -> Callable[[Game[Any]], dict[str, float]]:
    """Return what is measured of a finished game."""
    if data != "digits":

        def modes(game: Game[Any]) -> dict[str, float]:
            torch.manual_seed(1)
            count = count_modes(data, game)
            return {"modes": count.found, "high_quality": count.high_quality}

        return modes
    features, real = pixel_features(dataset)

    def distance(game: Game[Any]) -> dict[str, float]:
        samples: Tensor = samples_of(game)
        return {"distance": frechet_distance_of_features(real, features(samples)).value}

    return distance


def play(dataset: SampleDataset, stabilise: str | None, rounds: int, seed: int, settings: dict[str, Any]) -> Game[Any]:
    """Play the plain game with a stabiliser."""
    kind = recipes.find("gan")
    torch.manual_seed(seed)
    recipe = kind(kind.Config.read({"rounds": rounds, **settings}), dataset.spec)
    stabilisers.apply(recipe, *stabilisers.parse(stabilise))
    game: Game[Any] = Game(recipe, Stream(dataset, seed=seed))
    for _ in range(rounds):
        recipe.round(game)
        game.end_round()
    return game


def result(data: str, name: str, seed: int, rounds: int) -> dict[str, Any]:
    """Play one game and measure it; a refusal or a divergence is a result too."""
    dataset = open_data(data)
    stabilise = spelled(name, "images" if data == "digits" else "points")
    line: dict[str, Any] = {"data": data, "name": name, "stabilise": stabilise, "seed": seed, "rounds": rounds}
    begun = time.perf_counter()
    try:
        game = play(few(dataset) if data == "digits" else dataset, stabilise, rounds, seed, SETTINGS[data])
        line |= measure(data, dataset)(game)
    except InputError as refusal:
        line["refused"] = str(refusal)
    except DivergedError as error:
        line["diverged"] = str(error)
    return line | {"seconds": round(time.perf_counter() - begun, 1)}


def cell(lines: list[dict[str, Any]]) -> str:
    """Sum up the seeds of one game."""
    if not lines:
        return ""
    if "refused" in lines[0]:
        return "refused"
    lost = sum("diverged" in line for line in lines)
    kept = [line for line in lines if "diverged" not in line]
    parts = [f"{lost} diverged"] if lost else []
    if kept and "modes" in kept[0]:
        modes, quality = ([line[key] for line in kept] for key in ("modes", "high_quality"))
        parts.append(f"{statistics.mean(modes):.1f} ({', '.join(map(str, modes))}), {statistics.mean(quality):.0%}")
    elif kept:
        distances = [line["distance"] for line in kept]
        parts.append(f"{statistics.mean(distances):.1f} ({', '.join(f'{d:.1f}' for d in distances)})")
    return "; ".join(parts)


def table(lines: list[dict[str, Any]], data: list[str]) -> list[list[str]]:
    """Lay the results out, a row a stabiliser; the time is a multiple of the plain game's."""
    names = dict.fromkeys(
        line["name"] for line in sorted(lines, key=lambda line: (line["name"] != "none", line["name"]))
    )

    def of(name: str, where: str) -> list[dict[str, Any]]:
        return [line for line in lines if line["name"] == name and line["data"] == where]

    def cost(name: str) -> str:
        shares = []
        for where in data:
            plain, own = (
                [line["seconds"] for line in of(n, where) if {"modes", "distance"} & line.keys()]
                for n in ("none", name)
            )
            shares += [statistics.median(own) / statistics.median(plain)] if plain and own else []
        return f"{statistics.mean(shares):.1f}" if shares else ""

    rows = [["stabiliser", *data, "time"]]
    for name in names:
        given = {line["stabilise"] for line in lines if line["name"] == name and "refused" not in line}
        title = name if name == "none" else " / ".join(sorted(filter(None, given))) or name
        rows.append([title, *(cell(of(name, where)) for where in data), cost(name)])
    return rows


def write_page(rows: list[list[str]], remarks: list[str]) -> None:
    """Put the table into the page on stabilisers, between its two marks."""
    before, _, rest = PAGE.read_text().partition("<!-- measured -->\n")
    _, _, after = rest.partition("<!-- end -->")
    said = "\n".join(f"- {remark}" for remark in remarks)
    PAGE.write_text(f"{before}<!-- measured -->\n{markdown(rows)}\n\n{said}\n<!-- end -->{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=["none", *stabilisers.names()], help="play this one alone")
    parser.add_argument("--data", action="append", choices=list(SETTINGS), help="play on these alone")
    parser.add_argument("--rounds", type=int, help="of every game")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    device.keep_freed_memory()
    data = options.data or list(SETTINGS)
    rounds = {where: options.rounds or ROUNDS[where] for where in data}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results.exists() else []
    lines = [line for line in lines if rounds.get(line["data"]) == line["rounds"] and line["seed"] < options.seeds]
    known = {(line["data"], line["name"], line["stabilise"], line["seed"]) for line in lines}
    for where in data:
        for name in options.only or ["none", *stabilisers.names()]:
            for seed in range(options.seeds):
                stabilise = spelled(name, "images" if where == "digits" else "points")
                if (where, name, stabilise, seed) in known:
                    continue
                line = result(where, name, seed, rounds[where])
                with options.results.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(line)
                print(
                    f"{where}, {name}, seed {seed}: {cell([line])}, {text.duration(line['seconds'])}", file=sys.stderr
                )
    rows = table(lines, data)
    if set(data) != set(SETTINGS):
        print(markdown(rows))
        return
    remarks = [
        f"On ring8 and grid25: modes found, by seed, and the share of samples near one. {PROTOCOL} On digits: Frechet "
        f"distance to 5,000 images on 64 principal components of the pixels (not an FID), trained on {SHOWN} of them.",
        f"`gan` with {POINTS} on points and {SETTINGS['digits']} on digits; "
        f"rounds: {', '.join(f'{where} {count:,}' for where, count in rounds.items())}.",
        "The time is the plain game's times so much, on a shared machine.",
    ]
    save("stabilisers", "Stabilisers, where the plain game fails", rows, remarks)
    write_page(rows, remarks)


if __name__ == "__main__":
    main()
