"""Losses as named terms: summed for a move, merged over micro-batches, averaged for the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from zerosum.runtime.distributed import World


class Loss(dict[str, Tensor]):
    """Named terms, each of shape (), whose sum one player minimises.

    Args:
        log: logged but not minimised: of shape (), or (N, ...) with one row or more a sample.
        outputs: (N, ...), handed back by the move for a later one in the round, neither logged nor minimised.
        lazy: whether it is of what regularises alone, now and then, in a move beside the round's own (StyleGAN2): no
            stabiliser adds to it or adapts after it, and the running average, which goes by rounds, does not follow.
        terms: of shape () each.

    Raises:
        TypeError: a term, or what is logged, is no tensor.
    """

    def __init__(
        self,
        *,
        log: Mapping[str, Tensor] | None = None,
        outputs: Mapping[str, Tensor] | None = None,
        lazy: bool = False,
        **terms: Tensor,
    ) -> None:
        super().__init__(terms)
        for name, value in (*terms.items(), *(log or {}).items(), *(outputs or {}).items()):
            if not isinstance(value, Tensor):
                raise TypeError(f"Loss: {name} is {value!r}, of the type {type(value).__name__}; give a tensor")
        self.lazy = lazy
        self.log: dict[str, Tensor] = dict(log or {})
        self.outputs: dict[str, Tensor] = dict(outputs or {})

    def total(self) -> Tensor:
        """Return the sum of the terms, of shape ().

        >>> Loss(adversarial=torch.tensor(1.0), penalty=torch.tensor(0.5)).total().item()
        1.5
        """
        terms = [term.float() for term in self.values()]
        return terms[0] if len(terms) == 1 else torch.stack(terms).sum()

    def detached(self) -> Loss:
        """Return the same values without their graph."""
        terms, log, outputs = (
            {name: value.detach() for name, value in g.items()} for g in (self, self.log, self.outputs)
        )
        return Loss(log=log, outputs=outputs, lazy=self.lazy, **terms)


def require_loss(result: Any, loss: Callable[..., Any]) -> Loss:
    """Return what a loss returned, if it is a `Loss`.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(result, Loss):
        return result
    of = f"a {type(result).__name__}" if result is not None else "nothing"
    raise TypeError(f"{_name(loss)} returns {of}; return a zerosum.Loss, such as Loss(adversarial=...)")


def require_terms(result: Loss, loss: Callable[..., Any], *, mover: str) -> None:
    """See that a loss can be differentiated with respect to the weights of the player `mover`.

    Raises:
        TypeError: it has no terms, one of them is not of shape (), or none depends on those weights.
    """
    if not result:
        raise TypeError(f"{_name(loss)}: the Loss has no terms; give one or more, such as Loss(adversarial=...)")
    for term, value in result.items():
        if value.ndim != 0:
            raise TypeError(f"{_name(loss)}: the term {term!r} has shape {tuple(value.shape)}; take its mean")
    if not any(value.requires_grad for value in result.values()):
        raise TypeError(
            f"{_name(loss)}: no term depends on the weights of {mover}, the player that moves; compute it by that "
            "player's networks, without detach() or no_grad()"
        )


def _name(loss: Callable[..., Any]) -> str:
    return str(getattr(loss, "__qualname__", loss))


def merge(pieces: Iterable[tuple[float, Loss]]) -> Loss:
    """Join the losses of a batch's pieces into the batch's: scalars by weighted mean, values per sample by row."""
    pieces = list(pieces)
    if len(pieces) == 1:
        return pieces[0][1]
    losses = [loss for _, loss in pieces]

    def join(values: list[Tensor]) -> Tensor:
        if values[0].ndim:
            return torch.cat(values)
        return torch.stack([weight * value for (weight, _), value in zip(pieces, values, strict=True)]).sum()

    log = {name: join([loss.log[name] for loss in losses]) for name in losses[0].log}
    outputs = {name: torch.cat([loss.outputs[name] for loss in losses]) for name in losses[0].outputs}
    terms = {name: join([loss[name] for loss in losses]) for name in losses[0]}
    return Loss(log=log, outputs=outputs, lazy=losses[0].lazy, **terms)


class LossMeter:
    """Running sums of what is logged, kept on the device so that no move waits for a value."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def add(self, player: str, loss: Loss) -> None:
        """Count what a player paid in one move, and what its loss watched."""
        values = {"loss": loss.total(), **(loss if len(loss) > 1 else {}), **loss.log}
        for name, value in values.items():
            value = value.detach().float()
            self.count(f"{player}/{name}", value.mean() if value.ndim else value)

    def count(self, name: str, value: Tensor) -> None:
        """Count one value, of shape ()."""
        total, count = self._sums.get(name, (0.0, 0))
        self._sums[name] = (total + value, count + 1)

    def collect(self, world: World) -> dict[str, float]:
        """Return the means since the last call, over moves and processes: {"player/term": ...}."""
        if not self._sums:
            return {}
        names = list(self._sums)
        means = torch.stack([total / count for total, count in self._sums.values()])
        self._sums.clear()
        return dict(zip(names, world.average_(means).tolist(), strict=True))
