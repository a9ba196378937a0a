"""How fast DCGAN plays, 64x64x1 at batch 128, beside a plain PyTorch loop and the Keras tutorial.

    python -m bench.dcgan [--passes 4] [--steps 4] [--only plain,trainer-bfloat16] [--keras PYTHON] [--save]

Prints Markdown and writes every pass to bench/results/dcgan.json. Leave the machine alone meanwhile; where others
do not, use OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 and --clock cpu.
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

from bench.networks import networks
from bench.race import Contestant, race, ratio, ratios
from bench.results import save, table
from zerosum.runtime import device

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
    generator, discriminator = (network.to("meta") for network in networks("torch"))
    latent, real = torch.empty(2, 100, 1, 1, device="meta"), torch.empty(2, 1, 64, 64, device="meta")
    with FlopCounterMode(display=False) as counter:
        if name.startswith("keras"):
            d_fake = discriminator(generator(latent)).sum()
            (discriminator(real).sum() + d_fake).backward(inputs=list(discriminator.parameters()), retain_graph=True)
            d_fake.backward(inputs=list(generator.parameters()))
        else:
            fake = generator(latent)
            (discriminator(real).sum() + discriminator(fake.detach()).sum()).backward()
            discriminator.requires_grad_(name == "plain")
            discriminator(fake).sum().backward()
    return counter.get_total_flops() / 2


def enter(name: str, options: argparse.Namespace) -> Contestant:
    """Return the contestant of that name."""
    if name == "keras-float32":
        script = str(Path(__file__).with_name("keras_dcgan.py"))
        return Contestant(name, [options.keras or sys.executable, script], options.steps, options.clock)
    count = 60 if name.startswith("peak") else options.steps
    command = [sys.executable, "-m", "bench.contestants", name, "--steps", str(count)]
    return Contestant(name, command, count, options.clock)


def report(runners: dict[str, Contestant]) -> tuple[list[list[str]], list[dict[str, object]]]:
    """Return the table of all contestants, and what it was made of."""
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
    return rows, data


def verdicts(runners: dict[str, Contestant]) -> list[str]:
    """Hold what was measured against the goals, a sentence each."""
    said = []
    for (one, other), wanted in GOALS.items():
        if one in runners and other in runners:
            measured = ratios(runners[one], runners[other])
            passes = ", ".join(f"{value:.2f}" for value in measured)
            median = statistics.median(measured)
            said.append(f"{one} makes {median:.2f} times the rounds of {other} (goal {wanted}); by pass: {passes}.")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--passes", type=int, default=4, help="turns of every contestant")
    parser.add_argument("--steps", type=int, default=4, help="rounds in a turn")
    parser.add_argument("--only", default="", help="names of contestants, with commas")
    parser.add_argument("--keras", default=None, help="a Python that has tensorflow-cpu")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/dcgan.json too")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [*TORCH, *(KERAS if options.keras else ())]
    runners = {name: enter(name, options) for name in (*names, *PEAKS.values())}
    race(list(runners.values()), options.passes)
    rows, data = report(runners)
    peaks = {key: statistics.median(runners[name].rates) / 1e9 for key, name in PEAKS.items()}
    remarks = [
        *verdicts(runners),
        "Matrix peak in the same run: "
        + ", ".join(f"{rate:.0f} GFLOP/s in {key}" for key, rate in peaks.items())
        + ".",
    ]
    print(table(rows), *remarks, sep="\n\n")
    RESULTS.mkdir(exist_ok=True)
    whole = {"when": datetime.datetime.now(datetime.UTC).isoformat(), "machine": device.describe(), "peaks": peaks}
    (RESULTS / "dcgan.json").write_text(json.dumps(whole | {"contestants": data}, indent=2) + "\n")
    if options.save:
        save("dcgan", "How fast DCGAN plays: 64x64x1, batch 128", rows, remarks)


if __name__ == "__main__":
    main()
