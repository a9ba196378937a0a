"""What moves cost: the losses of a batch's pieces joined, and running means for the history."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from zerosum.recipe import Loss
from zerosum.runtime.distributed import World


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

    watch = {name: join([loss.watch[name] for loss in losses]) for name in losses[0].watch}
    keep = {name: torch.cat([loss.keep[name] for loss in losses]) for name in losses[0].keep}
    return Loss(watch=watch, keep=keep, **{name: join([loss[name] for loss in losses]) for name in losses[0]})


class Tally:
    """Running sums of what is logged, kept on the device so that no move waits for a value."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor, int]] = {}

    def add(self, player: str, loss: Loss) -> None:
        """Count what a player paid in one move, and what its loss watched."""
        values = {"loss": loss.total(), **(loss if len(loss) > 1 else {}), **loss.watch}
        for name, value in values.items():
            total, count = self._sums.get(f"{player}/{name}", (0.0, 0))
            self._sums[f"{player}/{name}"] = (total + value.detach().float().mean(), count + 1)

    def collect(self, world: World) -> dict[str, float]:
        """Return the means since the last call, over moves and processes: {"player/term": ...}."""
        if not self._sums:
            return {}
        names = list(self._sums)
        means = torch.stack([total / count for total, count in self._sums.values()])
        self._sums.clear()
        return dict(zip(names, world.average_(means).tolist(), strict=True))
