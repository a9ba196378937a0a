"""Stand-ins for a reader's own data, drawn by rule: landscapes for photographs, and animals without and with stripes.

python -m pages.stand_ins photos 600            a folder of 600 landscapes
python -m pages.stand_ins horse2zebra 300       trainA, trainB, testA, testB
python -m pages.stand_ins hours 600             train and test of four classes, one of them small
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

Colour = tuple[int, int, int]
FINE = 4
"""Pictures are drawn so many times as large, and then reduced: soft edges."""

HOURS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((255, 176, 122), (252, 226, 178), (255, 240, 190)),
    ((92, 164, 230), (205, 232, 248), (255, 250, 215)),
    ((70, 60, 120), (240, 130, 96), (255, 196, 120)),
    ((12, 18, 52), (52, 62, 112), (236, 238, 246)),
)
"""Of morning, noon, evening and night: the sky's top and foot, and the sun or moon."""

GROUNDS: tuple[Colour, ...] = ((86, 140, 70), (178, 158, 92), (120, 152, 130), (150, 110, 88))


def landscape(random: np.random.Generator, width: int, height: int, hour: int | None = None) -> Image.Image:
    """Draw a sky, a sun or moon, two or three ranges of hills, and trees or a house; `hour` is a place in HOURS."""
    w, h = width * FINE, height * FINE
    top, foot, sun = HOURS[random.integers(len(HOURS)) if hour is None else hour]
    share = np.linspace(0, 1, h)[:, None]
    sky = np.array(top) * (1 - share) + np.array(foot) * share
    picture = Image.fromarray(np.broadcast_to(sky[:, None], (h, w, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    x, y, radius = random.uniform(0.1, 0.9) * w, random.uniform(0.1, 0.4) * h, random.uniform(0.05, 0.09) * h
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=sun)
    ground, dark = np.array(GROUNDS[random.integers(len(GROUNDS))]), 0.45 if sum(top) < 100 else 1.0
    ranges = int(random.integers(2, 4))
    for near in range(ranges):
        level = (0.5 + 0.4 * near / ranges) * h
        waves = [(random.uniform(0.02, 0.08) * h, random.uniform(0.5, 2.5), random.uniform(0, 6.3)) for _ in range(2)]
        ridge = [
            (x, level + sum(a * math.sin(6.3 * f * x / w + p) for a, f, p in waves)) for x in range(0, w + FINE, FINE)
        ]
        haze = 0.55 - 0.5 * near / ranges
        draw.polygon([(0, h), *ridge, (w, h)], fill=_mixed(ground * dark, np.array(foot), haze))
    _foreground(draw, random, w, h, dark)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _foreground(draw: ImageDraw.ImageDraw, random: np.random.Generator, w: int, h: int, dark: float) -> None:
    for _ in range(int(random.integers(1, 5))):
        x, y, size = random.uniform(0.05, 0.95) * w, random.uniform(0.8, 0.97) * h, random.uniform(0.1, 0.2) * h
        draw.rectangle((x - size / 12, y - size / 4, x + size / 12, y), fill=_mixed(np.array((92, 62, 40)) * dark))
        crown = [(x - size / 3, y - size / 4), (x, y - size), (x + size / 3, y - size / 4)]
        draw.polygon(crown, fill=_mixed(np.array((34, 92, 52)) * dark))
    if random.random() < 0.5:
        x, y, size = random.uniform(0.2, 0.8) * w, random.uniform(0.82, 0.95) * h, random.uniform(0.12, 0.18) * h
        draw.rectangle((x - size / 2, y - size / 2, x + size / 2, y), fill=_mixed(np.array((236, 226, 208)) * dark))
        roof = [(x - size * 0.62, y - size / 2), (x, y - size), (x + size * 0.62, y - size / 2)]
        draw.polygon(roof, fill=_mixed(np.array((178, 62, 48)) * dark))
        lit = (255, 220, 120) if dark < 1 else (84, 104, 132)
        draw.rectangle((x - size / 8, y - size / 3, x + size / 8, y - size / 8), fill=lit)


def animal(random: np.random.Generator, size: int, *, striped: bool) -> Image.Image:
    """Draw an animal on four legs in a meadow, with stripes or without; it looks to the left or to the right."""
    s = size * FINE
    picture = Image.new("RGB", (s, s), _mixed(np.array((110, 160, 84)) + random.integers(-18, 18, 3)))
    draw = ImageDraw.Draw(picture)
    draw.rectangle(
        (0, 0, s, random.uniform(0.2, 0.35) * s), fill=_mixed(np.array((150, 196, 228)) + random.integers(-15, 15, 3))
    )
    coat = _mixed(np.array((150, 92, 48)) + random.integers(-35, 35, 3)) if not striped else (240, 238, 232)
    mask = Image.new("L", (s, s), 0)
    body = ImageDraw.Draw(mask)
    x, y, length = random.uniform(0.42, 0.5) * s, random.uniform(0.5, 0.58) * s, random.uniform(0.2, 0.25) * s
    body.ellipse((x - length, y - length * 0.5, x + length, y + length * 0.5), fill=255)
    for leg in (-0.75, -0.5, 0.5, 0.75):
        left, swing = x + leg * length, random.uniform(-0.12, 0.12) * length
        foot = y + length * 1.35
        body.polygon([(left - 0.1 * length, y), (left + 0.1 * length, y), (left + swing + 0.08 * length, foot),
                      (left + swing - 0.08 * length, foot)], fill=255)  # fmt: skip
    neck = (x + length * 1.25, y - length * random.uniform(0.8, 1.1))
    body.line([(x + length * 0.75, y - length * 0.1), neck], fill=255, width=int(length * 0.42))
    body.ellipse(
        (neck[0] - length * 0.22, neck[1] - length * 0.24, neck[0] + length * 0.5, neck[1] + length * 0.2), fill=255
    )
    hide = Image.new("RGB", (s, s), coat)
    if striped:
        lines, tilt, step = ImageDraw.Draw(hide), random.uniform(-0.15, 0.15) * s, s * random.uniform(0.055, 0.07)
        for place in range(-4, 28):
            lines.line([(place * step, 0), (place * step + tilt, s)], fill=(26, 24, 28), width=int(step * 0.45))
    picture.paste(hide, mask=mask)
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _mixed(colour: np.ndarray, other: np.ndarray | None = None, share: float = 0.0) -> Colour:
    mixed = colour if other is None else colour * (1 - share) + other * share
    red, green, blue = (int(value) for value in np.clip(mixed, 0, 255))
    return red, green, blue


def photos(folder: Path, count: int, *, seed: int = 0, size: tuple[int, int] = (96, 72)) -> None:
    """Write landscapes as PNG files of `size` (width, height)."""
    _write(folder, count, lambda random: landscape(random, *size), seed)


def horse2zebra(folder: Path, count: int, *, seed: int = 0, size: int = 64) -> None:
    """Write two domains without pairs, each with a few images to test on."""
    for number, (part, share) in enumerate((("trainA", 1.0), ("trainB", 1.0), ("testA", 0.05), ("testB", 0.05))):
        striped = part.endswith("B")

        def draw(random: np.random.Generator, striped: bool = striped) -> Image.Image:
            return animal(random, size, striped=striped)

        _write(folder / part, max(4, int(count * share)), draw, seed + 1000 * number)


def hours(folder: Path, count: int, *, seed: int = 0, size: int = 48, splits: bool = True) -> None:
    """Write landscapes in a folder for each hour, in `train` and `test`; of nights `train` has few."""
    names = ("morning", "noon", "evening", "night")
    for number, name in enumerate(names):

        def draw(random: np.random.Generator, hour: int = number) -> Image.Image:
            return landscape(random, size, size, hour)

        share = count // len(names)
        if splits:
            few = share if name != "night" else max(4, share // 12)
            _write(folder / "train" / name, few, draw, seed + 10 * number)
            _write(folder / "test" / name, share, draw, seed + 10 * number + 1)
        else:
            _write(folder / name, share, draw, seed + 10 * number)


def digits(folder: Path, count: int, *, plain: bool, seed: int = 0, size: int = 32, labelled: bool = True) -> None:
    """Write scikit-learn's digits white on black (`plain`), or laid over a part of a landscape as its negative."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))[:count]
    for number, place in enumerate(order):
        random = np.random.default_rng((seed, number))
        stroke = Image.fromarray((images[place].reshape(8, 8) * 15.9).astype(np.uint8))
        light = np.asarray(stroke.resize((size, size), Image.Resampling.BICUBIC))[..., None]
        ground = np.zeros((size, size, 3)) if plain else np.asarray(landscape(random, size, size), dtype=float)
        made = Image.fromarray(np.abs(ground - light).astype(np.uint8))
        into = folder / str(labels[place]) if labelled else folder
        into.mkdir(parents=True, exist_ok=True)
        made.save(into / f"{number:04d}.png")


def hole(path: Path, *, size: tuple[int, int] = (96, 72)) -> None:
    """Write a mask of one scratch and one spot, white where something is missing."""
    width, height = size
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    draw.line([(width * 0.1, height * 0.2), (width * 0.6, height * 0.75)], fill=255, width=max(2, height // 20))
    draw.ellipse((width * 0.62, height * 0.3, width * 0.82, height * 0.56), fill=255)
    mask.save(path)


def _write(folder: Path, count: int, draw: Callable[[np.random.Generator], Image.Image], seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        draw(np.random.default_rng((seed, index))).save(folder / f"{index:04d}.png")


MADE: dict[str, Callable[[Path, int], None]] = {"photos": photos, "horse2zebra": horse2zebra, "hours": hours}

if __name__ == "__main__":
    what, many = sys.argv[1], int(sys.argv[2])
    MADE[what](Path(what), many)
