"""DVD-GAN's networks and game: tabled counts, the recurrent unit's closed forms, what each discriminator depends on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.kinds.clips import Clips
from zerosum.layers.conv_gru import ConvGRU
from zerosum.layers.spectral_norm import apply_spectral_norm, normalised_weight
from zerosum.networks.dvdgan import Generator, SpatialDiscriminator, TemporalDiscriminator, pixel_budget
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.weightless import without_weights
from zerosum.training.choice import with_stabilisers


def trainable(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("width", "counts"), [(4, (165_491, 19_065, 27_561)), (8, (543_875, 75_121, 108_241))], ids=["ch4", "ch8"]
)
def test_scaled_networks_have_the_tabled_counts(width: int, counts: tuple[int, int, int]) -> None:
    kind = recipes.find("dvdgan")
    with without_weights():
        spec = Spec(shape=(16, 3, 32, 32), kind="clips", classes=("a", "b", "c", "d"))
        recipe = kind(kind.Config.read({"width": width}), spec)
    assert tuple(map(trainable, (recipe.generator, recipe.spatial, recipe.temporal))) == counts


def test_both_discriminators_together_take_the_papers_share_of_the_pixels() -> None:
    taken, all_ = pixel_budget((48, 3, 128, 128), 8)
    assert (taken, all_) == (327_680, 786_432)
    assert 1 - taken / all_ == pytest.approx(0.583, abs=5e-4)


def test_a_memory_that_is_kept_whole_stays_zero() -> None:
    torch.manual_seed(0)
    unit = ConvGRU(4)
    assert unit.gates.bias is not None
    unit.gates.bias.data[:4] = 1e9  # the update gates
    assert torch.equal(unit(torch.randn(2, 3, 4, 5, 5)), torch.zeros(2, 3, 4, 5, 5))


@pytest.mark.parametrize("normalised", [False, True])
def test_the_recurrent_unit_is_its_equations(normalised: bool) -> None:
    torch.manual_seed(0)
    unit, maps = ConvGRU(3).double(), torch.randn(2, 4, 3, 5, 5, dtype=torch.float64)
    if normalised:
        apply_spectral_norm(unit)
    found = unit.eval()(maps)
    weights = [normalised_weight(layer) if normalised else layer.weight for layer in (unit.gates, unit.candidate)]
    h = torch.zeros_like(maps[:, 0])
    for t in range(4):
        x = maps[:, t]
        gates = nn.functional.conv2d(torch.cat([h, x], 1), weights[0], unit.gates.bias, padding=1).sigmoid()
        update, reset = gates[:, :3], gates[:, 3:]
        both = torch.cat([reset * h, x], 1)
        h = update * h + (1 - update) * nn.functional.conv2d(both, weights[1], unit.candidate.bias, padding=1).relu()
        torch.testing.assert_close(found[:, t], h)


def test_a_frame_depends_on_no_later_input_of_the_recurrence() -> None:
    torch.manual_seed(0)
    unit, maps = ConvGRU(3), torch.randn(1, 4, 3, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(unit(maps)[:, 1].sum(), maps)
    assert slope[:, :2].abs().sum() > 0
    assert not slope[:, 2:].any()


def made(classes: int = 3) -> Generator:
    torch.manual_seed(0)
    return Generator(5, (4, 3, 16, 16), 2, classes=classes, embedding=4)


def test_frames_of_the_generator_in_evaluation_are_causal() -> None:
    generator, given = made().eval(), []
    stage = generator.stages[1]
    stage.memory.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    clip = generator(torch.randn(2, 5), torch.tensor([0, 1]))
    assert clip.shape == (2, 4, 3, 16, 16)
    assert clip.abs().max() <= 1
    (slope,) = torch.autograd.grad(clip[:, 1].sum(), given[0])
    assert slope[:, :2].any()
    assert not slope[:, 2:].any()


def test_every_frame_of_a_clip_takes_its_own_clips_class() -> None:
    generator = made().eval()
    seen: list[Tensor] = []
    generator.stages[0].block.norm1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    latent, labels = torch.randn(2, 5), torch.tensor([2, 0])
    generator(latent, labels)
    assert generator.embedding is not None
    vectors = torch.cat([latent, generator.embedding(labels)], 1)
    assert torch.equal(seen[0], torch.stack([vectors[0]] * 4 + [vectors[1]] * 4))


def test_the_spatial_discriminator_is_blind_to_the_order_of_frames_and_the_temporal_is_not() -> None:
    torch.manual_seed(0)
    shape, clip, order = (6, 3, 16, 16), torch.randn(2, 6, 3, 16, 16), torch.tensor([3, 0, 5, 1, 4, 2])
    spatial, temporal = SpatialDiscriminator(shape, 2, frames=6).eval(), TemporalDiscriminator(shape, 2).eval()
    chosen = torch.arange(6).expand(2, -1)
    torch.testing.assert_close(spatial(clip, None, chosen), spatial(clip[:, order], None, chosen))
    assert not torch.allclose(temporal(clip), temporal(clip[:, order]), rtol=1e-3)


def test_frames_are_drawn_without_replacement_for_each_clip() -> None:
    torch.manual_seed(0)
    drawn = SpatialDiscriminator((16, 3, 16, 16), 2, frames=8).draw(64, 16, torch.device("cpu"))
    assert drawn.shape == (64, 8)
    assert all(len(set(row)) == 8 for row in drawn.tolist())
    assert len({tuple(row) for row in drawn.tolist()}) == 64
    assert set(drawn.flatten().tolist()) == set(range(16))


@pytest.mark.parametrize(("loss", "lost", "left"), [("hinge", 2.0, 0.0), ("relativistic", math.log(2), math.log(2))])
def test_logits_of_zero_lose_what_the_game_says(loss: str, lost: float, left: float) -> None:
    playing = game("dvdgan", (), settings={"loss": loss})
    recipe: Any = playing.recipe
    with torch.no_grad():
        for network in recipe.discriminators():
            for parameter in network.logit.parameters():
                parameter.zero_()
    batch = playing.draw()
    found = {name: term.item() for name, term in recipe.discriminator_loss(batch).items()}
    assert found.pop("penalty", 0.0) == 0
    assert found == {"spatial": pytest.approx(lost), "temporal": pytest.approx(lost)}
    found = {name: term.item() for name, term in recipe.generator_loss(batch).items()}
    assert found == {"spatial": pytest.approx(left), "temporal": pytest.approx(left)}


def test_the_penalty_is_gamma_by_half_the_mean_squared_slope_on_each_side_of_each_discriminator() -> None:
    playing = game("dvdgan", (), settings={"loss": "relativistic", "gamma": 3.0})
    recipe: Any = playing.recipe
    slope = 0.25

    def linear(clip: Tensor, labels: Tensor | None) -> Tensor:
        return slope * clip.flatten(1).sum(1)

    recipe.discriminators = lambda: (linear, linear)
    batch = playing.draw()
    values = batch.clip[0].numel()
    loss = recipe.discriminator_loss(batch)
    assert loss["penalty"].item() == pytest.approx(2 * (3 / 2) * 2 * slope**2 * values)


def test_the_relativistic_game_compares_pairs_of_a_class_and_bounds_pixels_in_use_alone() -> None:
    playing = game("dvdgan", (), settings={"loss": "relativistic"})
    recipe: Any = playing.recipe
    batch = playing.draw()
    with torch.no_grad():
        recipe.generator.to_image.bias += 5
        drawn, labels = recipe._drawn(batch)
    assert labels is batch.label
    assert drawn.max() > 1
    assert recipe.sample(4).max() == 1
    assert not any(name.endswith(".u") for name, _ in recipe.named_buffers())


def test_clips_without_labels_are_played() -> None:
    torch.manual_seed(0)
    kind = recipes.find("dvdgan")
    recipe = kind(kind.Config.read({"width": 2}), Spec(shape=(3, 1, 16, 16), kind="clips"))
    assert recipe.generator.embedding is None
    assert recipe.spatial.logit.embedding is None
    loss = recipe.discriminator_loss(Clips(clip=torch.randn(2, 3, 1, 16, 16)))
    assert loss.total().isfinite()
    assert recipe.sample(2).shape == (2, 3, 1, 16, 16)


def test_clips_are_mirrored_and_not_augmented_as_images() -> None:
    spec = Spec(shape=(3, 1, 16, 16), kind="clips")
    plan = RunConfig.read("moving-digits", None, {"mirror": 0.5, "width": 2})
    assert build_recipe(plan, spec).jitter.mirror == 0.5
    assert not with_stabilisers(plan, spec, count=10).training.stabilise


@pytest.mark.parametrize(
    ("shape", "device", "preset"),
    [
        ((16, 3, 16, 16), "cpu", "relativistic"),
        ((16, 3, 32, 32), "cpu", "relativistic32"),
        ((16, 3, 64, 64), "cpu", "small64"),
        ((16, 3, 32, 32), "cuda", "medium"),
        ((16, 3, 64, 64), "cuda", "large"),
    ],
)
def test_presets_go_by_the_frames_size_and_the_device(shape: tuple[int, ...], device: str, preset: str) -> None:
    assert recipes.find("dvdgan").Config.preset_for(Spec(shape=shape, kind="clips"), device) == preset
