"""What signs are read from: the history of a run, and what is known about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zerosum.run.history import History

REAL, FAKE = "real_accuracy", "fake_accuracy"
NO_NUMBERS = ("nan", "NaN", "inf", "-inf", "Infinity", "-Infinity")
"""How logs spell numbers that are not finite; an empty value is none that was measured."""

JUDGED = ("accuracy", "real", "fake")
"""Terms of a discriminator: its accuracy on all samples, and its mean logits."""

DISCRIMINATORS = ("discriminator", "critic")
"""How the names of players begin who tell real samples from generated ones."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about a run beside its history; all of it may be missing, as of a foreign log."""

    recipe: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the recipe by name."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Settings of training by name."""
    objective: str | None = None
    """The recipe's `objective`: logistic, least-squares, hinge, wasserstein, relativistic, or None."""
    flags: frozenset[str] = frozenset()
    """Settings that the recipe and training have, by name: a remedy names no other."""
    images: int | None = None
    """Training samples."""
    shape: tuple[int, ...] = ()
    rounds: int | None = None
    """Rounds that the run is to have."""
    batch_norm: bool | None = None
    """Whether a network has batch norm; None where nobody knows."""
    notes: Sequence[str] = ()
    """What was said of the data when they were opened."""
    epochs: bool | None = None
    """Whether a round of the history is an epoch, as in many foreign logs; None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything a sign may look at."""

    history: History
    facts: Facts = Facts()
    samples: np.ndarray | None = None
    """(N, *shape) uint8 samples, where a folder of images is examined."""
    real: np.ndarray | None = None
    """(M, *shape) uint8 real samples to compare them with."""

    @property
    def last_round(self) -> int:
        """The last round that was measured; 0 where none was."""
        return int(self.history[-1]["round"]) if len(self.history) else 0

    @property
    def columns(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Rounds (T,) and finite values (T,) of all that was measured, by name, as float64."""
        return self._read[0]

    @property
    def not_finite(self) -> list[tuple[int, str, float]]:
        """Round, name and value of each measurement that is no finite number, in the order of the rounds."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], list[tuple[int, str, float]]]:
        finite: dict[str, tuple[list[float], list[float]]] = {}
        others: list[tuple[int, str, float]] = []
        for row in self.history:
            round_ = row["round"]
            for key, value in row.items():
                if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                    rounds, values = finite.setdefault(key, ([], []))
                    rounds.append(round_)
                    values.append(value)
                elif isinstance(value, float) or value in NO_NUMBERS:
                    others.append((int(round_), key, float(value)))
        return {key: (np.asarray(r, np.float64), np.asarray(v, np.float64)) for key, (r, v) in finite.items()}, others

    def players(self, term: str) -> list[str]:
        """Return the players of whom a term was logged, as "discriminator" of "discriminator/real_accuracy"."""
        return [key.rpartition("/")[0] for key in self.columns if key.rpartition("/")[2] == term]

    @property
    def discriminators(self) -> list[str]:
        """Players whose accuracies on real and generated samples were logged, or who judge and are called so."""
        told = [player for player in self.players("loss") if player.lower().startswith(DISCRIMINATORS)]
        names = (key.rpartition("/") for key in self.columns)  # a log may have an accuracy or logits alone
        told += [name for name, _, term in names if term in JUDGED and name.lower().startswith(DISCRIMINATORS)]
        return list(dict.fromkeys([player for player in self.players(REAL) if player in self.players(FAKE)] + told))

    @property
    def generators(self) -> list[str]:
        """Players with a loss who are no discriminators."""
        return [player for player in self.players("loss") if player not in self.discriminators]

    def series(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the rounds (T,) and the finite values (T,) of one measurement; empty where there is none."""
        return self.columns.get(key, (np.empty(0), np.empty(0)))
