"""Lines that training loops print, "Epoch 12 [D loss: 0.53, acc.: 75%] [G loss: 1.62]", read as rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from zerosum.doctor.columns import PLAYERS

NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf)\b"
NAME = r"[A-Za-z_][\w./]{0,60}(?:\([\w()]{0,20}\))?(?: (?:loss|accuracy|acc|real|fake)\b\.?)?"
PAIR = re.compile(rf"({NAME})\s*[:=]\s*\(?({NUMBER})\s*(%)?\)?({NUMBER})?", re.IGNORECASE)
SIDES = re.compile(rf"\s*,?\s*\((?:R:? ?)?({NUMBER})(%)?, (?:F:? ?)?({NUMBER})(%)?\)", re.IGNORECASE)
"""Of the real and of the generated samples apart, after both: "D loss: (0.25)(R 0.12, F 0.38)"."""

EPOCH = re.compile(r"\bepoch\b[\s:=#\[(]{0,4}(\d{1,9})(?:\s*/\s*\d+)?|^\s*\[(\d{1,9})/\d+\]", re.IGNORECASE)
BATCH = re.compile(
    r"\b(?:batch|step|iter(?:ation)?)\b[\s:=#\[(]{0,4}(\d{1,9})(?:\s*/\s*(\d{1,9}))?"
    r"|^\s*\[\d+/\d+\]\s*\[(\d{1,9})/(\d{1,9})\]|^\s*(\d{1,9})/(\d{1,9}) +\[",
    re.IGNORECASE,
)
LEADING = re.compile(r"^\s*(\d{1,9})\s*[:\[]")
COUNTERS = {"epoch", "epochs", "batch", "step", "iter", "iteration", "round", "eta", "time", "lr"}


def rows(lines: Iterable[str]) -> Iterator[dict[str, float]]:
    """Yield what is measured in each line that holds measurements, with its "epoch" and "step" where they are printed.

    "step" counts on over epochs where the line says how many steps an epoch has.

    >>> list(rows(["Epoch 12 [D loss: 0.53, acc.: 75%] [G loss: 1.62]"]))
    [{'epoch': 12.0, 'D loss': 0.53, 'D acc': 0.75, 'G loss': 1.62}]
    >>> list(rows(["[1/25][100/782] Loss_D: 0.6 D(x): 0.7 D(G(z)): 0.2 / 0.1"]))
    [{'epoch': 1.0, 'step': 882.0, 'Loss_D': 0.6, 'D(x)': 0.7, 'D(G(z))': 0.2}]
    """
    epoch: float | None = None
    for line in lines:
        text = line.strip()
        if (found := EPOCH.search(text)) is not None:
            epoch = float(found[1] or found[2])
        if measured := _measured(text):
            yield _counters(text, epoch) | measured


def _measured(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    player = ""
    for match in PAIR.finditer(text):
        name = match[1].rstrip(".")
        if name.lower() in COUNTERS:
            continue
        first = re.split(r"[ _/.]", name)[0]
        if first.lower() in PLAYERS:
            player = first
        elif name.lower() in ("acc", "accuracy") and player:  # of whom the loss before it is
            name = f"{player} acc"
        found.setdefault(name, _number(match[2], match[3]))
        if (sides := SIDES.match(text, match.end())) is not None:
            found.setdefault(f"{name} real", _number(sides[1], sides[2]))
            found.setdefault(f"{name} fake", _number(sides[3], sides[4]))
    return found


def _number(text: str, percent: str | None) -> float:
    return float(text) / (100 if percent else 1)


def _counters(text: str, epoch: float | None) -> dict[str, float]:
    found = {} if epoch is None else {"epoch": epoch}
    if (match := BATCH.search(text)) is not None:
        step, of = next((a, b) for a, b in ((match[1], match[2]), (match[3], match[4]), (match[5], match[6])) if a)
        found["step"] = float(step) + (float(of) * epoch if of and epoch is not None else 0)
    elif epoch is None and (match := LEADING.match(text)) is not None:
        found["index"] = float(match[1])  # of a step or of an epoch: the line does not say
    return found
