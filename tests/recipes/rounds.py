"""Plays tiny games in float64 and records every draw, batch and move; compares them with the references' moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.recipes.conftest import kind_for
from tests.reference.common import Move, average
from zerosum import recipes
from zerosum.data.batch import Domains, Images, Pairs, Points
from zerosum.data.sentences import packed
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.kinds.captions import CaptionedImages
from zerosum.kinds.clips import Clips
from zerosum.kinds.volumes import Volumes
from zerosum.kinds.waveforms import Waveforms
from zerosum.layers.dropout import Dropout
from zerosum.player import STATISTICS
from zerosum.runtime import rng

TOLERANCE = 3e-8
"""Largest difference, relative to the largest value of a tensor."""

NOISE = 1e-12
"""Share of the largest gradient below which another is rounding."""

VOCABULARY = ("a", "b", "c", "d")
"""Words of captions."""

Value = str | Callable[[Mapping[str, float]], float]
"""A term of ours in the reference's: its name, or a function of all of them."""
Terms = Mapping[str, Mapping[str, Value] | Callable[["Played"], Mapping[str, Value]]]
"""What each player's terms are in the reference's, or a function of the move."""

VERDICTS: Mapping[str, Value] = {
    "real": "said_real",
    "fake": "said_fake",
    "real_accuracy": "right_real",
    "fake_accuracy": "right_fake",
}
"""What every discriminator watches."""


@dataclass
class Played:
    """One move as zerosum played it."""

    player: str
    batch: Any
    draws: list[Tensor]
    """Every random draw made in the move, in order."""
    masks: list[Tensor]
    """What each dropout kept, in order."""
    laws: str
    """From what each draw was made, such as "normal uniform(0, 1)"."""
    terms: dict[str, float] = field(default_factory=dict)
    watched: dict[str, float] = field(default_factory=dict)
    gradients: list[Tensor] = field(default_factory=list)
    reached: list[bool] = field(default_factory=list)
    """Of each parameter, whether it got a gradient: Adam passes over those that got none."""
    after: list[Tensor] = field(default_factory=list)
    mean: list[Tensor] = field(default_factory=list)
    """The running average of the weights after the move; empty where none is kept."""
    norms: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    """Batch norm's means and variances after the move, live and in the running average."""


@dataclass
class Record:
    """A game that was played."""

    recipe: Any
    start: dict[str, list[Tensor]]
    """Each player's parameters before the first move."""
    rounds: list[list[Played]]
    """The moves of each round."""
    stages: list[tuple[int, int, int]]
    """Of each round: the phase, the round in it, and the rounds that it lasts."""
    norms: dict[str, list[tuple[Tensor, Tensor]]]
    """Batch norm's means and variances before the first move, of players with a running average."""
    seen: list[Any]
    """What `observe` returned after each round."""

    @property
    def moves(self) -> list[Played]:
        """All moves, in order."""
        return [move for moves in self.rounds for move in moves]


class Drawn:
    """A source of random samples in float64."""

    def __init__(self, kind: type, shape: tuple[int, ...], source_shape: tuple[int, ...], classes: int) -> None:
        self.kind, self.shape, self.source_shape, self.position = kind, shape, source_shape, 0
        self.classes = classes
        self.random = torch.Generator().manual_seed(1)

    def draw(self, n: int) -> Any:
        """Return n samples."""
        self.position += n
        real, other = self._values(n, self.shape), self._values(n, self.source_shape)
        if self.kind is Pairs:
            return Pairs(source=other, target=real)
        if self.kind is Domains:
            return Domains(a=other, b=real)
        if self.kind is Volumes:
            return Volumes(volume=real)
        if self.kind is CaptionedImages:
            words = [[VOCABULARY[int(i)] for i in torch.randint(4, (3,), generator=self.random)] for _ in range(n)]
            return CaptionedImages(image=real, caption=packed([" ".join(row) for row in words], 8))
        labels = torch.randint(self.classes, (n,), generator=self.random) if self.classes else None
        if self.kind is Waveforms:
            return Waveforms(wave=real, label=labels)
        if self.kind is Clips:
            return Clips(clip=real, label=labels)
        return Points(point=real, label=labels) if self.kind is Points else Images(image=real, label=labels)

    def close(self) -> None:
        """Hold nothing."""

    def _values(self, n: int, shape: tuple[int, ...]) -> Tensor:
        return 2 * torch.rand(n, *shape, generator=self.random, dtype=torch.float64) - 1


