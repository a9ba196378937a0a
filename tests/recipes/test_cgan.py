"""The labels that the networks of the conditional GAN take, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.clusters import named
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.layers.labels import append_labels, encode

K = 3
SHAPES = pytest.mark.parametrize("shape", [(2, 16, 16), (2,)])


def eval_recipe(shape: tuple[int, ...]) -> Any:
    recipe = game("cgan", shape).recipe
    with torch.no_grad():
        for parameter in recipe.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return recipe.eval()


def test_labels_are_encoded_as_one_of_k_and_shares_of_classes_stay():
    assert encode(torch.tensor([1, 0, 2]), K).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert encode(torch.tensor([[0, 1], [1, 1]]), 2).dtype == torch.float32
    shares = torch.tensor([[0.25, 0.75, 0.0]])
    assert torch.equal(encode(shares, K), shares)


@SHAPES
def test_a_sample_gets_exactly_one_plane_of_ones(shape):
    recipe, entered = game("cgan", shape).recipe, []
    recipe.discriminator.body.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0]))
    x, labels = torch.randn(5, *shape), torch.tensor([0, 1, 2, 2, 0])
    recipe.discriminator(x, labels)
    (given,) = entered
    assert given.shape == (5, shape[0] + K, *shape[1:])
    assert torch.equal(given[:, : shape[0]], x)
    for row, label in zip(given[:, shape[0] :], labels, strict=True):
        assert (row[label] == 1).all()
        assert row.flatten(1).sum() == row[label].numel() if row.ndim > 1 else row.sum() == 1


@SHAPES
def test_classes_that_trade_places_in_weights_and_labels_give_the_same_samples(shape):
    recipe = eval_recipe(shape)
    latent, labels, order = torch.randn(6, 6), torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([2, 0, 1])
    before = recipe.sample(6, latent=latent, labels=labels)
    body = recipe.generator.body
    weight = body.start.expand.weight.data if len(shape) == 3 else body.layers[0].weight.data.T  # latent values first
    weight[6:] = weight[6:][torch.argsort(order)]
    torch.testing.assert_close(recipe.sample(6, latent=latent, labels=order[labels]), before)
    assert not torch.allclose(recipe.sample(6, latent=latent, labels=labels), before)


@SHAPES
def test_samples_between_classes_change_continuously(shape):
    recipe = eval_recipe(shape)
    latent = torch.randn(1, 6).expand(201, 6)
    share = torch.linspace(0, 1, 201)
    codes = torch.stack([1 - share, share, torch.zeros(201)], 1)
    samples = recipe.generate(latent, codes)
    for end, label in ((samples[:1], 0), (samples[-1:], 1)):
        whole = recipe.sample(1, latent=latent[:1], labels=torch.tensor([label]))
        torch.testing.assert_close(end, whole)
    steps = samples.diff(dim=0).abs().amax()
    assert 0 < steps < 0.05 * (samples[-1] - samples[0]).abs().amax() + 1e-3


def test_the_same_labels_stand_at_data_samples_and_both_players():
    playing: Any = game("cgan", (1, 16, 16))
    recipe, seen = playing.recipe, []
    for network in (recipe.generator, recipe.discriminator):
        network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    batch = playing.draw()
    playing.draw = lambda: batch
    recipe.round(playing)
    assert len(seen) == 3 + 2
    assert all(torch.equal(labels, batch.label) for labels in seen)


def test_the_penalty_is_of_the_slope_in_the_images_alone():
    kind: Any = recipes.find("cgan")
    recipe = kind(
        kind.Config.for_kind("points", {"loss": "wasserstein", "width": 4, "penalty": 10.0}),
        Spec(shape=(2,), kind="points", classes=("a", "b", "c")),
    )

    class Linear(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ torch.tensor([3.0, 4.0, 100.0, -100.0, 50.0])

    recipe.discriminator.body = Linear()
    batch = game("cgan", (2,)).draw()
    assert recipe.objective == "wasserstein"
    assert recipe.discriminator_loss(batch)["penalty"].item() == pytest.approx(160, rel=1e-5)  # 10 (5 - 1)^2


def test_r1_is_of_the_slope_in_real_images_alone():
    kind: Any = recipes.find("cgan")
    settings = {"width": 4, "gamma": 0.1}
    recipe = kind(kind.Config.for_kind("points", settings), Spec(shape=(2,), kind="points", classes=("a", "b", "c")))

    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.square() @ torch.tensor([3.0, 4.0, 100.0, -100.0, 50.0])) / 2

    recipe.discriminator.body = Square()
    batch = game("cgan", (2,)).draw()
    found = recipe.discriminator_loss(batch)
    slopes = (batch.real * torch.tensor([3.0, 4.0])).square().sum(1)
    assert found["penalty"].item() == pytest.approx(0.05 * slopes.mean().item(), rel=1e-5)
    plain = kind(kind.Config.for_kind("points", {**settings, "gamma": 0.0}), recipe.spec)
    plain.load_state_dict(recipe.state_dict(), strict=False)
    plain.discriminator.body = recipe.discriminator.body
    torch.manual_seed(0)
    with_r1 = recipe.discriminator_loss(batch)["adversarial"]
    torch.manual_seed(0)
    assert with_r1.item() == pytest.approx(plain.discriminator_loss(batch)["adversarial"].item(), rel=1e-6)


def test_a_penalty_leaves_batch_norm_out_and_refuses_it():
    kind: Any = recipes.find("cgan")
    spec = Spec(shape=(1, 16, 16), classes=("a", "b"))
    for settings, batch_norm in (({}, True), ({"gamma": 0.1}, False), ({"loss": "wasserstein"}, False)):
        layers = kind(kind.Config.read({"width": 4, **settings}), spec).discriminator.modules()
        assert any(isinstance(layer, nn.BatchNorm2d) for layer in layers) is batch_norm
    with pytest.raises(InputError, match="--discriminator-norm"):
        kind(kind.Config.read({"width": 4, "gamma": 0.1, "discriminator_norm": "batch"}), spec)


def test_the_objective_is_that_of_the_loss():
    assert game("cgan", (2,)).recipe.objective == "logistic"


def test_data_without_labels_are_refused_in_a_sentence():
    kind: Any = recipes.find("cgan")
    with pytest.raises(InputError, match="CGAN is trained on labels, and these data have none"):
        kind(kind.Config(), Spec(shape=(1, 16, 16)))


def test_appended_labels_take_the_type_of_what_they_are_appended_to():
    found = append_labels(torch.zeros(2, 1, 4, 4, dtype=torch.bfloat16), torch.tensor([0, 1]), 2)
    assert (found.dtype, found.shape) == (torch.bfloat16, (2, 3, 4, 4))


@pytest.mark.parametrize(
    ("channels", "classes", "device", "preset"),
    [
        (1, ("a", "b"), "cpu", "small"),
        (3, ("a", "b"), "cpu", "batch-norm"),
        (1, named(2), "cpu", "small"),
        (3, named(2), "cpu", "batch-norm"),
        (1, (), "cpu", "batch-norm"),
        (1, ("a", "b"), "cuda", "dcgan"),
    ],
)
def test_the_preset_goes_by_the_device_the_channels_and_what_stands_for_labels(channels, classes, device, preset):
    spec = Spec(shape=(channels, 16, 16), classes=classes)
    assert recipes.find("cgan").Config.preset_for(spec, device) == preset


def test_the_preset_of_clusters_goes_by_how_many_images_there_are():
    chosen = {
        (classes, count): recipes.find("cgan").Config.preset_for(
            Spec(shape=(1, 16, 16), classes=classes, class_counts=(count // 2,) * 2), "cpu"
        )
        for classes in (("a", "b"), named(2))
        for count in (4_998, 5_000)
    }
    assert [key for key, preset in chosen.items() if preset == "batch-norm"] == [(named(2), 4_998)]
