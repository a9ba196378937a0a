"""Whether games learn: modes on the ring, WGAN-GP's estimate, and bfloat16 against float32.

    python -m bench.learning modes | smooth | wasserstein | precision | labels   [--seeds 3] [--rounds N]

Each writes docs/benchmarks/<name>.json and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from bench.results import save
from zerosum import recipes
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.modes import ModeCount, mixture_modes
from zerosum.runtime import device

EQUAL = {
    "batch": 256,
    "latent_dim": 256,
    "generator_hidden": [128, 128],
    "discriminator_hidden": [128],
    "activation": "relu",
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
    "ema_decay": 0.99,
}
"""Settings shared by `gan` and `unrolled` on the ring, of the size of the paper's networks (Metz et al. 2017)."""

SMOOTH = EQUAL | {"discriminator_hidden": [128, 128], "activation": "tanh"}
"""Other settings shared on the ring, under which the plain game does well."""

PROTOCOL = "A mode counts if one of 2,500 samples lies within 3 sigma of it."
CHOSEN = (
    "Which game wins depends on the settings, and these were chosen among about ten that were tried: `modes` is a case "
    "in which the plain game fails, `smooth` one in which it does not. `gan` starts from other weights than `unrolled` "
    "and may differ in the discriminator's activation; its 0 steps are the like-for-like control."
)

GRID = {"batch": 256, "latent_dim": 2, "points_hidden": [128] * 3, "penalty": 0.1, "betas": [0.5, 0.9], "lr": 1e-3}
"""WGAN-GP on the grid: the authors' toy settings with narrower networks and a larger rate for a shorter run."""


