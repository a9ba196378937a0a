"""Penalties on the samples that discriminators take: what enters them, and the term of the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.func import functional_call

from zerosum.data.batch import Batch
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.recipe import Recipe
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.requirements import discriminators_of, first_output


@dataclass(frozen=True)
class Entry:
    """Samples (N, ...) that entered a discriminator in a loss, before any hook varied them, with its further inputs."""

    network: nn.Module
    samples: Tensor
    more: tuple[Any, ...]
    named: Mapping[str, Any]

    def logits(self, x: Tensor) -> Tensor:
        """Map other samples (N, ...) to the discriminator's logits, the first of its outputs if it has several."""
        return first_output(self.network(x, *self.more, **self.named))

    def at_rest(self) -> Callable[[Tensor], Tensor]:
        """Return `logits` as a function that no call changes: power iteration and running statistics stay."""
        buffers = {name: buffer.clone() for name, buffer in self.network.named_buffers()}

        def logits(x: Tensor) -> Tensor:
            copies = {name: buffer.clone() for name, buffer in buffers.items()}
            return first_output(functional_call(self.network, copies, (x, *self.more), dict(self.named)))

        return logits


class Watch:
    """Keeps what enters discriminators during a move: the real samples first, then as many generated ones."""

    _computing: ClassVar[bool] = False
    """Whether a penalty is computed: what enters discriminators then is no sample of the loss for any watch."""

    def __init__(self) -> None:
        self._on = False
        self._calls: dict[nn.Module, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {}

    def prepare(self, networks: Sequence[nn.Module]) -> None:
        """Hook into the networks, before the hooks of others."""
        for network in networks:
            network.register_forward_pre_hook(self._keep, prepend=True, with_kwargs=True)

    def begin(self, on: bool) -> None:
        """Begin a move, in which samples are kept or are not; those of moves before are forgotten."""
        self._on, self._calls = on, {}

    @contextmanager
    def taken(self, rows: int) -> Iterator[list[tuple[Entry, Entry]]]:
        """Yield (real, generated) of the networks that took both, `rows` samples each; keep nothing meanwhile."""
        calls, self._calls = self._calls, {}
        before, Watch._computing = Watch._computing, True
        entries = [[e for call in its for e in _entries(network, *call, rows)] for network, its in calls.items()]
        try:
            yield [(its[0], its[1]) for its in entries if len(its) > 1]
        finally:
            Watch._computing = before

    def _keep(self, network: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        if self._on and not Watch._computing:
            self._calls.setdefault(network, []).append((inputs, named))


class Penalty(Stabiliser):
    """A term of the discriminator's loss: the weight times a penalty of each discriminator on its own samples."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__(value)
        self._watch = Watch()

    def prepare(self, recipe: Recipe) -> None:
        """Watch the discriminators."""
        self._watch.prepare(discriminators_of(recipe, self.name))

    def before(self, name: str, game: Game[Any]) -> None:
        """Watch in moves of the discriminator."""
        self._watch.begin(game.players[name].role == "discriminator")

    def terms(self, name: str, batch: Batch, loss: Loss, game: Game[Any]) -> Mapping[str, Tensor]:
        """Return the penalties' sum over the discriminators, weighted."""
        with self._watch.taken(len(batch)) as entries:
            penalties = [self.penalty(real, fake) for real, fake in entries]
        return {self.name.replace("-", "_"): self.value * sum(penalties[1:], penalties[0])} if penalties else {}

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        """Return a discriminator's penalty, of shape (): a mean over samples."""
        raise NotImplementedError


def _entries(network: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], rows: int) -> Iterator[Entry]:
    total = len(inputs[0])
    for start in range(0, total - rows + 1, rows):

        def cut(value: Any, start: int = start) -> Any:
            each = isinstance(value, Tensor) and value.shape[:1] == (total,)
            return value[start : start + rows] if each else value

        named_cut = {key: cut(value) for key, value in named.items()}
        yield Entry(network, cut(inputs[0]), tuple(map(cut, inputs[1:])), named_cut)
