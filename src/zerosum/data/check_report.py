"""The report on a data set: plain values, and their rendering as text."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.text import counted, listed, shown


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What a data set holds. Plain values throughout, so that it can be written as JSON."""

    source: str
    kind: str
    """"files", "array" or "points"."""

    samples: int
    """Samples that can be used."""

    corrupt: dict[str, str]
    """Why a file cannot be used, by its name."""

    sizes: dict[str, int]
    """How many images have a size, "HxW", the most common first; all but the ten most common are "others"."""

    modes: dict[str, int]
    """How many images have which channels, by Pillow's name: L, RGB, RGBA, P, CMYK, ..."""

    bits: dict[str, int]
    """How many images store a channel in how many bits."""

    classes: dict[str, int]
    """Samples of each class; empty for data without labels."""

    duplicates: tuple[tuple[str, ...], ...]
    """Groups of images that are the same pixel for pixel."""

    shape: tuple[int, ...] | None
    """Shape of a sample in training, (C, H, W) or (2,); None where nothing can be used."""

    recommended_size: str | None
    """The `--size` that fits the data best; None where there is no choice."""

    notes: tuple[str, ...]
    """What training would do to the data, one sentence each."""

    warnings: tuple[str, ...]
    """What may go wrong, one sentence each."""

    captions: tuple[str, ...] = ()
    """A few captions, where there are any, each behind the name of its image."""


def describe(report: CheckReport) -> list[str]:
    """Render a report as lines of plain text."""
    lines = [f"{report.source}: {counted(report.samples, 'usable sample')}"]
    for title, counts in (
        ("Sizes (height x width)", report.sizes),
        ("Channels", report.modes),
        ("Bits a channel", report.bits),
        (f"Classes ({len(report.classes)})", report.classes),
    ):
        if counts:
            named = [f"{name}: {number:,}" for name, number in counts.items()]
            lines.append(f"  {title}: {listed(named, most=12)}")
    if report.shape is not None:
        size = "" if report.recommended_size is None else f"; recommended: --size {report.recommended_size}"
        lines.append(f"  Shape in training: {' x '.join(str(length) for length in report.shape)}{size}")
    for title, sentences in (
        ("What training would do", report.notes),
        ("Captions, the first few", report.captions),
        ("Warnings", report.warnings),
        ("Corrupt files", [f"{name} {why}" for name, why in report.corrupt.items()]),
        ("Duplicates", [listed(group, most=12, separator=" = ") for group in report.duplicates]),
    ):
        if sentences:
            lines += ["", f"{title}:", *(f"  {sentence}" for sentence in sentences[:20])]
            lines += [f"  and {len(sentences) - 20:,} more"] if len(sentences) > 20 else []
    return [shown(line) for line in lines]
