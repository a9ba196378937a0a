"""The games of `bench.collapse`: what is trained on what, and what would name what goes wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.kinds import open_data

SMALL = "--size 16 --width 8"
STRONG = "--generator-hidden 64 64 --discriminator-hidden 64 64 --dropout 0 --latent-dim 2"
OVERPOWERED = ("discriminator-overpowers", "mode-collapse")
TOO_FAST = ("learning-rate-too-high", "mode-collapse", "divergence", "learning-rates-far-apart")


@dataclass(frozen=True)
class Case:
    """A game."""

    name: str
    half: str
    """"tuned" or "judged"."""
    data: str
    """A name, or one of `MADE`."""
    flags: str
    meant: str = "healthy"
    """How it was meant to end; `bench.outcomes` says how it does."""
    expected: tuple[str, ...] = ()
    """Signs, each of which would name what goes wrong; none for a game that was meant to do well."""

    @property
    def like(self) -> str:
        """The data that its samples should be like."""
        return "digits" if self.data in ("few", "labelled", "shuffled", "opaque") else self.data


def _fails(name: str, half: str, data: str, flags: str, *expected: str) -> Case:
    return Case(name, half, data, flags, "fails", expected)


FAILING = (
    _fails("strong discriminator, ring", "judged", "ring8", f"--recipe gan {STRONG} --generator-lr 1e-4 "
           "--discriminator-lr 1e-3 --n-discriminator 5 --rounds 1500", *OVERPOWERED),
    _fails("strong discriminator, grid", "tuned", "grid25", f"--recipe gan {STRONG} --generator-lr 1e-4 "
           "--discriminator-lr 1e-3 --n-discriminator 5 --rounds 1500", *OVERPOWERED),
    _fails("strong discriminator, digits", "judged", "digits", "--recipe gan --dropout 0 --generator-lr 2e-5 "
           "--discriminator-lr 2e-3 --rounds 1200", "discriminator-overpowers", "learning-rates-far-apart"),
    _fails("strong discriminator, dcgan", "tuned", "digits", f"--recipe dcgan {SMALL} --generator-lr 1e-5 "
           "--discriminator-lr 4e-3 --rounds 800", "discriminator-overpowers", "learning-rates-far-apart"),
    _fails("strong generator", "judged", "ring8", "--recipe gan --generator-lr 2e-2 --discriminator-lr 1e-5 "
           "--rounds 1500", "generator-overpowers", "mode-collapse", "learning-rate-too-high",
           "learning-rates-far-apart"),
    _fails("rate of 10", "tuned", "ring8", "--recipe gan --generator-lr 10 --discriminator-lr 10 --rounds 1500",
           "divergence", "learning-rate-too-high", "mode-collapse"),
    _fails("rate of 0.1, dcgan", "judged", "digits", f"--recipe dcgan {SMALL} --generator-lr 0.1 "
           "--discriminator-lr 0.1 --rounds 800", "learning-rate-too-high", "mode-collapse", "divergence"),
    _fails("wide clipping", "tuned", "ring8", "--recipe wgan --clip 5 --rounds 800", "divergence",
           "failure-to-converge", "loss-unbounded", "learning-rate-too-high"),
    _fails("labels outside 0 and 1", "judged", "digits", f"--recipe dcgan {SMALL} --real-label 0.7 1.2 --fake-label "
           "-0.2 0.3 --generator-lr 1e-3 --discriminator-lr 1e-3 --rounds 800", "loss-unbounded",
           "discriminator-overpowers"),
    _fails("batch of 2", "tuned", "digits", f"--recipe dcgan {SMALL} --batch 2 --rounds 1500",
           "batch-too-small-for-batch-norm"),
    _fails("100 digits", "judged", "few", f"--recipe dcgan {SMALL} --rounds 1500", "discriminator-overfits",
           "samples-memorised", *OVERPOWERED),
    _fails("labels without meaning", "tuned", "shuffled", f"--recipe cgan {SMALL} --rounds 1200", "labels-ignored"),
    _fails("high momentum", "judged", "digits", "--recipe gan --betas 0.95 0.999 --generator-lr 5e-3 "
           "--discriminator-lr 5e-3 --rounds 1200", "failure-to-converge", "mode-collapse", "learning-rate-too-high",
           "discriminator-overpowers"),
    _fails("slow average", "tuned", "digits", f"--recipe dcgan {SMALL} --ema-decay 0.99999 --rounds 800",
           "ema-too-slow", *OVERPOWERED),
    _fails("constant channel", "judged", "opaque", f"--recipe dcgan {SMALL} --rounds 800",
           "duplicates-or-constant-channel", *OVERPOWERED),
    _fails("simultaneous, high rates", "tuned", "ring8", "--recipe gan --simultaneous --betas 0.9 0.999 --generator-lr "
           "2e-2 --discriminator-lr 2e-2 --rounds 1500", "failure-to-converge", "learning-rate-too-high",
           *OVERPOWERED),
    _fails("dead units", "judged", "digits", "--recipe gan --size 16 --activation relu --generator-lr 3e-2 "
           "--rounds 800", "dead-units", *TOO_FAST),
    _fails("100 digits, labelled", "tuned", "labelled", f"--recipe acgan {SMALL} --rounds 1500",
           "discriminator-overfits", "samples-memorised", *OVERPOWERED),
    _fails("tutorial, LEGO", "judged", "lego", f"--recipe dcgan {SMALL} --real-label 1 1.1 --fake-label -0.1 0 "
           "--dropout 0.3 --rounds 500", "loss-unbounded", *OVERPOWERED),
    _fails("strong discriminator, fashion", "tuned", "fashion", f"--recipe dcgan {SMALL} --generator-lr 1e-5 "
           "--discriminator-lr 4e-3 --rounds 400", "discriminator-overpowers", "learning-rates-far-apart"),
)  # fmt: skip
"""Meant to fail. "tutorial, LEGO" has the settings of a DCGAN tutorial (labels drawn from 1 to 1.1 and -0.1 to 0,
dropout 0.3, batch 128, both rates 2e-4) at 16x16 and width 8, for 500 rounds in place of 31,300 at 64x64."""

_WGAN_GP = "--points-hidden 128 128 128 --latent-dim 2 --penalty 0.1 --betas 0.5 0.9 --lr 1e-3"

HEALTHY = (
    Case("gan, ring", "judged", "ring8", "--recipe gan --rounds 1500"),
    Case("gan, ring, twice as long", "tuned", "ring8", "--recipe gan --rounds 3000"),
    Case("lsgan, ring, long", "judged", "ring8", "--recipe lsgan --batch 128 --rounds 4000"),
    Case("r3gan, ring, long", "tuned", "ring8", "--recipe r3gan --rounds 2500"),
    Case("wgan_gp, ring, long", "judged", "ring8", f"--recipe wgan_gp {_WGAN_GP} --rounds 1000"),
    Case("two time scales, ring", "tuned", "ring8", "--recipe gan --generator-lr 5e-4 --discriminator-lr 2e-3 "
         "--rounds 1500"),
    Case("large batch, gan, ring", "judged", "ring8", "--recipe gan --batch 512 --rounds 1200"),
    Case("smoothed labels, ring", "tuned", "ring8", "--recipe gan --stabilise label-smoothing:0.1 --rounds 1500"),
    Case("slow learner, gan, ring", "judged", "ring8", "--recipe gan --generator-lr 3e-4 --discriminator-lr 3e-4 "
         "--rounds 3000"),
    Case("two moves, ring", "tuned", "ring8", "--recipe gan --n-discriminator 2 --rounds 1200"),
    Case("acgan, digits", "judged", "digits", f"--recipe acgan {SMALL} --rounds 1000"),
    Case("acgan, digits, shorter", "tuned", "digits", f"--recipe acgan {SMALL} --rounds 700"),
    Case("slow learner, acgan, digits", "judged", "digits", f"--recipe acgan {SMALL} --lr 1e-4 "
         "--rounds 1500"),
    Case("cgan, digits, long", "tuned", "digits", f"--recipe cgan {SMALL} --rounds 2000"),
    Case("instance noise, acgan, digits", "judged", "digits", f"--recipe acgan {SMALL} --stabilise instance-noise:0.05 "
         "--rounds 800"),
    Case("acgan, fashion", "tuned", "fashion", f"--recipe acgan {SMALL} --rounds 800"),
    Case("infogan, digits", "judged", "digits", f"--recipe infogan {SMALL} --rounds 800"),
    Case("small batch, acgan, digits", "tuned", "digits", f"--recipe acgan {SMALL} --batch 32 --rounds 1000"),
    Case("dcgan, digits", "judged", "digits", f"--recipe dcgan {SMALL} --rounds 1000"),
    Case("lsgan, digits", "tuned", "digits", f"--recipe lsgan {SMALL} --rounds 1000"),
    Case("instance noise, digits", "judged", "digits", f"--recipe dcgan {SMALL} --stabilise instance-noise:0.1 "
         "--rounds 1000"),
    Case("slow learner, digits", "tuned", "digits", f"--recipe dcgan {SMALL} --generator-lr 5e-5 --discriminator-lr "
         "5e-5 --rounds 1000"),
    Case("gan, digits", "tuned", "digits", "--recipe gan --rounds 1500"),
)  # fmt: skip
"""Meant to do well."""

MADE = ("few", "labelled", "shuffled", "opaque", "fashion", "lego")
"""Data that are written beside the runs: 100 digits, without labels and with them; digits with shuffled labels; digits
in red, green, blue and an opacity that is constant; 4,000 of Fashion-MNIST, and LEGO bricks, from $ZEROSUM_DATA."""


def made(name: str, folder: Path) -> str | None:
    """Return where data lie: names as they are, others written beside the runs; None where they cannot be made."""
    if name not in MADE:
        return name
    path = folder / f"{name}.npz"
    if path.exists():
        return str(path)
    found = _arrays(name)
    if found is not None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, **found)  # type: ignore[arg-type]
    return None if found is None else str(path)


def _arrays(name: str) -> dict[str, np.ndarray] | None:
    generator = np.random.default_rng(0)
    if name in ("fashion", "lego"):
        root = Path(os.environ.get("ZEROSUM_DATA", "data")).expanduser()
        if name == "lego":
            place = root / "lego_bricks" / "lego_64_gray.npz"
            return {key: np.load(place)[key] for key in ("x_train", "y_train")} if place.exists() else None
        if not (root / "fashion_mnist").exists():
            return None
        whole = open_data(root / "fashion_mnist", options=DataConfig())
        rows = generator.permutation(len(whole))[:4_000]
        assert whole.labels is not None
        return {"x_train": np.take(np.asarray(whole.samples), rows, axis=0), "y_train": whole.labels[rows]}
    digits = open_data("digits", options=DataConfig())
    assert digits.labels is not None
    images, labels = np.asarray(digits.samples), digits.labels
    if name in ("few", "labelled"):
        return {"x_train": images[:100]} | ({"y_train": labels[:100]} if name == "labelled" else {})
    if name == "shuffled":
        return {"x_train": images, "y_train": generator.permutation(labels)}
    return {"x_train": np.concatenate([images, images, images, np.full_like(images, 255)], axis=-1)}
