"""Gradients of what differentiates a gradient, in every form that a game is played in, compared with float64.

That in float64 is compared with a finite difference of the loss, which differentiates only once.

Weights, data and draws are the same float32 values in every form. The distance of a gradient from that in float64 is
taken over all parameters, relative to the norm, and of each tensor, relative to its norm and a thousandth of the whole.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.recipes.conftest import game
from tests.recipes.rounds import in_double
from zerosum import penalties, recipes
from zerosum.layers.spectral_norm import _matrix
from zerosum.loss import Loss
from zerosum.optim.unroll import rule_of, unrolled
from zerosum.runtime import rng

IMAGES, POINTS = (3, 16, 16), (2,)
FORMATS = (torch.contiguous_format, torch.channels_last)
STEP = 1e-6
"""Of finite differences, along a direction of norm 1."""

BOUNDS = {torch.float32: (1e-5, 3e-5), torch.bfloat16: (0.15, 0.6)}
"""Largest relative distance of the whole gradient, and of any tensor of it.

Of float32, with a unit roundoff of 6e-8, 7e-6 and 1e-5 were measured over three seeds (in unrolled, whose steps amplify
it, and in a bias of progan; 7e-7 of the others' whole). Of bfloat16, with one of 4e-3, it was 0.5 to 6 % of the whole,
once 14 %, and 39 % of a tensor: values that round to the other side of a leaky ReLU's kink change a slope by a jump,
which counts for much in a network of 4 channels, and the worst tensors, biases and strengths of noise, are sums that
nearly cancel.
"""


@dataclasses.dataclass(frozen=True)
class Case:
    """Terms of a loss that differentiate a gradient."""

    recipe: str
    loss: str
    terms: tuple[str, ...]
    shape: tuple[int, ...] = IMAGES
    player: str = "discriminator"
    stabilise: str | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    inputs: Callable[[Any], dict[str, Any]] = lambda game: {}

    def __str__(self) -> str:
        more = [self.stabilise or "", *map(str, self.settings.values()), "points" if len(self.shape) == 1 else ""]
        return "-".join([self.recipe, *self.terms, *filter(None, more)])


CASES = [
    Case("wgan_gp", "critic_loss", ("penalty",), player="critic"),
    Case("wgan_gp", "critic_loss", ("penalty",), shape=POINTS, player="critic"),
    *(
        Case("wgan_gp", "critic_loss", ("penalty",), player="critic", settings={"critic_norm": norm})
        for norm in ("layer", "instance", "pixel", "virtual-batch")
    ),
    Case("wavegan", "critic_loss", ("penalty",), shape=(1, 256), player="critic"),
    Case("wavegan", "critic_loss", ("penalty",), (1, 256), player="critic", settings={"critic": "spectrograms"}),
    Case("cgan", "discriminator_loss", ("penalty",), settings={"loss": "wasserstein"}),
    Case("r3gan", "discriminator_loss", ("r1", "r2"), inputs=lambda game: {"gamma": 1.0}),
    Case("r3gan", "discriminator_loss", ("r1", "r2"), inputs=lambda game: {"gamma": 1.0, "augment_p": 0.5}),
    Case("r3gan", "discriminator_loss", ("r1", "r2"), shape=POINTS, inputs=lambda game: {"gamma": 1.0}),
    Case("dvdgan", "discriminator_loss", ("penalty",), shape=(4, 3, 16, 16), settings={"loss": "relativistic"}),
    Case("stylegan2", "r1_loss", ("penalty",), settings={"base": 256, "max_channels": 32}),
    Case("stylegan2", "path_loss", ("path",), player="generator"),
    Case("progan", "critic_loss", ("penalty",), player="critic", inputs=lambda game: {"level": 2, "fade": 0.5}),
    Case(
        "unrolled",
        "generator_loss",
        ("adversarial",),
        player="generator",
        inputs=lambda game: {"rule": rule_of(game.players["discriminator"].optimizer, game.recipe.discriminator)},
    ),
    *(
        Case(recipe, "discriminator_loss", (name.replace("-", "_"),), stabilise=name)
        for recipe in ("sngan", "projection", "biggan")
        for name in ("r1", "r2", "gradient-penalty")
    ),
    Case("wgan_gp", "critic_loss", ("r1",), player="critic", stabilise="diff-augment,r1", settings={"width": 16}),
    Case("sngan", "discriminator_loss", ("r1",), stabilise="ada,r1"),
]


def prepared(case: Case, precision: torch.dtype, memory_format: torch.memory_format) -> Any:
    """Return a game of the case, its weights moved off where they start, so that none of them is 0 or tiny."""
    playing = game(
        case.recipe,
        case.shape,
        stabilise=case.stabilise,
        settings=case.settings,
        precision=precision,
        memory_format=memory_format,
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in playing.recipe.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    if len(case.shape) == 3:
        playing.recipe.to(memory_format=memory_format)  # type: ignore[call-overload]
    for layer in playing.recipe.modules():
        if "u" in dict(layer.named_buffers(recurse=False)):  # at the fixed point of spectral norm's power iteration
            layer.u.copy_(torch.linalg.svd(_matrix(layer, layer.weight)).U[:, 0])
    for stabiliser in playing.recipe.stabilisers:
        vars(stabiliser).update({"p": 0.5} if stabiliser.name == "ada" else {})
    return playing


def gradient(case: Case, playing: Any, batch: Any) -> tuple[float, list[Tensor]]:
    """Return the sum of the case's terms, and its gradient by each parameter of the player, in float64."""

    def loss(batch: Any, **inputs: Any) -> Loss:
        found = getattr(playing.recipe, case.loss)(batch, **inputs)
        for name in found.keys() - set(case.terms):
            found[name] = 0 * found[name]
        return found

    torch.manual_seed(2)
    result = playing.gradient(case.player, loss, batch, **case.inputs(playing))
    assert set(case.terms) <= set(result)
    parameters = playing.players[case.player].parameters
    found = [torch.zeros_like(p).double() if p.grad is None else p.grad.double() for p in parameters]
    return float(sum(result[term] for term in case.terms)), found


def slope(case: Case, playing: Any, batch: Any, direction: list[Tensor]) -> float:
    """Return the central difference of the case's terms along a direction of the player's parameters."""
    values = []
    for step in (STEP, -2 * STEP, STEP):
        with torch.no_grad():
            for parameter, along in zip(playing.players[case.player].parameters, direction, strict=True):
                parameter.add_(step * along)
        values.append(gradient(case, playing, batch)[0])
    return (values[0] - values[1]) / (2 * STEP)


def reference(case: Case, patch: pytest.MonkeyPatch) -> tuple[list[Tensor], float, float]:
    """Return the gradient in float64, with contiguous images, and its slope along itself by it and by differences."""
    playing = prepared(case, torch.float32, torch.contiguous_format)
    batch = playing.draw()
    playing.recipe.double()
    floats = {f.name: v.double() for f in dataclasses.fields(batch) if (v := getattr(batch, f.name)) is batch.real}
    for name in ("normal", "uniform"):
        draw = getattr(rng, name)
        patch.setattr(rng, name, lambda *shape, draw=draw, **options: draw(*shape, **options).double())
    with in_double(patch):
        batch = dataclasses.replace(batch, **floats)
        _, found = gradient(case, playing, batch)
        size = torch.cat([tensor.flatten() for tensor in found]).norm()
        return found, float(size), slope(case, playing, batch, [tensor / size for tensor in found])


def errors(found: list[Tensor], expected: list[Tensor]) -> tuple[float, float]:
    """Return the relative distance of two gradients over all tensors, and the largest of any tensor."""
    apart = torch.stack([(one - other).norm() for one, other in zip(found, expected, strict=True)])
    sizes = torch.stack([other.norm() for other in expected])
    whole = float(sizes.norm())
    assert whole > 0
    return float(apart.norm()) / whole, float((apart / (sizes + whole / 1000)).max())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_double_backward_is_that_of_float64(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        expected, exact, difference = reference(case, patch)
    assert difference == pytest.approx(exact, rel=1e-5)
    for precision, bounds in BOUNDS.items():
        for memory_format in FORMATS:
            playing = prepared(case, precision, memory_format)
            for found, bound in zip(errors(gradient(case, playing, playing.draw())[1], expected), bounds, strict=True):
                assert found <= bound, (precision, memory_format)


@pytest.mark.parametrize("seed", range(3))
def test_looking_ahead_has_the_gradient_of_float32_also_where_bfloat16_rounds_gradients_to_0(seed: int) -> None:
    """Adam without moments divides by a gradient, and the slope of its step at 0 is lr / eps."""
    norms = []
    for precision in (torch.float32, torch.bfloat16):
        playing = game("unrolled", IMAGES, batch=16, seed=seed, precision=precision, settings={"steps": 5})
        playing.recipe.round(playing)
        norms.append(playing.collect()["generator/gradient_norm"])
    assert norms[1] == pytest.approx(norms[0], rel=0.5)


def test_every_recipe_that_differentiates_a_gradient_is_compared() -> None:
    functions = {penalties.gradient_penalty, penalties.logits_and_slopes, penalties.path_lengths, unrolled}
    users = {
        name
        for name in recipes.names()
        if any(callable(v) and v in functions for v in vars(sys.modules[recipes.find(name).__module__]).values())
    }
    assert users >= {"cgan", "progan", "r3gan", "stylegan2", "unrolled", "wgan_gp"}
    assert users <= {case.recipe for case in CASES}
    added = {name for case in CASES if case.stabilise for name in case.stabilise.split(",")}
    assert {"r1", "r2", "gradient-penalty"} <= added
