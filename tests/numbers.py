"""Checksums of what training, evaluation and data give: `python -m tests.numbers` writes tests/numbers.json.

They are taken through the public doors alone (`train`, `evaluate`, the files of a run), so that they outlive the code
between. On another processor or another torch the bits differ; there `summary` compares sums with a tolerance.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from PIL import Image

FILE = Path(__file__).parent / "numbers.json"
ROUNDS = 12
SMALL: dict[str, dict[str, Any]] = {
    "acgan": {"width": 4},
    "biggan": {"width": 2},
    "cgan": {"width": 4},
    "cyclegan": {"width": 4, "blocks": 1, "layers": 1, "batch": 2},
    "age_cgan": {"width": 4, "encoder_width": 4, "encoder_hidden": 8, "size": "16"},
    "dcgan": {"width": 4},
    "dvdgan": {"width": 2, "embedding": 4, "spatial_frames": 2, "size": "16", "frames": 4},
    "gan3d": {"generator_width": 2, "discriminator_width": 2, "size": "16", "previews": 2},
    "gan": {"generator_hidden": (16, 16), "discriminator_hidden": (16, 16)},
    "infogan": {"width": 4, "noise": 6, "categories": 3},
    "inpaint": {"preset": "paper", "width": 4, "bottleneck": 8},
    "progan": {"base": 32, "batch_doublings": 1, "stabilise_kimg": 0.016, "fade_kimg": 0.016},
    "lsgan": {"width": 4},
    "pix2pix": {"preset": "paper", "width": 4, "layers": 2, "batch": 2},
    "projection": {"generator_width": 2, "discriminator_width": 2},
    "sngan": {"generator_width": 2, "discriminator_width": 2},
    "r3gan": {"widths": (8, 4), "group": 8, "burn_in": 64, "ema_half_life": (100, 100)},
    "srgan": {"preset": "paper", "width": 4, "blocks": 1, "pretrain": 6, "degrade": "downscale:2", "size": "32"},
    "stackgan": {"width": 4, "second_width": 4, "discriminator_width": 4, "embedding": 6, "condition": 4, "size": "16"},
    "stylegan2": {"base": 64, "max_channels": 8, "path_length": 2.0, "path_every": 2, "r1_every": 4},
    "unrolled": {"width": 4, "steps": 2, "generator_hidden": (16,), "discriminator_hidden": (16,)},
    "wavegan": {"width": 2, "n_critic": 2, "length": 1024},
    "wgan": {"width": 4, "long_n_critic": 6, "long_rounds": 1},
    "wgan_gp": {"width": 4},
}
EMBEDDED = {
    "age_cgan": "aged-digits",
    "dvdgan": "moving-shapes",
    "gan3d": "shapes3d",
    "stackgan": "captioned-shapes",
    "wavegan": "tones",
}
"""Data of recipes that are not trained on digits."""
ON_POINTS = ("gan", "acgan", "cgan", "dcgan", "infogan", "lsgan", "r3gan", "unrolled", "wgan", "wgan_gp")


def games(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (label, recipe, data) of every recipe on every kind of sample that it plays on."""
    random = np.random.default_rng(0)
    for name, size in (("pairs", (16, 32, 3)), ("trainA", (16, 16, 3)), ("trainB", (16, 16, 3))):
        place = folder / ("pairs" if name == "pairs" else "domains") / name
        place.mkdir(parents=True)
        for index in range(12):
            pixels = random.integers(0, 256, size, dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{index:02}.png")
    for recipe in SMALL:
        data = {"pix2pix": folder / "pairs", "cyclegan": folder / "domains"}.get(recipe, EMBEDDED.get(recipe, "digits"))
        yield f"{recipe} {Path(data).name}", recipe, str(data)
        if recipe in ON_POINTS:
            yield f"{recipe} ring8", recipe, "ring8"


def take() -> dict[str, dict[str, Any]]:
    """Train, evaluate and open, all small; return checksums and sums by name."""
    import zerosum

    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["ZEROSUM_CACHE"] = str(folder / "cache")
        for label, recipe, data in games(folder):
            run = folder / label.replace(" ", "-")
            settings = {"batch": 8, "rounds": ROUNDS, "precision": "float32", "previews": 16, "log_every": 4}
            settings |= SMALL[recipe] | {"save_every": ROUNDS, "preview_every": 6}
            zerosum.train(data, recipe=recipe, run=run, progress=Quiet(), **settings)
            found |= {f"{label}: {name}": entry for name, entry in of_run(run).items()}
        for label, subject, asked in (
            ("points", folder / "gan-ring8", {"count": 500}),
            ("run", folder / "dcgan-digits", {"count": 100, "features": "pixels"}),
            ("folder", folder / "pairs" / "pairs", {"against": "digits", "features": "random", "size": "32"}),
        ):
            evaluated = zerosum.evaluate(subject, progress=Quiet(), **asked)
            numbers = {
                figure.metric: [
                    figure.value,
                    figure.floor,
                    *([figure.interval.low, figure.interval.high] if figure.interval else []),
                ]
                for figure in evaluated.figures
            }
            found[f"evaluate {label}"] = of_values(numbers)
        zerosum.train("digits", recipe="gan", run=folder / "again", progress=Quiet(), rounds=1, batch=8)
    return found


class Quiet:
    """Progress that says nothing."""

    def update(self, status: Any) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


def of_run(run: Path) -> dict[str, dict[str, Any]]:
    """Checksum weights, averages, optimizers, random states, previews and history of a run."""
    checkpoint = run / "checkpoints" / f"{ROUNDS:08d}"
    found = {
        name: of_tensors(safetensors.torch.load_file(checkpoint / f"{name}.safetensors"))
        for name in ("weights", "averages")
    }
    state = torch.load(io.BytesIO((checkpoint / "state.pt").read_bytes()), weights_only=True)
    found["optimizers"] = of_tensors(
        dict(tensors_in({n: p["optimizer"]["state"] for n, p in state["players"].items()}))
    )
    found["random"] = of_tensors(dict(tensors_in(state["random"])))
    found["position"] = of_values({"position": [float(state["position"])], "seen": [float(state["clock"]["seen"])]})
    found["previews"] = of_tensors(
        {path.name: torch.from_numpy(np.array(Image.open(path))) for path in sorted((run / "samples").glob("0*.png"))}
    )
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    values = {
        f"{row['round']} {key}": [value]
        for row in rows
        for key, value in row.items()
        if "/" in key and not key.endswith(("gradient_norm", "data_wait"))
    }
    found["history"] = of_values(values)
    return found


def tensors_in(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Walk nested dicts and lists."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from tensors_in(inner, f"{name}.{key}")


def of_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Digest tensors by name, and sum their sizes for machines that round differently."""
    digest = hashlib.sha256()
    total = 0.0
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(array.shape)} {array.dtype}".encode())
        digest.update(array.numpy().tobytes())
        total += float(array.double().abs().sum())
    return {"sha256": digest.hexdigest(), "sum": total, "count": len(tensors)}


def of_values(values: dict[str, list[float | None]]) -> dict[str, Any]:
    """Digest lists of numbers by name."""
    text = json.dumps(values, sort_keys=True)
    total = sum(abs(number) for numbers in values.values() for number in numbers if number is not None)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "sum": total, "count": len(values)}


def machine() -> dict[str, str]:
    """What decides the bits."""
    return {
        "processor": platform.processor() or platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_text(json.dumps({"machine": machine(), "numbers": take()}, indent=1) + "\n", encoding="utf-8")
