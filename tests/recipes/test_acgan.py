"""AC-GAN's two heads and the terms of its losses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.errors import InputError

SHAPES = pytest.mark.parametrize("shape", [(1, 16, 16), (2,)])


def of_classes(count: int, shape: tuple[int, ...] = (1, 16, 16), **settings: Any) -> Any:
    kind: Any = recipes.find("acgan")
    spec = Spec(shape=shape, kind="images", classes=tuple(map(str, range(count))))
    return kind(kind.Config.for_kind("images", {"width": 4, "latent_dim": 6, **settings}), spec)


def drawn(n: int = 20, classes: int = 10) -> Images:
    return Images(image=torch.rand(n, 1, 16, 16) * 2 - 1, label=torch.arange(n) % classes)


@SHAPES
def test_a_sample_has_one_logit_of_its_source_and_one_of_each_class(shape):
    recipe = game("acgan", shape).recipe
    source, classes = recipe.discriminator(torch.zeros(5, *shape))
    assert (source.shape, classes.shape) == ((5,), (5, 3))


@pytest.mark.parametrize("architecture", ["dcgan", "paper"])
def test_undecided_heads_pay_the_logarithms_of_two_and_of_the_number_of_classes(architecture):
    recipe, batch = of_classes(10, architecture=architecture), drawn()
    for head in (recipe.discriminator.source, recipe.discriminator.classes):
        torch.nn.init.zeros_(head.weight)
    of_generator = recipe.generator_loss(batch)
    found = recipe.discriminator_loss(batch, samples=of_generator.outputs["samples"])
    assert found["class_real"].item() == pytest.approx(math.log(10), abs=1e-5)
    assert found["class_fake"].item() == of_generator["class_fake"].item() == pytest.approx(2.302585, abs=1e-5)
    assert found.total().item() == pytest.approx(5.991465, abs=1e-5)


def test_the_weights_of_the_class_terms_multiply_them():
    batch, settings = drawn(), {"class_real": 2.0, "class_fake": 0.0, "class_generator": 0.1, "dropout": 0.0}
    torch.manual_seed(0)
    plain = of_classes(10, dropout=0.0)
    torch.manual_seed(0)
    weighted = of_classes(10, **settings)
    found = []
    for recipe in (plain, weighted):
        torch.manual_seed(1)
        of_generator = recipe.generator_loss(batch)
        found.append((recipe.discriminator_loss(batch, samples=of_generator.outputs["samples"]), of_generator))
    (d, g), (d_weighted, g_weighted) = found
    assert d_weighted["class_real"].item() == pytest.approx(2 * d["class_real"].item())
    assert d_weighted["class_fake"].item() == 0
    assert g_weighted["class_fake"].item() == pytest.approx(0.1 * g["class_fake"].item())
    assert d_weighted["adversarial"].item() == pytest.approx(d["adversarial"].item())


def test_the_generators_class_term_alone_makes_samples_of_their_classes():
    # classes by brightness; the head that judges in the end is another than the one that taught
    torch.manual_seed(0)
    recipe = of_classes(2, dropout=0.0).train()
    batch = Images(image=torch.zeros(32, 1, 16, 16), label=torch.arange(32) % 2)

    class Bright(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            mean = 4 * x.mean((1, 2, 3))
            return mean, torch.stack([-mean, mean], 1)

    recipe.discriminator = Bright()

    def agreement() -> float:
        samples = recipe.sample(32, labels=batch.label)
        return ((samples.mean((1, 2, 3)) > 0).long() == batch.label).float().mean().item()

    optimizer = torch.optim.Adam(recipe.generator.parameters(), lr=2e-3)
    assert agreement() < 0.9
    for _ in range(60):
        optimizer.zero_grad()
        recipe.generator_loss(batch)["class_fake"].backward()
        optimizer.step()
    assert agreement() == 1


def test_labels_that_say_nothing_leave_the_class_loss_of_data_where_it_was():
    torch.manual_seed(0)
    recipe = of_classes(10, dropout=0.0)
    optimizer = torch.optim.Adam(recipe.discriminator.parameters(), lr=2e-4)
    last = []
    for step in range(60):
        batch = drawn(64)
        shuffled = Images(image=batch.image, label=torch.randint(10, (64,)))
        loss = recipe.discriminator_loss(
            shuffled, samples=torch.zeros(64, 1, 16, 16) + 0.1 * torch.randn(64, 1, 16, 16)
        )
        optimizer.zero_grad()
        loss.total().backward()
        optimizer.step()
        last += [loss["class_real"].item()] if step >= 40 else []
    assert sum(last) / len(last) == pytest.approx(math.log(10), abs=0.1)


def test_data_without_labels_are_refused_in_a_sentence():
    kind: Any = recipes.find("acgan")
    with pytest.raises(InputError, match="ACGAN is trained on labels, and these data have none"):
        kind(kind.Config(), Spec(shape=(1, 16, 16)))