@contextmanager
def in_double(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make float64 the type of everything, also where a recipe asks for float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    patch.setattr(torch.Tensor, "float", torch.Tensor.double)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def play(
    patch: pytest.MonkeyPatch,
    name: str,
    shape: tuple[int, ...],
    *,
    source_shape: tuple[int, ...] | None = None,
    classes: int = 0,
    prepare: Callable[[Any], None] | None = None,
    observe: Callable[[Any], Any] | None = None,
    **settings: Any,
) -> Record:
    """Set up the recipe `name`, and play all of its rounds. Weights are moved off where they start by N(0, 0.1).

    Args:
        patch: for the draws; undone at the test's end.
        name: of the recipe.
        shape: of a sample.
        source_shape: of a source or of an image of domain A.
        classes: of the samples; 0 for samples without labels.
        prepare: is called with the recipe before its players are made.
        observe: is called with the recipe after each round.
        settings: those that are not the default.
    """
    torch.manual_seed(0)
    kind = recipes.find(name)
    sample = kind_for(name, tuple(shape))
    names = tuple(map(str, range(classes)))
    recipe: Any = kind(
        kind.Config.for_kind(sample, settings),
        Spec(shape=shape, kind=sample, source_shape=source_shape, classes=names, vocabulary=VOCABULARY),
    )
    with torch.no_grad():
        for parameter in recipe.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    if prepare is not None:
        prepare(recipe)
    batch_kind = Points if len(shape) == 1 else next(k for k in kind.data if k is not Points)
    game: Any = Game(recipe, Drawn(batch_kind, shape, source_shape or shape, classes))
    start = {player: _copies(game.players[player].parameters) for player in game.players}
    norms = {player: _norms(mover) for player, mover in game.players.items() if mover.average}
    record = Record(recipe, start, [], [], norms, [])
    draws, masks = _listen(patch, recipe)
    gradient, step = game.gradient, game.step

    def recorded_gradient(player: str, loss: Any, batch: Any, **givens: Any) -> Any:
        draws.clear()
        masks.clear()
        result = gradient(player, loss, batch, **givens)
        move = Played(player, batch, [values for _, values in draws], list(masks), " ".join(law for law, _ in draws))
        move.terms = {term: value.item() for term, value in result.items()}
        move.watched = {name: value.mean().item() for name, value in result.log.items()}
        record.rounds[-1].append(move)
        return result

    def recorded_step(player: str) -> None:
        move, mover = record.rounds[-1][-1], game.players[player]
        assert move.player == player
        move.reached = [p.grad is not None for p in mover.parameters]
        move.gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in mover.parameters]
        step(player)
        move.after = _copies(mover.parameters)
        names = [f"{i}.{n}" for i, network in enumerate(mover.networks) for n, _ in network.named_parameters()]
        if mover.average:
            move.mean = _copies([mover.average[n] for n in names])
            move.norms = _norms(mover)

    game.gradient, game.step = recorded_gradient, recorded_step
    for index, phase in enumerate(recipe.phases()):
        game.begin_phase(index, phase)
        for number in range(phase.rounds):
            record.rounds.append([])
            record.stages.append((index, number, phase.rounds))
            phase.play(game)
            game.end_round()
            record.seen.append(observe(recipe) if observe else None)
    return record


def ramped(decay: float, t: int) -> float:
    """Return the decay of a running average at its t-th update, counted from 1: small until t is large."""
    return min(decay, (1 + t) / (10 + t))


