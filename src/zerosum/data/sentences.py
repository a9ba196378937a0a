"""Sentences: their words, a vocabulary of them, and how they travel in a batch, as bytes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from zerosum.text import composed

LONGEST = 512
"""Bytes of a sentence in UTF-8 that are kept."""
MOST_WORDS = 10_000
"""Words of a vocabulary: the most frequent ones."""
UNSPACED = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
"""Characters of Chinese and Japanese, which are written without blanks: a word each."""
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['’][^\W_{UNSPACED}]+)*")


def words(sentence: str) -> list[str]:
    """Return the words of a sentence, without capitals and punctuation; of Chinese and Japanese, the characters.

    >>> words("There's a RED circle, left.")
    ["there's", 'a', 'red', 'circle', 'left']
    >>> words("红色的 T恤。")
    ['红', '色', '的', 't', '恤']
    """
    return WORD.findall(composed(sentence).casefold())


@dataclass(frozen=True, kw_only=True)
class WordReader:
    """Sentences to numbers of their words: words that are not in the vocabulary are left out."""

    vocabulary: tuple[str, ...]
    most: int
    """Words of a sentence that are read."""

    @cached_property
    def number(self) -> dict[str, int]:
        """Numbers of the words, from 1."""
        return {word: index for index, word in enumerate(self.vocabulary, start=1)}

    def unknown(self, sentence: str) -> list[str]:
        """Return the words of a sentence that are not in the vocabulary, each once."""
        return list(dict.fromkeys(word for word in words(sentence) if word not in self.number))

    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Return the numbers of the words of sentences: (N, L) int64, with zeros behind.

        >>> WordReader(vocabulary=("a", "red", "circle"), most=64)(["A red circle!", "a zebra"])
        tensor([[1, 2, 3],
                [1, 0, 0]])
        """
        rows = [[self.number[word] for word in words(one) if word in self.number][: self.most] for one in sentences]
        found = torch.zeros(len(rows), max(1, *map(len, rows)), dtype=torch.int64)
        for place, row in zip(found, rows, strict=True):
            place[: len(row)] = torch.tensor(row, dtype=torch.int64)
        return found


def vocabulary(sentences: Iterable[str], *, most: int = MOST_WORDS) -> tuple[str, ...]:
    """Return the words of sentences, the most frequent first and equally frequent ones in alphabetical order.

    >>> vocabulary(["a red circle", "a red square"], most=3)
    ('a', 'red', 'circle')
    """
    counts = Counter(word for sentence in sentences for word in words(sentence))
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:most])


def as_bytes(sentence: str) -> bytes:
    """Return a sentence in UTF-8, cut at 512 bytes, between two characters.

    >>> len(as_bytes("né")), len(as_bytes("a" + "é" * 300))
    (3, 511)
    """
    return sentence.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").encode()


def packed(sentences: Sequence[str], length: int) -> Tensor:
    """Return sentences as (N, length) uint8: their bytes, and zeros behind."""
    rows = np.zeros((len(sentences), length), dtype=np.uint8)
    for row, sentence in zip(rows, sentences, strict=True):
        content = np.frombuffer(as_bytes(sentence), dtype=np.uint8)[:length]
        row[: len(content)] = content
    return torch.from_numpy(rows)


def unpacked(rows: Tensor) -> list[str]:
    """Return the sentences of (N, L) uint8 rows.

    >>> unpacked(packed(["a circle", "né"], 12))
    ['a circle', 'né']
    """
    return [bytes(row).rstrip(b"\0").decode("utf-8", "ignore") for row in rows.cpu().numpy()]
