"""Encoders of sentences and of images into one space, where an image is near what is said of it.

Source: the contrastive loss of Radford et al. 2021, figure 3 (https://arxiv.org/abs/2103.00020), in place of the
structured loss of Reed et al. 2016 (https://arxiv.org/abs/1605.05396), whose char-CNN-RNN StackGAN takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.data.sentences import WordReader
from zerosum.layers.conv import Conv2d

MOST_TOKENS = 64
"""Words of a sentence that are read."""
WARMEST = math.log(100)
"""Bound of the logarithm of the scale of cosines (Radford et al. 2021, section 2.5)."""


class SentenceEncoder(nn.Module):
    """Words of sentences to vectors: a vector a word, mixed with its neighbours, and their mean, of norm sqrt(E).

    Words that are not in the vocabulary are left out.

    Args:
        vocabulary: the words that are known.
        width: values of a word's vector.
        embedding: E.
    """

    def __init__(self, vocabulary: Sequence[str], width: int, embedding: int) -> None:
        super().__init__()
        self.reader = WordReader(vocabulary=tuple(vocabulary), most=MOST_TOKENS)
        self.embedding = embedding
        self.word = nn.Embedding(len(vocabulary) + 1, width, padding_idx=0)
        self.mix = nn.Conv1d(width, width, 3, padding=1)
        self.out = nn.Linear(2 * width, embedding)

    def unknown(self, sentence: str) -> list[str]:
        """Return the words of a sentence that are not in the vocabulary, each once."""
        return self.reader.unknown(sentence)

    def tokens(self, sentences: Sequence[str]) -> Tensor:
        """Return the numbers of the words of sentences: (N, T) int64, with zeros behind."""
        return self.reader(sentences).to(self.word.weight.device)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (N, T) to (N, E)."""
        there = (tokens > 0).unsqueeze(2)
        word = self.word(tokens)
        mixed = functional.relu(self.mix(word.transpose(1, 2)).transpose(1, 2))
        both = torch.cat([word, mixed.to(word)], dim=2) * there
        return of_norm(self.out(both.sum(1) / there.sum(1).clamp(min=1)))


class ImageEncoder(nn.Module):
    """Images to vectors of norm sqrt(E): 4x4 convolutions of stride 2 with batch norm, then a dense layer.

    Args:
        shape: (C, H, W) of an image.
        width: channels of the first layer; each next one has twice as many, at most 4 times this.
        embedding: E.
    """

    def __init__(self, shape: tuple[int, ...], width: int, embedding: int) -> None:
        super().__init__()
        channels, height, breadth = shape
        layers: list[nn.Module] = []
        wide = width
        while min(height, breadth) > 4:
            height, breadth = height // 2, breadth // 2
            layers += [Conv2d(channels, wide, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels, wide = wide, min(2 * wide, 4 * width)
        self.maps = nn.Sequential(*layers)
        self.out = nn.Linear(channels * height * breadth, embedding)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) in [-1, 1] to (N, E)."""
        return of_norm(self.out(self.maps(image).flatten(1)))


class Matching(nn.Module):
    """An encoder of sentences and one of images that are trained together, and the scale of their cosines.

    Args:
        sentence: maps tokens to (N, E).
        image: maps images to (N, E).
    """

    def __init__(self, sentence: SentenceEncoder, image: ImageEncoder) -> None:
        super().__init__()
        self.sentence, self.image = sentence, image
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, image: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of which sentence belongs to which image: (N, N), images in rows."""
        a, b = self.image(image).float(), self.sentence(tokens).float()
        scale = self.log_scale.clamp(max=WARMEST).exp()
        return scale * (a @ b.T) / self.sentence.embedding


def of_norm(vectors: Tensor) -> Tensor:
    """Scale (N, E) to the norm sqrt(E), so that a value is about 1, as batch norm leaves it."""
    return functional.normalize(vectors.float(), dim=1) * math.sqrt(vectors.shape[1])


def contrastive_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Find the sentence of each image among those of the batch, and the image of each sentence: ().

    Of the other pairs, those with the same sentence are no wrong answers and are left out.

    Args:
        logits: (N, N), the right pairs on the diagonal.
        tokens: (N, T), the sentences.

    >>> round(contrastive_loss(torch.zeros(4, 4), torch.arange(4)[:, None]).item(), 6)
    1.386294
    """
    same = (tokens[:, None] == tokens[None]).all(2)
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same, -torch.inf)
    right = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2
