"""Generated samples: the same by one process or by several, for recipes that draw latents alone and for others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.recipes.conftest import SMALL, game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.generate import draw_labels, finished, generate, stream, translate
from zerosum.kinds.domains import example
from zerosum.runtime import rng

LATENT = [name for name in SMALL if hasattr(recipes.find(name), "sample")]


def recipe_of(name: str) -> Any:
    return game(name, (1, 16, 16)).recipe.eval().requires_grad_(False)


def interleaved(recipe: Any, n: int, seed: int, world: int, **options: Any) -> Tensor:
    """What all processes make, in the order of the chunks."""
    parts = [list(stream(recipe, n, seed, rank=rank, world=world, **options)) for rank in range(world)]
    count = sum(map(len, parts))
    return torch.cat([parts[index % world][index // world] for index in range(count)])[:n]


@pytest.mark.parametrize("name", LATENT)
def test_processes_make_together_what_one_makes(name: str) -> None:
    recipe = recipe_of(name)
    alone = generate(recipe, 70, 5)
    assert alone.shape == (70, *recipe.spec.shape)
    for world in (2, 3):
        assert torch.equal(interleaved(recipe, 70, 5, world), alone)


def test_each_process_makes_its_own_share_and_one_chunk_to_see_that_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, made = recipe_of("gan"), []
    forward = recipe.generator.forward
    monkeypatch.setattr(recipe.generator, "forward", lambda latent: made.append(len(latent)) or forward(latent))
    list(stream(recipe, 160, 0, rank=1, world=2))
    assert made == [16] * (1 + 5)


def test_what_a_recipe_draws_besides_latents_is_drawn_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of("gan")
    forward = recipe.generator.forward
    noisy = lambda latent: forward(latent) + rng.normal(len(latent), 1, 1, 1, device=recipe.device)  # noqa: E731
    monkeypatch.setattr(recipe.generator, "forward", noisy)
    assert torch.equal(interleaved(recipe, 70, 5, 2), generate(recipe, 70, 5))
    monkeypatch.undo()
    truncated = {"controls": {"truncation": 0.5}}
    assert torch.equal(interleaved(recipe, 70, 5, 2, **truncated), generate(recipe, 70, 5, **truncated))


def test_the_callers_random_state_is_untouched_and_first_samples_stay() -> None:
    recipe = recipe_of("dcgan")
    torch.manual_seed(9)
    before = torch.get_rng_state()
    for samples in stream(recipe, 40, 1):
        assert torch.equal(torch.get_rng_state(), before)
        assert samples.shape == (16, 1, 16, 16)
    assert torch.equal(generate(recipe, 20, 1), generate(recipe, 40, 1)[:20])
    assert torch.equal(generate(recipe, 40, 1, chunk=500), generate(recipe, 500, 1, chunk=500)[:40])


def test_samples_labels_and_weights_of_one_seed_come_from_streams_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, seen = recipe_of("gan"), []
    forward = recipe.generator.forward
    monkeypatch.setattr(recipe.generator, "forward", lambda latent: seen.append(latent.clone()) or forward(latent))
    generate(recipe, 16, 3)
    with rng.fork(recipe.device, seed=3):  # what the initial weights of a run of this seed are drawn from
        assert not torch.equal(seen[0], recipe.prior(16))
    with rng.fork(recipe.device, seed=rng.derived(3, "samples")):
        assert torch.equal(seen[0], recipe.prior(16))
    spec = Spec(shape=(1,), classes=tuple("abcdefghij"))
    plain = torch.rand(40, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert not torch.equal(draw_labels(spec, 40, 3), (plain * 10).long())


def test_what_is_not_finite_or_no_control_is_refused() -> None:
    with pytest.raises(InputError, match="not finite numbers"):
        finished(Spec(shape=(2,), kind="points"), torch.tensor([[0.0, float("nan")]]))
    assert finished(Spec(shape=(2,), kind="points"), torch.tensor([[0.5, 2.0]])).tolist() == [[0.5, 2.0]]
    with pytest.raises(InputError, match="no control 'colour'; it has: truncation"):
        generate(recipe_of("gan"), 4, 0, controls={"colour": 1})


def test_no_image_of_a_domain_is_translated_twice_while_there_are_others() -> None:
    data = example(Spec(shape=(1, 8, 8), source_shape=(1, 8, 8), kind="domains"), 8)  # 5 images of A, 8 of B
    recipe: Any = SimpleNamespace(device=torch.device("cpu"), fake_and_real=lambda batch: (batch.a, batch.b))
    rows = np.array([0, 5, 1, 6, 2])  # of B; as rows of A they would be 0, 0, 1, 1, 2
    made = torch.cat(list(translate(recipe, data, rows, 0)))
    assert len(torch.unique(made, dim=0)) == 5
    twice = torch.cat(
        [piece for rank in (0, 1) for piece in translate(recipe, data, np.arange(16) % 8, 0, rank=rank, world=2)]
    )
    assert sorted(torch.unique(twice, dim=0, return_counts=True)[1].tolist()) == [3, 3, 3, 3, 4]
