"""The page that stands beside generated images: how many of which class, and what they gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zerosum.report.render import render


def augment_page(
    out: Path,
    *,
    data: str,
    run: Path,
    classes: Mapping[str, Mapping[str, Any]],
    accuracies: Mapping[str, str],
    gain: Sequence[str],
) -> str:
    """Render the page.

    Args:
        out: the folder of the images.
        data: whose classes were balanced.
        run: what generated the images.
        classes: of each class, how many images are real and generated, and the seed.
        accuracies: of the classifiers, by what they learned from.
        gain: what was measured, a sentence each.
    """
    return render("augment.html", out=out, data=data, run=run, classes=classes, accuracies=accuracies, gain=list(gain))