def compare(
    record: Record,
    expected: Sequence[Move],
    terms: Terms,
    laws: Mapping[str, str | Callable[[Played], str]],
    decays: Mapping[str, float | Callable[[int], float]] | None = None,
) -> None:
    """See that the moves are those expected: who, terms, gradients, parameters after, averages after.

    Args:
        record: of a game.
        expected: the moves of the reference.
        terms: of each player, with what it watches but for verdicts; ours must be these and no others.
        laws: of what each player's move draws; none where not named.
        decays: of the running averages, by player, or from the update's number from 1 to it; those not named must keep
            none.
    """
    decays = decays or {}
    assert [move.player for move in record.moves] == [move.player for move in expected]
    means = {player: list(record.start[player]) for player in decays}
    counts = dict.fromkeys(decays, 0)
    norms: dict[str, list[Tensor]] = {}
    for index, (ours, theirs) in enumerate(zip(record.moves, expected, strict=True)):
        place = f"move {index} ({ours.player})"
        law, of_player = laws.get(ours.player, ""), terms[ours.player]
        assert ours.laws == (law(ours) if callable(law) else law), place
        verdicts = VERDICTS if "real_accuracy" in ours.watched else {}
        found = of_player(ours) if callable(of_player) else of_player
        values = {n: _value(v, theirs.losses) for n, v in {**found, **verdicts}.items()}
        assert set(ours.terms) | set(ours.watched) == set(values), place
        for term, value in {**ours.terms, **ours.watched}.items():
            assert value == pytest.approx(values[term], rel=TOLERANCE, abs=1e-13), f"{place}: {term}"
        _near(ours.gradients, theirs.gradients, f"{place}: gradient")
        settled = _settled(theirs.gradients)
        _near(_those(settled, ours.after), _those(settled, theirs.after), f"{place}: parameter after")
        if ours.player in decays:
            starts = norms.setdefault(ours.player, [mean for _, mean in record.norms[ours.player]])
            counts[ours.player] += theirs.averaged
            decay = decays[ours.player]
            decay = ramped(decay(counts[ours.player]) if callable(decay) else decay, counts[ours.player])
            decay = decay if theirs.averaged else 1.0
            means[ours.player] = average(means[ours.player], theirs.after, beta=decay)
            norms[ours.player] = average(starts, [live for live, _ in ours.norms], beta=decay)
            _near([mean for _, mean in ours.norms], norms[ours.player], f"{place}: average of batch norm")
            _near(_those(settled, ours.mean), _those(settled, means[ours.player]), f"{place}: average")
        else:
            assert ours.mean == [], place


def _value(value: Value, losses: Mapping[str, float]) -> float:
    return losses[value] if isinstance(value, str) else value(losses)


def _settled(gradients: Sequence[Tensor]) -> list[int]:
    """Return the tensors whose gradient is more than rounding, or exactly 0.

    A bias before a norm has the gradient 0 but for rounding, which Adam makes a step of: nothing depends on it.
    """
    sizes = [float(g.abs().max()) for g in gradients]
    return [index for index, size in enumerate(sizes) if size == 0 or size > NOISE * max(sizes)]


def _those(indices: Sequence[int], tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensors[index] for index in indices]


def _near(ours: Sequence[Tensor], theirs: Sequence[Tensor], what: str) -> None:
    """Compare tensor by tensor, to the largest value of each (and a thousandth of that for the largest of all)."""
    largest = max((float(t.abs().max()) for t in theirs), default=0.0)
    for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one.dtype == torch.float64, what
        assert one.shape == other.shape, f"{what} {index}"
        bound = TOLERANCE * (float(other.abs().max()) + largest / 1000)
        difference = float((one - other).abs().max())
        assert difference <= bound, (
            f"{what} {index}: differs by {difference:.3g} (largest value {other.abs().max():.3g})"
        )


def _norms(mover: Any) -> list[tuple[Tensor, Tensor]]:
    """Return batch norm's running statistics of a player's networks, live and averaged."""
    lives = {f"{i}.{n}": t for i, network in enumerate(mover.networks) for n, t in network.named_buffers()}
    return [(t.clone(), mover.average[n].clone()) for n, t in lives.items() if n.endswith(STATISTICS)]


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone(memory_format=torch.contiguous_format) for tensor in tensors]


def _listen(patch: pytest.MonkeyPatch, recipe: torch.nn.Module) -> tuple[list[tuple[str, Tensor]], list[Tensor]]:
    """Return lists to which every draw with its law, and what every dropout keeps, is appended."""
    draws: list[tuple[str, Tensor]] = []
    masks: list[Tensor] = []

    def recorded(law: str, draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def drawn(*shape: int, **options: Any) -> Tensor:
            values = draw(*shape, **options)
            values = values.to(torch.get_default_dtype()) if values.is_floating_point() else values  # as the weights
            low, high = options.get("low", 0.0), options.get("high", 1.0)
            of = {"normal": "", "uniform": f"({low:g}, {high:g})", "integers": f"({high})"}[law]
            draws.append((law + of, values.clone()))
            return values

        return drawn

    for kind in ("normal", "uniform", "integers"):
        patch.setattr(rng, kind, recorded(kind, getattr(rng, kind)))
    for module in recipe.modules():
        if isinstance(module, Dropout):
            module.register_forward_hook(lambda _, given, out: masks.append((out != 0) | (given[0] == 0)))
    return draws, masks