def play(
    dataset: SampleDataset,
    name: str,
    rounds: int,
    *,
    seed: int = 0,
    precision: torch.dtype = torch.float32,
    **settings: Any,
) -> tuple[Game[Any], list[dict[str, float]]]:
    """Play a game; return it, and what it logged in each tenth."""
    kind = recipes.find(name)
    torch.manual_seed(seed)
    recipe = kind(kind.Config.read(settings), dataset.spec)
    if dataset.spec.kind != "points":
        recipe = recipe.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    game: Game[Any] = Game(recipe, Stream(dataset, seed=seed), precision=precision)
    logged = []
    for round_ in range(rounds):
        recipe.round(game)
        game.end_round()
        if (round_ + 1) % max(1, rounds // 10) == 0:
            logged.append(game.collect())
    return game, logged


def count_modes(data: str, game: Game[Any]) -> ModeCount:
    """Count modes among 2,500 samples, by PacGAN's protocol."""
    centres, sigma = toys.modes(data)
    with game.averaged():
        return mixture_modes(game.recipe.sample(2500), torch.as_tensor(centres, dtype=torch.float32), sigma=sigma)


def modes(seeds: int, rounds: int | None) -> None:
    """Unrolled GAN against the plain game on the ring of 8, at equal settings under which the plain game fails."""
    _ring("modes", "Modes of the ring: networks of the paper's size", EQUAL, seeds, rounds or 3000)


def smooth(seeds: int, rounds: int | None) -> None:
    """Unrolled GAN against the plain game on the ring of 8, at equal settings under which the plain game does well."""
    _ring("modes-smooth", "Modes of the ring: tanh, a deeper discriminator", SMOOTH, seeds, rounds or 3000)


def _ring(name: str, title: str, settings: dict[str, Any], seeds: int, rounds: int) -> None:
    ring = open_data("ring8")
    plans: dict[str, tuple[str, dict[str, Any]]] = {
        "gan": ("gan", {"dropout": 0.0}),
        "unrolled, 0 steps": ("unrolled", {"steps": 0}),
        "unrolled, 5 steps": ("unrolled", {"steps": 5}),
    }
    rows = [["game", *(f"seed {seed}: modes, HQ" for seed in range(seeds)), "mean modes"]]
    for plan, (recipe, more) in plans.items():
        found = [count_modes("ring8", play(ring, recipe, rounds, seed=s, **settings, **more)[0]) for s in range(seeds)]
        cells = [f"{count.found} of 8, {count.high_quality:.1%}" for count in found]
        rows.append([plan, *cells, f"{statistics.mean(count.found for count in found):.1f}"])
    save(name, title, rows, [f"{rounds:,} rounds each. {PROTOCOL}", f"{CHOSEN} Settings: {settings}."])


def wasserstein(seeds: int, rounds: int | None) -> None:
    """WGAN-GP on the grid of 25 and on the digits: the critic's estimate falls."""
    rows = [["data", "modes, HQ", *(f"{tenth}0 %" for tenth in range(1, 11))]]
    for seed in range(seeds):
        game, logged = play(open_data("grid25"), "wgan_gp", rounds or 3000, seed=seed, **GRID)
        count = count_modes("grid25", game)
        distances = [f"{values['critic/distance']:.3f}" for values in logged]
        rows.append([f"grid25, seed {seed}", f"{count.found} of 25, {count.high_quality:.1%}", *distances])
    precision = device.pick_precision("auto", torch.device("cpu"))
    _, logged = play(open_data("digits"), "wgan_gp", (rounds or 3000) // 5, width=16, precision=precision)
    rows.append(["digits 32x32", "", *(f"{values['critic/distance']:.3f}" for values in logged)])
    remarks = [f"The critic's estimate of the distance, averaged over each tenth of the run. On the grid: {GRID}."]
    save("wasserstein", "WGAN-GP's estimate falls as it learns", rows, remarks)


def precision(seeds: int, rounds: int | None) -> None:
    """DCGAN on Fashion-MNIST in bfloat16 and in float32, from equal seeds."""
    rounds = rounds or 1500
    data = open_data("fashion-mnist", options=DataConfig(size="32"))
    features, real = pixel_features(data)
    halves = real[torch.randperm(len(real))].chunk(2)
    floor = frechet_distance_of_features(*halves).value
    rows = [["arithmetic", *(f"seed {seed}" for seed in range(seeds)), "mean"]]
    for dtype in (torch.float32, torch.bfloat16):
        values = []
        for seed in range(seeds):
            game, _ = play(data, "dcgan", rounds, seed=seed, precision=dtype, width=16, ema_decay=0.99)
            values.append(frechet_distance_of_features(real, features(samples_of(game))).value)
        name = str(dtype).removeprefix("torch.")
        rows.append([name, *(f"{value:.2f}" for value in values), f"{statistics.mean(values):.2f}"])
    torch.manual_seed(0)
    untrained, _ = play(data, "dcgan", 1, width=16)
    before = frechet_distance_of_features(real, features(samples_of(untrained))).value
    remarks = [
        f"Frechet distance between 5,000 samples and 5,000 training images on the first 64 principal components of the "
        f"pixels (not an FID), after {rounds:,} rounds of width 16 at batch 128. Lower is better; two halves of the "
        f"training images are {floor:.2f} apart, and an untrained generator is {before:.1f} away."
    ]
    save("precision", "bfloat16 learns as well as float32", rows, remarks)


def labels(seeds: int, rounds: int | None) -> None:
    """DCGAN under the tutorial's dropout and outward label noise, long past where the tutorial collapsed."""
    rounds = rounds or 20_000
    data = open_data("digits")
    kinds: dict[str, dict[str, Any]] = {
        "tutorial: labels 1..1.1 and -0.1..0, dropout 0.3": {
            "real_label": (1.0, 1.1),
            "fake_label": (-0.1, 0.0),
            "dropout": 0.3,
        },
        "ours: labels 0.9 and 0": {},
    }
    rows = [["settings", "tenth", *(f"{tenth}0 %" for tenth in range(1, 11))]]
    bfloat16 = device.pick_precision("auto", torch.device("cpu"))
    for title, settings in kinds.items():
        _, logged = play(data, "dcgan", rounds, precision=bfloat16, width=8, batch=64, **settings)
        for key in ("discriminator/real", "discriminator/fake", "discriminator/loss", "generator/loss"):
            rows.append([title, key, *(f"{values[key]:.2f}" for values in logged)])
    remarks = [f"{rounds:,} rounds on digits at 32x32, width 8, batch 64; means over each tenth of the run."]
    save("labels", "Outward label noise, with logits", rows, remarks)


def pixel_features(data: SampleDataset) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return the map from images to principal components of their pixels, and 5,000 training images so mapped."""
    rows = np.random.default_rng(0).permutation(len(data))[:5000]
    real = data.batch(rows).to(torch.device("cpu")).real.flatten(1)  # type: ignore[attr-defined]
    components = PCA(64, random_state=0).fit(real.numpy())

    def features(images: Tensor) -> Tensor:
        return torch.from_numpy(components.transform(images.flatten(1).numpy()))

    return features, features(real)


def samples_of(game: Game[Any], n: int = 5000) -> Tensor:
    with game.averaged():
        torch.manual_seed(1)
        return torch.cat([game.recipe.sample(250).float() for _ in range(n // 250)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    studies = {study.__name__: study for study in (modes, smooth, wasserstein, precision, labels)}
    parser.add_argument("study", choices=studies)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    device.keep_freed_memory()
    studies[options.study](options.seeds, options.rounds)


if __name__ == "__main__":
    main()
