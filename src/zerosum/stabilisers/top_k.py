"""Top-k training (Sinha et al. 2020): the generator learns from its best samples alone.

Source: Sinha et al. 2020, section 3 (https://arxiv.org/abs/2002.06224).

Differs from the paper: the number of samples falls in a line over the first half of the rounds, in place of by 1 % an
epoch, so that it does not depend on the size of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import softplus

from zerosum.data.batch import Batch
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.objectives import to_float32
from zerosum.optim.schedules import linear
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, first_output, require_logits, require_objective


class TopK(Stabiliser):
    """The generator's loss is the mean over the samples with the largest logits, in place of over all.

    The ranking is of the whole batch, so that it is not divided.

    Args:
        value: share of the batch that is kept in the end, below 1.
        share: of the run's rounds after which it is reached.
    """

    divisible = False

    def __init__(self, value: float = 0.5, *, share: float = 0.5) -> None:
        super().__init__(value)
        if value >= 1:
            raise InputError(f"The stabiliser {self.name} got the share {value}: give a number above 0 and below 1.")
        self.share = share
        self.kept = 1.0
        self._logistic = False
        self._watching = False
        self._logits: Tensor | None = None

    def prepare(self, recipe: Recipe) -> None:
        """Hook into the discriminator's output."""
        networks = discriminators_of(recipe, self.name)
        require_objective(recipe, self.name, "logistic", "hinge", "wasserstein")
        self._logistic = recipe.objective == "logistic"
        for network in networks:
            require_logits(recipe, network, self.name)
            network.register_forward_hook(self._keep)

    def before(self, name: str, game: Game[Any]) -> None:
        """Set the share of this round, and watch the generator."""
        progress = game.clock.round / max(1.0, self.share * game.rounds)
        self.kept = linear(progress, start=1.0, stop=self.value)
        self._watching = game.players[name].role == "generator"

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return the mean over the k best samples minus that over all, which the loss itself has."""
        logits, self._logits, self._watching = self._logits, None, False
        if logits is None:
            return {}
        ranked = to_float32(logits).reshape(len(logits), -1)
        losses = softplus(-ranked).mean(1) if self._logistic else -ranked.mean(1)
        best = ranked.mean(1).topk(max(1, round(self.kept * len(logits)))).indices
        return {"top_k": losses[best].mean() - losses.mean()}

    def _keep(self, network: nn.Module, inputs: tuple[Any, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        if self._watching and inputs[0].requires_grad:  # in a generator's move only what it made does
            self._logits = first_output(output)
