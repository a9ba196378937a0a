"""How fast DCGAN plays, 64x64x1 at batch 128, beside a plain PyTorch loop and the Keras tutorial.

    python -m bench.dcgan [--passes 6] [--steps 4] [--only plain,tuned-bfloat16,...] [--keras PYTHON]

Writes bench/results/dcgan.json and prints Markdown. Leave the machine alone meanwhile, though only ratios are reported.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import contestants
from bench.race import Contestant, race, ratio, ratios, table
from zerosum import machine

RESULTS = Path(__file__).parent / "results"
TORCH = (
    "plain",
    "simple-float32",
    "tuned-float32",
    "simple-bfloat16",
    "tuned-bfloat16",
    "by-hand-float32",
    "trainer-float32",
    "by-hand-bfloat16",
    "trainer-bfloat16",
)
KERAS = ("keras-float32", "keras-recipe-float32", "keras-recipe-bfloat16")
PEAKS = {"float32": "peak-float32", "bfloat16": "peak-bfloat16"}
GOALS = {
    ("tuned-bfloat16", "plain"): 2.4,
    ("trainer-bfloat16", "plain"): 2.4,
    ("tuned-float32", "plain"): 1.5,
    ("trainer-float32", "plain"): 1.5,
    ("keras-recipe-bfloat16", "keras-float32"): 1.7,
    ("trainer-bfloat16", "by-hand-bfloat16"): 0.99,
    ("trainer-float32", "by-hand-float32"): 0.99,
}


def operations(name: str) -> float:
    """Multiplications and additions per image that the round asks for, whatever kernels compute it."""
    generator, discriminator = (network.to("meta") for network in contestants.networks("torch"))
    latent, real = torch.empty(2, 100, 1, 1, device="meta"), torch.empty(2, 1, 64, 64, device="meta")
    with FlopCounterMode(display=False) as counter:
        if name.startswith("keras"):
            d_fake = discriminator(generator(latent)).sum()
            (discriminator(real).sum() + d_fake).backward(inputs=list(discriminator.parameters()), retain_graph=True)
            d_fake.backward(inputs=list(generator.parameters()))
        else:
            fake = generator(latent)
            (discriminator(real).sum() + discriminator(fake.detach()).sum()).backward()
            if name.startswith(("trainer", "by-hand")):  # draws new samples for the generator's move
                fake = generator(latent)
            discriminator.requires_grad_(name == "plain")
            discriminator(fake).sum().backward()
    return counter.get_total_flops() / 2


def enter(name: str, steps: int, keras: str | None) -> Contestant:
    """Return the contestant of that name."""
    if name == "keras-float32":
        script = str(Path(__file__).with_name("keras_dcgan.py"))
        return Contestant(name, [keras or sys.executable, script], steps)
    count = 60 if name.startswith("peak") else steps
    return Contestant(name, [sys.executable, "-m", "bench.contestants", name, "--steps", str(count)], count)


def report(runners: dict[str, Contestant]) -> tuple[str, list[dict[str, object]]]:
    """Return the table in Markdown, and its rows as data."""
    rows, data = [["contestant", "img/s", "of the plain loop", "of Keras", "of the matrix peak"]], []
    for name, runner in runners.items():
        if name in PEAKS.values():
            continue
        entry: dict[str, object] = {"name": name, "images_per_second": runner.rates}
        cells = [name, f"{statistics.median(runner.rates):.0f}"]
        for base in ("plain", "keras-float32"):
            entry[f"over_{base}"] = ratios(runner, runners[base]) if base in runners else None
            cells.append(f"{ratio(runner, runners[base]):.2f}" if base in runners else "")
        peak = runners.get(PEAKS["bfloat16" if name.endswith("bfloat16") else "float32"])
        if peak is not None:
            entry["peak_share"] = operations(name) * ratio(runner, peak)
            cells.append(f"{entry['peak_share']:.0%}")
        rows.append(cells + [""] * (5 - len(cells)))
        data.append(entry)
    return table(rows), data


def verdicts(runners: dict[str, Contestant]) -> str:
    """Hold what was measured against the goals."""
    rows = [["goal", "wanted", "median", "passes"]]
    for (one, other), wanted in GOALS.items():
        if one in runners and other in runners:
            measured = ratios(runners[one], runners[other])
            passes = " ".join(f"{value:.2f}" for value in measured)
            rows.append([f"{one} / {other}", f"{wanted:.2f}", f"{statistics.median(measured):.2f}", passes])
    return table(rows) if len(rows) > 1 else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=6, help="turns of every contestant")
    parser.add_argument("--steps", type=int, default=4, help="rounds in a turn")
    parser.add_argument("--only", default="", help="names of contestants, with commas")
    parser.add_argument("--keras", default=None, help="a Python that has tensorflow-cpu")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [*TORCH, *(KERAS if options.keras else ())]
    runners = {name: enter(name, options.steps, options.keras) for name in (*names, *PEAKS.values())}
    race(list(runners.values()), options.passes)
    text, data = report(runners)
    peaks = {key: statistics.median(runners[name].rates) / 1e9 for key, name in PEAKS.items()}
    print(text, verdicts(runners), sep="\n\n")
    print("\nMatrix peak: " + ", ".join(f"{value:.0f} GFLOP/s in {key}" for key, value in peaks.items()))
    RESULTS.mkdir(exist_ok=True)
    summary = {
        "when": datetime.datetime.now(datetime.UTC).isoformat(),
        "machine": machine.describe(),
        "peak_gflops": peaks,
    }
    (RESULTS / "dcgan.json").write_text(json.dumps(summary | {"contestants": data}, indent=2) + "\n")


if __name__ == "__main__":
    main()
