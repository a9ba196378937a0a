"""Figures of the concept pages, computed: closed forms, and games of a few seconds.

python -m pages.figures          writes docs/pictures/concepts/*.svg
python -m pages.figures losses   writes one of them
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from zerosum import objectives
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.precision_recall import fidelity_diversity

FOLDER = Path(__file__).parents[1] / "docs" / "pictures" / "concepts"
STYLE = {
    "svg.hashsalt": "zerosum",
    "svg.fonttype": "none",
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=["#0b5cad", "#c2410c", "#15803d", "#7e22ce", "#52525b"]),
    "savefig.facecolor": "white",
}


def optimum() -> Figure:
    """Draw the best discriminator against two densities, and what its loss then is worth."""
    x = np.linspace(-4, 5, 400)
    figure, (left, right) = _panels(2)
    for shift, line in ((2.0, "-"), (0.5, "--")):
        real, fake = _normal(x, 0.0), _normal(x, shift)
        left.plot(x, real / (real + fake), line, label=f"generator {shift:g} away")
    left.plot(x, _normal(x, 0.0), color="#52525b", label="density of the data")
    left.set(title="The best discriminator", xlabel="x", ylabel="probability of real", ylim=(0, 1.05))
    left.legend(frameon=False)
    shifts = np.linspace(0, 5, 60)
    wide = np.linspace(-8, 14, 4000)
    worth = [2 * _js(_normal(wide, 0.0), _normal(wide, shift), wide[1] - wide[0]) - math.log(4) for shift in shifts]
    right.plot(shifts, worth)
    right.axhline(-math.log(4), linestyle=":", color="#52525b")
    right.annotate("equilibrium: -log 4", (2.4, -math.log(4) + 0.03))
    right.set(title="Value of the game against it", xlabel="distance of the generator", ylabel="V(D*, G)")
    return figure


def divergences() -> Figure:
    """Draw KL, JS and Wasserstein-1 between two narrow Gaussians, by their distance."""
    figure, (axes,) = _panels(1)
    shifts, sigma = np.linspace(0, 3, 100), 0.3
    wide = np.linspace(-3, 7, 8000)
    axes.plot(shifts, shifts**2 / (2 * sigma**2), label="KL")
    axes.plot(
        shifts, [_js(_normal(wide, 0, sigma), _normal(wide, s, sigma), wide[1] - wide[0]) for s in shifts], label="JS"
    )
    axes.plot(shifts, shifts, label="Wasserstein-1")
    axes.axhline(math.log(2), linestyle=":", color="#52525b")
    axes.annotate("log 2", (2.7, math.log(2) + 0.06))
    axes.set(title="Two Gaussians of width 0.3", xlabel="distance of their means", ylim=(0, 4))
    axes.legend(frameon=False)
    return figure


def fits() -> Figure:
    """Draw the Gaussians that minimise KL(p, q), KL(q, p) and JS, where p has two modes."""
    x = np.linspace(-6, 6, 1200)
    step = x[1] - x[0]
    p = 0.6 * _normal(x, -2, 0.6) + 0.4 * _normal(x, 2, 0.6)
    scores: dict[str, Callable[[np.ndarray], float]] = {
        "KL(p, q) covers": lambda q: _kl(p, q, step),
        "KL(q, p) chooses": lambda q: _kl(q, p, step),
        "JS": lambda q: _js(p, q, step),
    }
    figure, (axes,) = _panels(1)
    axes.fill_between(x, p, color="#d4d4d8", label="data p")
    for name, score in scores.items():
        tried = ((m, s) for m in np.linspace(-3, 3, 61) for s in np.linspace(0.3, 3, 55))
        axes.plot(x, _normal(x, *min(tried, key=lambda at: score(_normal(x, *at)))), label=name)
    axes.set(title="The best single Gaussian", xlabel="x")
    axes.legend(frameon=False)
    return figure


def losses() -> Figure:
    """Draw generators' losses and their gradients by the logit of one generated sample."""
    games = {
        "minimax": objectives.minimax_generator,
        "non-saturating": objectives.non_saturating_generator,
        "least squares": objectives.least_squares_generator,
        "Wasserstein, hinge": objectives.wasserstein_generator,
    }
    figure, (left, right) = _panels(2)
    for name, loss in games.items():
        logits = torch.linspace(-8, 4, 200).requires_grad_()
        values = torch.stack([loss(logit[None]) for logit in logits])
        (gradient,) = torch.autograd.grad(values.sum(), logits)
        left.plot(logits.detach(), values.detach(), label=name)
        right.plot(logits.detach(), gradient.abs())
    left.set(title="Loss of the generator", xlabel="D(G(z)), as a logit", ylim=(-6, 10))
    right.set(title="Size of its gradient", xlabel="D(G(z)), as a logit", ylim=(0, 3))
    left.legend(frameon=False)
    return figure


