"""The graph of a recipe that paints: words of sentences and noise to images."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from zerosum.data.sentences import WORD
from zerosum.exporting.inputs import Function, Graph, Input
from zerosum.recipe import Recipe
from zerosum.tasks import painter

LONGEST = 12
"""Words of the sentences that parity is measured with."""


def painting(recipe: Recipe) -> tuple[Graph, ...]:
    """Return the map from words and noise to images; the words of sentences are numbered outside of it.

    Raises:
        InputError: the recipe has no such function.
    """
    found = painter(recipe).text_function()
    words = Input(
        name="words",
        shape=(found.reader.most,),
        draw=partial(_sentences, known=len(found.reader.vocabulary), most=found.reader.most),
        free_length=True,
        integer=True,
        meaning="Numbers of the words of a sentence, from 1 in the order of the vocabulary; zeros behind.",
    )
    noise = (
        Input(name=name, shape=(width,), draw=partial(_normal, width=width), meaning="Draws from N(0, 1).")
        for name, width in found.noise.items()
    )
    inputs = (words, *noise)
    return (Graph(name="", module=Function(recipe, found.function), inputs=inputs, output="image", free_size=False),)


def text_rules(recipe: Recipe) -> dict[str, Any]:
    """Return how a sentence becomes words and what noise is drawn beside them, as a file says it: plain values.

    Raises:
        InputError: the recipe has no function of words and noise.
    """
    found = painter(recipe).text_function()
    return {
        "vocabulary": list(found.reader.vocabulary),
        "most": found.reader.most,
        "form": "NFC",
        "case": "Unicode's case folding",
        "word": WORD.pattern,
        "unknown": "left out",
        "noise": [[name, width] for name, width in found.noise.items()],
    }


def _sentences(n: int, *, known: int, most: int) -> Tensor:
    """Draw sentences of 1 to 12 random words, shorter ones with zeros behind: (n, L) int64."""
    lengths = torch.randint(1, min(LONGEST, most) + 1, (n, 1))
    length = max(2, int(lengths.max()))
    return torch.randint(1, known + 1, (n, length)) * (torch.arange(length) < lengths)


def _normal(n: int, *, width: int) -> Tensor:
    return torch.randn(n, width)
