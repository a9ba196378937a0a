"""How fast the metrics are on given features, beside their peers, and whether they give the same numbers.

    python -m bench.metrics --peers PYTHON [--passes 4] [--samples 10000] [--features 2048] [--only kernel,...]

PYTHON has torch, torchmetrics, scipy and prdc. Prints Markdown, writes every pass to bench/results/metrics.json. Leave
the machine alone meanwhile; where others do not, set OMP_NUM_THREADS=1 and give --clock cpu. Once the two sides of a
contest have computed their numbers they stay loaded and run in turns, and only ratios of the same pass are reported.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.race import Contestant, race, ratio, ratios, serve
from bench.results import ROOT, save, table
from zerosum.runtime import device

RESULTS = Path(__file__).parent / "results"
SUBSETS, SUBSET_SIZE, NEIGHBOURS = 100, 1000, 5
Metric = Callable[[], dict[str, float]]

# contest: ours, the peer, how many times faster ours must be, and how near the numbers (relative).
CONTESTS = {
    "Frechet distance": ("frechet", "torchmetrics-frechet", 2.2, 1e-6),
    "Frechet distance, formula of pytorch-fid": ("frechet", "pytorch-fid-formula", 5.0, 1e-6),
    "Frechet distance of moments alone": ("frechet-of-moments", "scipy-sqrtm", 10.0, 1e-6),
    "Frechet distance, half as many samples as features": ("frechet-of-few", "scipy-sqrtm-of-few", 1.0, 1e-6),
    "kernel distance": ("kernel", "torchmetrics-kernel", 1.7, 1e-6),
    "precision, recall, density, coverage": ("neighbours", "prdc", 5.0, 1e-6),
}

LIMITS = {
    "Frechet distance": ("bare-moments", "the two symmetric float64 products and the root of the covariances"),
    "kernel distance": ("bare-pairs", "the products of all pairs, each once and in float32,"),
    "precision, recall, density, coverage": ("bare-pairs", "the same products"),
}
"""contest: what takes nothing but the time of the matrix products that it cannot do without, and what those are."""

OURS = {pair[0] for pair in CONTESTS.values()} | {name for name, _ in LIMITS.values()}


def draw(samples: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets that look like an Inception network's: not negative, correlated, near each other; (N, F) float32."""
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(256, features, generator=generator) / 16

    def features_of(scale: float) -> np.ndarray:
        latent = torch.randn(samples, 256, generator=generator)
        own = torch.randn(samples, features, generator=generator)
        return (scale * latent @ mix + 0.3 * own).relu().numpy()

    return features_of(1.0), features_of(1.1)


def ours(name: str, real: Tensor, fake: Tensor) -> Metric:
    """What zerosum does."""
    from zerosum.metrics.frechet import frechet_distance, frechet_distance_of_features
    from zerosum.metrics.kernel import kernel_distance
    from zerosum.metrics.moments import moments
    from zerosum.metrics.precision_recall import fidelity_diversity

    few = real.shape[1] // 2
    sides = (real, fake)
    known = [moments(side) for side in sides] if name in ("frechet-of-moments", "bare-moments") else []
    wide = [side.double().numpy() for side in sides] if name == "bare-moments" else []
    size = min(SUBSET_SIZE, len(real))
    return {
        "frechet": lambda: {"value": frechet_distance_of_features(real, fake).value},
        "frechet-of-moments": lambda: {"value": frechet_distance(*known).value},
        "frechet-of-few": lambda: {"value": frechet_distance_of_features(real[:few], fake[:few]).value},
        "kernel": lambda: {"value": kernel_distance(real, fake, seed=0, subsets=SUBSETS, subset_size=size).value},
        "neighbours": lambda: vars(fidelity_diversity(real, fake, k=NEIGHBOURS, k_density=NEIGHBOURS)),
        "bare-moments": lambda: bare_moments(wide, known),
        "bare-pairs": lambda: bare_pairs(real, fake),
    }[name]


