"""Pictures of waves, and WAV files."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from zerosum.errors import InputError
from zerosum.layers.mel import FLOOR, log_mel
from zerosum.media.image_grid import INK, PAPER
from zerosum.runtime.atomic_files import replacing

PANEL, WAVE, SPECTRUM = 256, 56, 112
"""Width of a panel, and heights of its wave and of its spectrogram, in pixels."""
BACKGROUND, STROKE = (246, 247, 249), (32, 92, 160)
COLOURS = ((8, 9, 20), (58, 16, 94), (140, 34, 106), (214, 72, 66), (250, 152, 50), (252, 236, 160))
"""From silence to full scale, evenly spaced."""
PAUSE = 0.25
"""Seconds of silence between sounds that are played one after another."""


def panels(waves: Tensor, rate: int, *, gap: int = 10) -> Image.Image:
    """Draw waves (N, 1, L) in [-1, 1]: each as its curve, and below it as its log-mel spectrogram.

    Raises:
        InputError: no waves, or values that are not finite.
    """
    if waves.ndim != 3 or 0 in waves.shape:
        raise InputError(f"Pictures were asked for from shape {tuple(waves.shape)}; give waves as (N, 1, L).")
    if not waves.isfinite().all():
        raise InputError("The waves hold values that are not finite numbers, so they cannot be shown.")
    flat = waves.detach().float().cpu().mean(1)
    columns = math.ceil(math.sqrt(len(flat) / 1.5))
    rows = math.ceil(len(flat) / columns)
    width, height = PANEL + gap, WAVE + SPECTRUM + gap
    sheet = Image.new("RGB", (columns * width + gap, rows * height + gap), PAPER)
    spectra = torch.cat([log_mel(part, rate) for part in flat.split(64)])
    for position, (wave, spectrum) in enumerate(zip(flat.numpy(), spectra.numpy(), strict=True)):
        row, column = divmod(position, columns)
        place = (gap + column * width, gap + row * height)
        sheet.paste(_curve(wave), place)
        sheet.paste(_spectrogram(spectrum), (place[0], place[1] + WAVE))
    return sheet


def _curve(wave: np.ndarray) -> Image.Image:
    """Draw (L,) as a line from the lowest to the highest value of each column of pixels."""
    scale = 3
    sheet = Image.new("RGB", (PANEL, WAVE * scale), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    middle = WAVE * scale / 2
    pen.line([(0, middle), (PANEL, middle)], fill=(214, 218, 224), width=1)
    edges = np.linspace(0, len(wave), PANEL + 1).astype(int)
    for x, (start, stop) in enumerate(pairwise(edges)):
        part = np.clip(wave[start : max(stop, start + 1)], -1, 1)
        top, bottom = middle * (1 - 0.95 * part.max()), middle * (1 - 0.95 * part.min())
        pen.line([(x, top), (x, max(bottom, top + 2))], fill=STROKE)
    return sheet.resize((PANEL, WAVE), Image.Resampling.LANCZOS)


def _spectrogram(decibels: np.ndarray) -> Image.Image:
    """Draw (bands, T) decibels, high bands on top."""
    level = np.clip(decibels[::-1] / -FLOOR + 1, 0, 1) * (len(COLOURS) - 1)
    stops = np.arange(len(COLOURS))
    channels = [np.interp(level, stops, [colour[c] for colour in COLOURS]) for c in range(3)]
    picture = Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))
    return picture.resize((PANEL, SPECTRUM), Image.Resampling.BILINEAR)


def sheet_with_titles(pictures: Sequence[Image.Image], titles: Sequence[str]) -> Image.Image:
    """Lay pictures out below each other, each under its title."""
    line = 18
    width, height = max(picture.width for picture in pictures), sum(picture.height + line for picture in pictures)
    sheet, top = Image.new("RGB", (width, height), PAPER), 0
    for picture, title in zip(pictures, titles, strict=True):
        ImageDraw.Draw(sheet).text((10, top + 4), title, fill=INK)
        sheet.paste(picture, (0, top + line))
        top += picture.height + line
    return sheet


def one_after_another(waves: Tensor, rate: int) -> np.ndarray:
    """Join waves (N, 1, L) in [-1, 1] with a quarter of a second of silence between: (L',) float32.

    >>> len(one_after_another(torch.zeros(2, 1, 100), 400))
    300
    """
    pause = np.zeros(round(PAUSE * rate), np.float32)
    parts = [part for wave in waves.detach().float().cpu().mean(1).numpy() for part in (wave, pause)]
    return np.concatenate(parts[:-1])


def write_wav(wave: np.ndarray, rate: int, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write (L,) in [-1, 1] as a WAV of 16 bits, whole or not at all; metadata go into its comment.

    Raises:
        InputError: values that are not finite.
        StorageError: the disk refuses.
    """
    if not np.isfinite(wave).all():
        raise InputError("The waves hold values that are not finite numbers, so they cannot be written.")
    data = np.rint(np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes()
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = io.BytesIO()
    body.write(b"WAVE" + form + _comment(metadata or {}) + b"data" + struct.pack("<I", len(data)) + data)
    content = body.getvalue()
    with replacing(path) as partial:
        partial.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)


def _comment(metadata: Mapping[str, str]) -> bytes:
    if not metadata:
        return b""
    text = "; ".join(f"{name}: {value}" for name, value in metadata.items()).encode("utf-8", "replace") + b"\0"
    padded = text + b"\0" * (len(text) % 2)
    inner = b"INFOICMT" + struct.pack("<I", len(padded)) + padded
    return b"LIST" + struct.pack("<I", len(inner)) + inner
