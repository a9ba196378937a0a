"""The rank of the right caption of an image among 100, by encoders of images and of sentences.

Source: R-precision of Xu et al. 2018, section 4 (https://arxiv.org/abs/1711.10485): the share of images whose right
caption is the first of 100 by the cosine of their vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

CANDIDATES = 100
"""Captions that are ranked, the right one among them."""
CHUNK = 500


def caption_ranks(images: Tensor, sentences: Tensor, texts: Sequence[str], *, seed: int) -> Tensor:
    """Return the rank of each image's caption among 100, from 1; of captions equally near, the middle one: (N,).

    The others are drawn without repetition from the captions of other images whose text is another; where there are
    fewer than 99, all are taken.

    Args:
        images: (N, E), vectors of images.
        sentences: (N, E), vectors of their captions.
        texts: the N captions.
        seed: of the draw.

    >>> vectors = torch.eye(4)
    >>> caption_ranks(vectors, vectors, "abcd", seed=0).tolist()
    [1.0, 1.0, 1.0, 1.0]
    >>> caption_ranks(torch.zeros(3, 2), torch.ones(3, 2), "abc", seed=0).tolist()
    [2.0, 2.0, 2.0]
    """
    number = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    which = torch.tensor([number[text] for text in texts])
    a, b = normalize(images.float(), dim=1), normalize(sentences.float(), dim=1)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for start in range(0, len(a), CHUNK):
        rows = slice(start, start + CHUNK)
        near = a[rows] @ b.T
        own = near.gather(1, torch.arange(len(a))[rows, None])
        chance = torch.rand(near.shape, generator=generator).masked_fill_(which[rows, None] == which[None], -1)
        chance, taken = chance.topk(min(CANDIDATES - 1, len(a)), dim=1)
        others = near.gather(1, taken).masked_fill_(chance < 0, -torch.inf)
        found.append(1 + (others > own).sum(1) + (others == own).sum(1) / 2)
    return torch.cat(found).double()