def bare_moments(wide: list[np.ndarray], known: list[Any]) -> dict[str, float]:
    """Multiply both sides of float64 features (N, F) with themselves, and take the root of known covariances."""
    from zerosum.metrics.frechet import frechet_distance

    return {"value": frechet_distance(*known).value, "scatter": sum(float((side.T @ side)[0, 0]) for side in wide)}


def bare_pairs(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Multiply all pairs of real and fake features, and of each side half of the pairs: no pair twice."""
    from zerosum.metrics.matmul import products, strips

    total, count = 0.0, len(real)
    for rows in strips(count, count):
        total += float(products(real[rows], fake)[0, 0])
        total += sum(float(products(side[rows], side[rows.start :])[0, 0]) for side in (real, fake))
    return {"value": total}


def peer(name: str, real: Tensor, fake: Tensor) -> Metric:
    """What a peer does."""
    if name == "prdc":
        from prdc import compute_prdc

        return lambda: compute_prdc(real.numpy(), fake.numpy(), nearest_k=NEIGHBOURS)
    if name.startswith("torchmetrics"):
        return torchmetrics_of(name, real, fake)
    few = real.shape[1] // 2
    sides = [side[:few] if name.endswith("of-few") else side for side in (real, fake)]
    known = [(side.mean(0), np.cov(side, rowvar=False)) for side in (side.double().numpy() for side in sides)]
    if name == "pytorch-fid-formula":
        return lambda: {"value": by_square_root(*(moments_of(side) for side in sides))}
    return lambda: {"value": by_square_root(*known)}


def torchmetrics_of(name: str, real: Tensor, fake: Tensor) -> Metric:
    """Feed features to a metric of torchmetrics as if they were images."""
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Given(torch.nn.Module):
        num_features = real.shape[1]

        def forward(self, x: Tensor) -> Tensor:
            return x

    def compute() -> dict[str, float]:
        if name == "torchmetrics-frechet":
            metric = FrechetInceptionDistance(feature=Given())
        else:
            size = min(SUBSET_SIZE, len(real))
            metric = KernelInceptionDistance(feature=Given(), subsets=SUBSETS, subset_size=size)
        metric.update(real, real=True)
        metric.update(fake, real=False)
        torch.manual_seed(0)
        value = metric.compute()
        return {"value": float(value[0] if isinstance(value, tuple) else value)}

    return compute


def moments_of(features: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance, float64."""
    rows = features.double().numpy()
    return rows.mean(0), np.cov(rows, rowvar=False)


def by_square_root(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """The Frechet distance with scipy's square root of the product of the covariances."""
    from scipy import linalg

    root: Any = linalg.sqrtm(a[1] @ b[1])
    return float(((a[0] - b[0]) ** 2).sum() + np.trace(a[1]) + np.trace(b[1]) - 2 * np.trace(root.real))


def contend(name: str, folder: Path) -> None:
    """Be a contestant: compute once and leave the numbers in the folder, then again whenever told to."""
    real, fake = (torch.from_numpy(np.load(folder / f"{side}.npy")) for side in ("real", "fake"))
    if name in OURS:
        metric = exact = ours(name, real, fake)
    else:
        # The peers' numbers are taken in float64, for some of them lose more than six digits in float32.
        metric, exact = peer(name, real, fake), peer(name, real.double(), fake.double())
    numbers = {key: float(value) for key, value in exact().items()}
    (folder / f"{name}.json").write_text(json.dumps(numbers))

    def once() -> None:
        metric()

    serve(once, work=1.0, warm_up=0)


def difference(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the largest relative difference of two sets of numbers."""
    return max(abs(one[key] - other[key]) / max(abs(other[key]), 1e-12) for key in one)


def report(
    runners: dict[str, Contestant], numbers: dict[str, dict[str, float]]
) -> tuple[list[list[str]], list[dict[str, object]]]:
    """Return the table of all contests, and what it was made of."""
    rows = [["contest", "ours, s", "peer", "peer, s", "times faster", "by pass", "goal", "relative difference"]]
    data: list[dict[str, object]] = []
    for title, (one, other, wanted, near) in CONTESTS.items():
        if one not in runners or other not in runners:
            continue
        a, b = runners[one], runners[other]
        apart = difference(numbers[one], numbers[other])
        seconds = [statistics.median(1 / rate for rate in side.rates) for side in (a, b)]
        faster = [f"{value:.1f}" for value in ratios(a, b)]
        same = f"{apart:.1e}" if apart <= near else f"{apart:.1e}: NOT within {near:g}"
        cells = [title, f"{seconds[0]:.2f}", other, f"{seconds[1]:.2f}", f"{ratio(a, b):.1f}"]
        rows.append([*cells, " ".join(faster), f"{wanted:g}", same])
        entry = {"contest": title, "ours": numbers[one], "peer": other, "theirs": numbers[other], "difference": apart}
        data.append(entry | {"seconds": seconds, "ratios": ratios(a, b), "wanted": wanted})
    return rows, data


def limits(runners: dict[str, Contestant]) -> list[str]:
    """Say how much faster than its peer each contest could be at most, by the time of the products alone."""
    said = []
    for title, (bare, what) in LIMITS.items():
        other = CONTESTS[title][1]
        if bare in runners and other in runners:
            seconds = statistics.median(1 / rate for rate in runners[bare].rates)
            said.append(
                f"Limit of {title}: {what} alone take {seconds:.2f} s, in which {other} "
                f"is {ratio(runners[bare], runners[other]):.1f} times as slow."
            )
    return said


def enter(name: str, folder: str, options: argparse.Namespace) -> Contestant:
    """Return the contestant of that name, ours in this Python and the others in the peers'."""
    python = sys.executable if name in OURS else options.peers
    command = ["env", f"PYTHONPATH={ROOT / 'src'}", python, "-m", "bench.metrics", "--contend", name]
    return Contestant(name, [*command, "--folder", folder], 1, options.clock)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", default=sys.executable, help="a Python that has torchmetrics, scipy and prdc")
    parser.add_argument("--passes", type=int, default=4, help="turns of every contestant")
    parser.add_argument("--samples", type=int, default=10_000, help="samples a side")
    parser.add_argument("--features", type=int, default=2048, help="features a sample")
    parser.add_argument("--only", default="", help="names of contestants, with commas")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="see bench/race.py")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/metrics.json too")
    parser.add_argument("--contend", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contend:
        contend(options.contend, options.folder)
        return
    contests = [name for pair in CONTESTS.values() for name in pair[:2]]
    names = dict.fromkeys([*contests, *(name for name, _ in LIMITS.values())])
    chosen = options.only.split(",") if options.only else list(names)
    with tempfile.TemporaryDirectory() as folder:
        for side, features in zip(("real", "fake"), draw(options.samples, options.features), strict=True):
            np.save(Path(folder) / f"{side}.npy", features)
        runners = {name: enter(name, folder, options) for name in chosen}
        race(list(runners.values()), options.passes)
        numbers = {name: json.loads((Path(folder) / f"{name}.json").read_text()) for name in runners}
    rows, data = report(runners, numbers)
    write(options, rows, data, limits(runners))


def write(options: argparse.Namespace, rows: list[list[str]], data: list[dict[str, object]], bounds: list[str]) -> None:
    """Print the table and keep what it was made of, with the machine it was measured on."""
    remark = (
        f"{options.samples:,} samples of {options.features:,} features a side; seconds by the {options.clock} clock."
    )
    print(table(rows), remark, *bounds, sep="\n\n")
    RESULTS.mkdir(exist_ok=True)
    whole = {"when": datetime.datetime.now(datetime.UTC).isoformat(), "machine": device.describe(), "what": remark}
    (RESULTS / "metrics.json").write_text(json.dumps(whole | {"contests": data}, indent=2) + "\n")
    if options.save:
        save("metrics", "How fast the metrics are on given features", rows, [remark, *bounds])


if __name__ == "__main__":
    main()
