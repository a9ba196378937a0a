"""Changing the class of an image and keeping what else it shows: the task, and the base class of its recipes.

Source: Antipov et al. 2017, sections 2.2 and 2.3 (https://arxiv.org/abs/1702.01983).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.optim.box import minimise
from zerosum.tasks.base import Task
from zerosum.tasks.conditions import class_number
from zerosum.tasks.generate import ConditionalRecipe

AGE = Task(
    name="age",
    method="sample",
    does="changes the age of faces, or another ordered class of images",
    invitation="Age an image",
    command="zerosum age {run} IMAGE --to all",
    python="model.age(faces, of=0, to=5)    # (N, C, H, W) in [-1, 1], from as many of the same range",
    given="nothing",
    paired=False,
)

Embedding = Callable[[Tensor], Tensor]
"""Maps images (N, C, H, W) in [-1, 1] to what identity is compared by, (N, ...), with a gradient."""

BOUND = 3.0
"""Values of latents stay within this bound on both sides while they are fitted."""


class AgeingRecipe(ConditionalRecipe):
    """A conditional recipe that finds the latents of images, and generates from them for another class."""

    task = AGE

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Estimate the latents (N, Z) of images (N, C, H, W) in [-1, 1]."""

    def age(
        self,
        images: Tensor,
        *,
        of: str | int | Tensor,
        to: str | int | Tensor,
        embedding: Embedding | None = None,
        iterations: int = 50,
    ) -> Tensor:
        """Generate images in another class that keep what else they show.

        Args:
            images: (N, C, H, W) in [-1, 1].
            of: their class, by its name or number from 0, or (N,) int64.
            to: the class of the results, as `of`.
            embedding: what is kept; the pixels where not given.
            iterations: of the optimisation, at most; 0 takes the encoder's latents as they are.

        Returns:
            (N, C, H, W) in [-1, 1].

        Raises:
            InputError: the data have no such class.
        """
        count = len(images)
        latents = self.fit_latents(images, self.labels_of(of, count, flag="of"), embedding, iterations)
        with torch.no_grad():
            return self.sample(count, latent=latents, labels=self.labels_of(to, count, flag="to"))

    def fit_latents(
        self, images: Tensor, labels: Tensor, embedding: Embedding | None = None, iterations: int = 50
    ) -> Tensor:
        """Fit the latents (N, Z) of images one by one, from the encoder's on: z* = argmin |e(x) - e(G(z, y))|^2.

        Args:
            images: (N, C, H, W) in [-1, 1].
            labels: (N,) int64, their classes.
            embedding: e; the pixels where not given.
            iterations: of L-BFGS-B in the box [-3, 3], at most, for each image.
        """
        images, labels = images.to(self.device), labels.to(self.device)
        with torch.no_grad():
            starts = self.encode(images).float().clamp(-BOUND, BOUND)
        fitted = []
        for image, label, start in zip(images.split(1), labels.split(1), starts.split(1), strict=True):
            distance = self._distance(image, label, embedding)
            fitted.append(minimise(distance, start, bound=BOUND, iterations=iterations).at)
        return torch.cat(fitted)

    def labels_of(self, given: str | int | Tensor, count: int, *, flag: str) -> Tensor:
        """Return (count,) int64 labels on the recipe's device, from one class for all or a tensor of them.

        Raises:
            InputError: the data have no such class.
        """
        if isinstance(given, Tensor):
            if given.shape != (count,):
                raise InputError(f"{flag} has the shape {tuple(given.shape)}: give {count} classes, one an image.")
            return given.to(self.device)
        return torch.full((count,), class_number(self.spec, given, flag=f"--{flag}"), device=self.device)

    def _distance(self, image: Tensor, label: Tensor, embedding: Embedding | None) -> Callable[[Tensor], Tensor]:
        """Compare what is generated at latents (1, Z) with an image (1, C, H, W): ()."""
        embed = embedding or (lambda x: x.flatten(1))
        with torch.no_grad():
            wanted = embed(image)

        def distance(latent: Tensor) -> Tensor:
            return (embed(self.generate(latent, label).float()) - wanted).square().sum()

        return distance
