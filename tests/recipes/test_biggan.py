"""BigGAN beside its rounds: latents in pieces, shared classes, projection, orthogonality, standing statistics."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.generate import generate
from zerosum.latent import truncated_normal
from zerosum.layers.spectral_norm import LAYERS
from zerosum.networks.residual_plan import plan
from zerosum.recipes.biggan import orthogonality

FORMS: dict[str, dict[str, Any]] = {
    "tables": {},
    "shared": {"shared": 5},
    "hierarchical": {"shared": 5, "hierarchical": True},
}


def built(shape: tuple[int, ...] = (3, 16, 16), classes: int = 3, **settings: Any) -> Any:
    torch.manual_seed(0)
    kind = recipes.find("biggan")
    config = kind.Config.read({"width": 2, "latent_dim": 7, "batch": 8, **settings})
    return kind(config, Spec(shape=shape, classes=tuple("abc"[:classes])))


@pytest.mark.parametrize("classes", [0, 1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_generates_with_and_without_labels(form, classes):
    recipe = built(classes=classes, **FORMS[form])
    assert recipe.takes_labels == (classes > 0)
    assert recipe.sample(4).shape == (4, 3, 16, 16)
    assert recipe.discriminator(recipe.sample(4), recipe.classes_of(4)).shape == (4,)


@pytest.mark.parametrize("form", ["tables", "shared", "hierarchical"])
def test_another_class_gives_another_sample_and_moves_its_embedding(form):
    recipe = built(**FORMS[form]).eval()
    latent = torch.randn(2, 7)
    a, b = (recipe.sample(2, latent=latent, label=name) for name in ("a", "b"))
    assert not torch.equal(a, b)
    b.square().sum().backward()
    tables = [module.weight.grad for module in recipe.generator.modules() if isinstance(module, nn.Embedding)]
    assert tables
    assert all(table[1].any() and not table[0].any() for table in tables)


def test_each_piece_of_a_hierarchical_latent_reaches_its_block_alone():
    recipe = built((3, 32, 32), latent_dim=8, hierarchical=True, shared=5).eval()
    assert recipe.generator.pieces == [2, 2, 2, 2]
    seen: list[torch.Tensor] = []
    for block in recipe.generator.blocks:
        block.register_forward_hook(lambda _, given, __: seen.append(given[1][0]))
    latent, labels = torch.randn(2, 8), torch.tensor([0, 2])
    recipe.generator(latent, labels)
    for index, vector in enumerate(seen):
        piece = latent[:, 2 + 2 * index : 4 + 2 * index]
        torch.testing.assert_close(vector, torch.cat([recipe.generator.shared(labels), piece], 1))


def test_the_logit_of_another_class_differs_by_the_inner_product_with_the_features():
    recipe = built().eval()
    image = torch.rand(2, 3, 16, 16)
    one, other = (recipe.discriminator(image, torch.full((2,), k)) for k in (0, 1))
    embedding, features = recipe.discriminator.embedding, recipe.discriminator.features(image)
    difference = embedding(torch.tensor([0])) - embedding(torch.tensor([1]))
    torch.testing.assert_close(one - other, (difference * features).sum(1))


def test_everything_but_the_generators_embeddings_has_spectral_norm():
    recipe = built(shared=5)
    for module in recipe.modules():
        if isinstance(module, LAYERS):
            assert ("u" in dict(module.named_buffers())) == (module is not recipe.generator.shared)


def test_orthogonal_rows_have_no_penalty_and_others_the_squares_of_their_products():
    layer = nn.Linear(4, 3)
    nn.init.orthogonal_(layer.weight, gain=2.0)
    assert orthogonality(layer).item() == pytest.approx(0, abs=1e-10)
    layer.weight.data.copy_(torch.tensor([[1.0, 0, 0, 0], [3, 1, 0, 0], [0, 0, 1, 0]]))
    assert orthogonality(layer).item() == pytest.approx(2 * 3**2)


def test_orthogonal_weights_come_from_the_preset():
    recipe = built(init="orthogonal")
    for layer in recipe.modules():
        if isinstance(layer, LAYERS):
            rows = layer.weight.flatten(1)
            gram = rows @ rows.t() if len(rows) <= rows.shape[1] else rows.t() @ rows
            torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_pieces_of_the_latent_alone_need_no_embedding_without_classes_and_one_with_them():
    assert built(classes=0, hierarchical=True).sample(2).shape == (2, 3, 16, 16)
    with pytest.raises(InputError, match="give --shared 128"):
        built(hierarchical=True)


def test_the_penalty_is_a_term_of_the_generator():
    batch = game("biggan", (3, 16, 16)).draw()
    assert list(built().generator_loss(batch)) == ["adversarial"]
    weighed = built(orthogonality=0.1)
    assert weighed.generator_loss(batch)["orthogonality"].item() == pytest.approx(
        0.1 * orthogonality(weighed.generator).item()
    )


def test_the_running_average_is_the_weights_until_it_starts():
    playing = game("biggan", (1, 16, 16), batch=4)
    object.__setattr__(playing.recipe.config, "ema_start", 2)
    same = []
    for _ in range(4):
        playing.recipe.round(playing)
        playing.end_round()
        player = playing.players["generator"]
        same.append(torch.equal(player.average["0.dense.weight"], playing.recipe.generator.dense.weight))
    assert same == [True, True, False, False]


def test_the_running_average_has_the_vectors_of_spectral_norm_as_they_are():
    playing = game("biggan", (1, 16, 16), batch=4)
    for _ in range(3):
        playing.recipe.round(playing)
    average, live = playing.players["generator"].average, playing.recipe.generator.state_dict()
    vectors = [name for name in live if name.endswith(".u")]
    assert len(vectors) == 1 + 2 * 3 + 1
    assert all(torch.equal(average[f"0.{name}"], live[name]) for name in vectors)


@pytest.mark.parametrize("limit", [0.05, 0.5, 2.0])
def test_truncated_latents_keep_their_bound(limit):
    assert truncated_normal(64, 100, limit=limit).abs().max() <= limit


def test_truncated_samples_are_made_under_standing_statistics_the_same_for_the_same_seed():
    recipe = built()
    for _ in range(3):
        recipe.sample(8)
    recipe.eval()
    before = {name: value.clone() for name, value in recipe.state_dict().items()}
    one, again = (generate(recipe, 20, seed=5, controls={"truncation": 0.5}) for _ in range(2))
    few = generate(recipe, 3, seed=5, controls={"truncation": 0.5})
    assert torch.equal(one, again)
    assert torch.equal(one[:3], few)
    assert all(torch.equal(before[name], value) for name, value in recipe.state_dict().items())
    latent, labels = torch.randn(4, 7), torch.tensor([0, 1, 2, 0])
    plain, standing = (recipe.sample(4, latent=latent, labels=labels, standing=flag) for flag in (False, True))
    assert not torch.equal(plain, standing)


def test_standing_statistics_are_collected_anew_only_where_weights_or_truncation_changed():
    recipe, calls = built().eval(), []
    recipe.generator.register_forward_hook(lambda *_: calls.append(1))
    latent = torch.randn(2, 7)
    counts = []
    for truncation in (0.5, 0.5, 1.0):
        recipe.sample(2, latent=latent, truncation=truncation)
        counts.append(len(calls))
    with torch.no_grad():
        recipe.generator.dense.weight.mul_(2)
    recipe.sample(2, latent=latent, truncation=1.0)
    assert [*counts, len(calls)] == [17, 18, 35, 52]


def test_images_too_large_are_refused_with_a_size_that_fits():
    with pytest.raises(InputError, match="--size 256x256 would fit"):
        plan((3, 512, 512))


@pytest.mark.parametrize(
    ("side", "blocks", "left", "attended"), [(32, 3, 8, None), (64, 4, 4, (2, 0)), (128, 5, 4, (3, 0))]
)
def test_maps_and_attention_are_of_the_papers_sizes(side, blocks, left, attended):
    recipe = built((3, side, side), width=1)
    generator, discriminator = recipe.generator, recipe.discriminator
    maps = torch.zeros(1, 3, side, side)
    for block in discriminator.blocks:
        maps = block(maps)
    assert maps.shape[2:] == (left, left)
    assert len(generator.blocks) == blocks
    assert (generator.attended, discriminator.attended) == (attended or (None, None))
