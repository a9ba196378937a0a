"""Age-cGAN: where the class enters, what the encoder learns from, and ageing by a fitted latent."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError

IMAGES = (1, 16, 16)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return game("age_cgan", IMAGES).recipe.eval().requires_grad_(False)


def test_exactly_one_plane_of_the_class_is_1_behind_the_first_convolution(model: Any) -> None:
    seen = []
    with model.discriminator.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0])):
        model.discriminator(torch.zeros(3, *IMAGES), torch.tensor([0, 1, 2]))
    planes = seen[0][:, -3:]
    assert torch.equal(planes, torch.eye(3)[:, :, None, None].expand_as(planes))


def test_a_perfect_inversion_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    playing = game("age_cgan", IMAGES)
    recipe: Any = playing.recipe
    batch = playing.draw()
    drawn: list[Tensor] = []
    prior = recipe.prior
    monkeypatch.setattr(recipe, "prior", lambda n: drawn.append(prior(n)) or drawn[-1])
    monkeypatch.setattr(recipe, "encode", lambda images: drawn[-1])
    assert recipe.encoder_loss(batch).total() == 0
    monkeypatch.setattr(recipe, "encode", lambda images: drawn[-1] + 1)
    assert recipe.encoder_loss(batch).total() == pytest.approx(6)


def test_the_encoder_learns_from_the_averaged_generator_at_rest() -> None:
    playing = game("age_cgan", IMAGES, settings={"ema_decay": 0.9})
    recipe: Any = playing.recipe
    for _ in range(3):
        recipe.adversarial_round(playing)
    average = playing.players["generator"].average
    found: list[tuple[bool, bool]] = []
    forward = recipe.generator.forward

    def spied(*given: Any) -> Tensor:
        live = recipe.generator.state_dict()
        found.append((recipe.generator.training, all(torch.equal(live[n[2:]], t) for n, t in average.items())))
        return forward(*given)

    recipe.generator.forward = spied
    recipe.encoder_round(playing)
    assert found == [(False, True)]
    assert recipe.generator.training


@pytest.mark.parametrize(
    ("rounds", "share", "parts"), [(9, 1 / 3, [6, 3]), (2, 0.01, [1, 1]), (2, 0.99, [1, 1]), (1, 0.5, [1])]
)
def test_the_encoder_learns_last(rounds: int, share: float, parts: list[int]) -> None:
    phases = game("age_cgan", IMAGES, rounds=rounds, settings={"encoder_share": share}).recipe.phases()
    assert [phase.rounds for phase in phases] == parts


def test_the_same_group_gives_the_reconstruction_and_fitting_comes_nearer(model: Any) -> None:
    with torch.no_grad():
        images = model.sample(2, latent=torch.randn(2, 6), labels=torch.tensor([0, 1]))
    of = torch.tensor([0, 1])
    fitted = model.fit_latents(images, of, iterations=20)
    with torch.no_grad():
        again, first = (model.sample(2, latent=z, labels=of) for z in (fitted, model.encode(images).clamp(-3, 3)))
    assert torch.equal(model.age(images, of=of, to=of, iterations=20), again)
    assert (again - images).norm() < 0.5 * (first - images).norm()
    assert fitted.abs().max() <= 3


def test_what_is_kept_is_what_the_embedding_compares(model: Any) -> None:
    with torch.no_grad():
        image = model.sample(1, latent=torch.randn(1, 6), labels=torch.tensor([2]))

    def mean(images: Tensor) -> Tensor:
        return images.flatten(1).mean(1, keepdim=True)

    with torch.no_grad():
        kept = model.age(image, of="c", to="c", embedding=mean)
    assert mean(kept).item() == pytest.approx(mean(image).item(), abs=1e-4)


def test_data_without_groups_are_refused() -> None:
    kind = recipes.find("age_cgan")
    with pytest.raises(InputError, match="give --ages"):
        kind(kind.Config(), Spec(shape=IMAGES))


def test_a_group_that_is_not_there_is_named_by_its_flag(model: Any) -> None:
    with pytest.raises(InputError, match="--to is d, and this model has no such class"):
        model.age(torch.zeros(1, *IMAGES), of=0, to="d")
    with pytest.raises(InputError, match="give 1 classes"):
        model.age(torch.zeros(1, *IMAGES), of=torch.tensor([0, 1]), to=0)