def dirac() -> Figure:
    """Draw the paths of the Dirac-GAN (Mescheder et al. 2018): generator at theta, D(x) = psi x, data at 0."""
    figure, axes = _panels(3)
    for panel, (title, alternating, gamma) in zip(
        axes, (("simultaneous", False, 0.0), ("alternating", True, 0.0), ("with R1", True, 1.0)), strict=True
    ):
        path = dirac_path(alternating=alternating, gamma=gamma)
        panel.plot(*path.T, linewidth=1)
        panel.plot(*path[0], "o", markersize=4)
        panel.plot(0, 0, "+", color="black", markersize=10)
        panel.set(title=title, xlabel="generator", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    axes[0].set_ylabel("discriminator")
    return figure


def dirac_path(*, alternating: bool, gamma: float, rate: float = 0.1, rounds: int = 500) -> np.ndarray:
    """Play the Dirac-GAN by gradient descent from (1, 1): (rounds + 1, 2) of generator and discriminator."""
    theta = psi = torch.tensor(1.0)
    path = [(1.0, 1.0)]
    for _ in range(rounds):
        before = theta
        psi_ = psi.clone().requires_grad_()
        loss = objectives.logistic_discriminator(torch.zeros(1) * psi_, theta * psi_[None]) + gamma / 2 * psi_**2
        stepped = psi - rate * torch.autograd.grad(loss, psi_)[0]
        theta_ = before.clone().requires_grad_()
        against = stepped if alternating else psi
        loss = objectives.non_saturating_generator(theta_[None] * against)
        theta, psi = before - rate * torch.autograd.grad(loss, theta_)[0], stepped
        path.append((float(theta), float(psi)))
    return np.array(path)


def counts() -> Figure:
    """Draw the Frechet distance of two sets of one distribution, by their size, and FID's two answers to one number."""
    random = np.random.default_rng(0)
    figure, (left, right) = _panels(2)
    sizes = [100, 200, 500, 1000, 2000, 5000, 10000]
    for features in (16, 64, 256):
        distances = [
            frechet_distance_of_features(*(torch.from_numpy(random.normal(size=(n, features))) for _ in range(2))).value
            for n in sizes
        ]
        left.plot(sizes, distances, "o-", markersize=3, label=f"{features} features")
    left.set(
        title="Real against real: not 0",
        xlabel="samples on each side",
        ylabel="Frechet distance",
        xscale="log",
        yscale="log",
    )
    left.legend(frameon=False)
    real = torch.from_numpy(random.normal(size=(1500, 8)))
    scales = np.linspace(0.3, 1.8, 16)
    found = [fidelity_diversity(real, float(s) * torch.from_numpy(random.normal(size=(1500, 8)))) for s in scales]
    right.plot(scales, [each.precision for each in found], label="precision: do samples look real")
    right.plot(scales, [each.recall for each in found], label="recall: are the real ones reached")
    right.set(
        title="Samples too much alike, or too scattered", xlabel="spread of the samples (data: 1)", ylim=(0, 1.05)
    )
    right.legend(frameon=False, loc="lower right")
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "optimum": optimum, "divergences": divergences, "fits": fits, "losses": losses, "dirac": dirac, "counts": counts,
}  # fmt: skip


def _panels(count: int) -> tuple[Figure, list]:
    figure = Figure(figsize=(4.2 * count if count > 1 else 6, 3.6), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def _normal(x: np.ndarray, mean: float, sigma: float = 1.0) -> np.ndarray:
    return np.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def _kl(p: np.ndarray, q: np.ndarray, step: float) -> float:
    return float(np.sum(p * (np.log(p + 1e-300) - np.log(q + 1e-300))) * step)


def _js(p: np.ndarray, q: np.ndarray, step: float) -> float:
    middle = (p + q) / 2
    return (_kl(p, middle, step) + _kl(q, middle, step)) / 2


def save(name: str, folder: Path = FOLDER) -> Path:
    """Draw a figure into a folder, the same to the last byte each time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    with mpl.rc_context(STYLE):
        FIGURES[name]().savefig(path, metadata={"Date": None})
    return path


if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        save(name)
