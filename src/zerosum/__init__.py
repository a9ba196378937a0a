"""zerosum: generative adversarial networks on your own data, trained, diagnosed and measured.

>>> import zerosum
>>> sorted(name for name in zerosum.__all__ if name[0].islower())
['compare', 'diagnose', 'evaluate', 'export', 'load', 'plot', 'resume', 'train', 'tune']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zerosum.api import compare, diagnose, evaluate, export, load, resume, train, tune
    from zerosum.game import Game
    from zerosum.loss import Loss
    from zerosum.player import Player
    from zerosum.recipe import Phase, Recipe
    from zerosum.report.plot import plot

__version__ = "0.1.0"
__all__ = [
    "Game",
    "Loss",
    "Phase",
    "Player",
    "Recipe",
    "compare",
    "diagnose",
    "evaluate",
    "export",
    "load",
    "plot",
    "resume",
    "train",
    "tune",
]

_HOMES = {
    "train": "zerosum.api",
    "tune": "zerosum.api",
    "resume": "zerosum.api",
    "load": "zerosum.api",
    "evaluate": "zerosum.api",
    "compare": "zerosum.api",
    "diagnose": "zerosum.api",
    "export": "zerosum.api",
    "plot": "zerosum.report.plot",
    "Recipe": "zerosum.recipe",
    "Loss": "zerosum.loss",
    "Phase": "zerosum.recipe",
    "Player": "zerosum.player",
    "Game": "zerosum.game",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `zerosum --help` need not wait for torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zerosum' has no attribute {name!r}")
