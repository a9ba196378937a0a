"""SRGAN: the paper's counts, shapes and closed forms, its phases, its content losses, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from tests.recipes.conftest import game, sides
from zerosum import api
from zerosum.data.batch import Pairs
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.prelu import PReLU
from zerosum.networks.srresnet import SRResNet
from zerosum.networks.vgg import LAYERS, normalised, read_vgg19
from zerosum.player import Clock
from zerosum.recipes.srgan import SRGAN, Config, Discriminator
from zerosum.runtime.progress import Silent
from zerosum.runtime.weightless import without_weights


def small(shape: tuple[int, ...] = (3, 32, 32), factor: int = 4, **settings: Any) -> SRGAN:
    torch.manual_seed(0)
    source = (shape[0], shape[1] // factor, shape[2] // factor)
    config = Config.read({"width": 4, "blocks": 1, "batch": 2, **settings})
    return SRGAN(config, Spec(shape=shape, source_shape=source))


def pair(recipe: SRGAN, n: int = 2) -> Pairs:
    source = torch.rand(n, *(recipe.spec.source_shape or ())).mul(2).sub(1)
    return Pairs(source=source, target=torch.rand(n, *recipe.spec.shape).mul(2).sub(1))


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


class Times(torch.nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in VGG19's shapes, with a classifier that is of no use."""
    torch.manual_seed(0)
    tensors, before = {"classifier.0.weight": torch.zeros(2, 2)}, 3
    for number, channels in LAYERS.items():
        spread = math.sqrt(2 / (9 * before))
        tensors[f"features.{number}.weight"] = (spread * torch.randn(channels, before, 3, 3)).half()
        tensors[f"features.{number}.bias"] = torch.zeros(channels).half()
        before = channels
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    safetensors.torch.save_file(tensors, path)
    return path


@pytest.mark.parametrize(("channels", "parameters"), [(1, 163_016), (3, 173_386)])
def test_the_small_generator_has_its_parameters_in_gray_and_in_colour(channels, parameters):
    with without_weights():
        assert count(SRResNet(channels, channels, width=32, blocks=4, doublings=2)) == parameters


def test_without_batch_norm_an_image_is_enlarged_alone_and_the_rest_is_as_it_was():
    torch.manual_seed(0)
    plain = SRResNet(3, 3, width=32, blocks=4, doublings=2, batch_norm=False).train()
    assert count(plain) == 173_386 - 9 * 2 * 32
    images = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(plain(images)[:1], plain(images[:1]))
    normed = SRResNet(3, 3, width=32, blocks=4, doublings=2).eval()  # at rest, with statistics of 0 and 1
    ours, theirs = (
        [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d | PReLU)]
        for network in (plain, normed)
    )
    for layer, given in zip(ours, theirs, strict=True):
        layer.load_state_dict(given.state_dict())
    torch.testing.assert_close(plain(images), normed(images), atol=1e-4, rtol=1e-4)


def test_a_global_residual_is_added_to_an_interpolated_image():
    image = torch.rand(1, 3, 5, 7) * 2 - 1
    larger = interpolate(image, scale_factor=4.0, mode="bilinear")
    with_it, without = small(global_residual=True).eval(), small().eval()
    added = without.translate(image)
    torch.testing.assert_close(with_it.translate(image), (larger + added).clamp(-1, 1))
    assert (larger + 5 * added).abs().max() > 1
    for recipe in (with_it, without):
        recipe.generator.tail = torch.nn.Sequential(recipe.generator.tail, Times(5.0))
    torch.testing.assert_close(with_it.translate(image), (larger + 5 * added).clamp(-1, 1))
    with_it.generator.training = True
    torch.testing.assert_close(with_it.translate(image), larger + 5 * added)


@pytest.mark.parametrize(("given", "made", "added"), [(3, 3, True), (1, 3, True), (1, 1, True), (4, 3, False)])
def test_only_images_of_one_or_as_many_channels_are_added(given, made, added):
    config = Config.read({"width": 4, "blocks": 1, "batch": 2, "preset": "small", "global_residual": True})
    recipe = SRGAN(config, Spec(shape=(made, 32, 32), source_shape=(given, 8, 8)))
    assert recipe.generator.global_residual == added
    assert recipe.translate(torch.rand(1, given, 8, 8)).shape == (1, made, 32, 32)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_images_of_any_size_come_out_two_four_or_eight_times_as_large(factor):
    recipe = small(factor=factor).eval()
    assert recipe.factor == factor
    made = recipe.translate(torch.rand(1, 3, 37, 53))
    assert made.shape == (1, 3, 37 * factor, 53 * factor)
    assert made.abs().max() <= 1


def test_sub_pixels_are_laid_out_as_pixel_unshuffle_takes_them_up():
    maps = torch.arange(2.0 * 8 * 3 * 5).view(2, 8, 3, 5)
    shuffled = pixel_shuffle(maps, 2)
    assert shuffled.shape == (2, 2, 6, 10)
    assert torch.equal(pixel_unshuffle(shuffled, 2), maps)
    assert shuffled[0, 0, 0, 1] == maps[0, 1, 0, 0]


@pytest.mark.parametrize(("factor", "blocks"), [(2, 0), (2, 2), (4, 1), (8, 0)])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_radius_is_how_far_a_pixel_looks(factor, blocks, batch_norm):
    torch.manual_seed(0)
    doublings = factor.bit_length() - 1
    network = SRResNet(1, 1, width=3, blocks=blocks, doublings=doublings, batch_norm=batch_norm).eval()
    radius, reach = network.radius, []
    for index in range(factor):
        image = torch.randn(1, 1, 1, 2 * radius + 9, requires_grad=True)
        middle = radius + 4
        network(image)[0, 0, 0, middle * factor + index].backward()
        seen = image.grad[0, 0, 0].nonzero().flatten()
        reach += [middle - int(seen.min()), int(seen.max()) - middle]
    assert max(reach) == radius


def test_the_papers_radius_is_forty_pixels():
    with without_weights():
        assert SRResNet(3, 3, width=64, blocks=16, doublings=2).radius == 40


@pytest.mark.parametrize("side", [96, 64, 20])
def test_the_discriminator_takes_crops_of_other_sizes_with_as_many_parameters(side):
    torch.manual_seed(0)
    network = Discriminator(3, 4)
    assert count(network) == count(Discriminator(3, 4))
    assert network(torch.randn(2, 3, side, side)).shape == (2,)
    assert network.features(torch.randn(2, 3, 96, 96)).shape == (2, 32, 6, 6)


def test_the_adversarial_term_of_an_undecided_discriminator_is_a_thousandth_of_log_two():
    recipe = small()
    batch = pair(recipe)
    recipe.discriminator.forward = lambda image: torch.zeros(len(image))
    recipe.translate = lambda source: batch.target + 0.1
    loss = recipe.generator_loss(batch)
    assert loss["adversarial"].item() == pytest.approx(0.000693147, rel=1e-5)
    assert loss["content"].item() == pytest.approx(0.01, rel=1e-4)
    assert recipe.pixel_loss(batch).total().item() == pytest.approx(0.01, rel=1e-4)
    found = recipe.discriminator_loss(batch, made=batch.target)
    assert found.total().item() == pytest.approx(2 * math.log(2), rel=1e-5)


def test_the_generator_learns_alone_first_and_then_with_a_forgetful_optimizer():
    recipe = small(rounds=10, pretrain=6)
    alone, played = recipe.phases()
    assert [(phase.name, phase.rounds, phase.reset_optimizers) for phase in (alone, played)] == [
        ("pretrain", 6, ()),
        ("adversarial", 4, ("generator",)),
    ]
    assert [phase.rounds for phase in small(rounds=5, pretrain=6).phases()] == [5]
    assert [phase.rounds for phase in small(rounds=50).phases()] == [41, 9]  # 5/6 of them alone
    assert [phase.rounds for phase in small(rounds=2).phases()] == [1, 1]
    assert [phase.rounds for phase in small(rounds=1_200_000).phases()] == [1_000_000, 200_000]
    with pytest.raises(InputError, match="whole number of rounds"):
        small(rounds=5, pretrain=1.5)
    playing = game("srgan", (3, 16, 16))
    before = {name: p.clone() for name, p in playing.recipe.discriminator.state_dict().items()}
    playing.recipe.pretrain_round(playing)
    after = playing.recipe.discriminator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(("phase", "played", "rate"), [(0, 90, 1e-4), (1, 49, 1e-4), (1, 50, 1e-5)])
def test_the_second_half_of_the_game_has_a_tenth_of_the_rate(phase, played, rate):
    player = small().players()["generator"]
    player.parameters[0].grad = torch.zeros_like(player.parameters[0])
    player.step(Clock(phase=phase, phase_round=played, phase_rounds=100))
    assert player.optimizer.param_groups[0]["lr"] == pytest.approx(rate)


@pytest.mark.parametrize(
    ("phase", "played", "rate"), [(0, 50, 1e-3), (0, 75, 5e-4), (0, 99, 1e-4), (1, 49, 2e-4), (1, 50, 2e-5)]
)
def test_the_rate_may_fall_before_the_game_which_may_have_one_of_its_own(phase, played, rate):
    recipe = SRGAN(Config(width=4, blocks=1, lr=1e-3, pretrain_hold=0.5, game_lr=2e-4), Spec(shape=(1, 16, 16)))
    for player in recipe.players().values():
        for parameter in player.parameters:
            parameter.grad = torch.zeros_like(parameter)
        player.step(Clock(phase=phase, phase_round=played, phase_rounds=100))
        assert player.optimizer.param_groups[0]["lr"] == pytest.approx(rate)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_pixel_losses_fall_in_either_precision(precision):
    torch.manual_seed(0)
    data = sides("srgan", (3, 16, 16))
    recipe = SRGAN(Config.read({"width": 8, "blocks": 1, "lr": 3e-3, "batch": 8}), data.spec)
    source = Stream(data, seed=0)
    playing = Game(recipe, source, precision=precision)
    losses = []
    for _ in range(30):
        losses.append(float(playing.move("generator", recipe.pixel_loss, playing.draw()).total()))
        playing.end_round()
    source.close()
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])


def test_vgg_sees_what_imagenets_images_look_like():
    white = normalised(torch.ones(1, 1, 1, 1))
    torch.testing.assert_close(white.flatten(), torch.tensor([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]))


def test_vggs_last_maps_are_six_by_six_and_equal_images_differ_by_nothing(weights):
    recipe = small((3, 96, 96), vgg=str(weights))
    players = recipe.players()
    image = torch.rand(1, 3, 96, 96)
    features = read_vgg19(weights)(image)
    assert features.shape == (1, 512, 6, 6)
    assert features.min() == 0
    assert recipe.content_loss(image, image) == 0
    apart = recipe.content_loss(image, 1 - image)
    other = (features - read_vgg19(weights)(1 - image)).square().mean() / 12.75**2
    torch.testing.assert_close(apart, other)
    assert set(players) == {"generator", "discriminator"}
    assert not any("vgg" in name for name in recipe.state_dict())


def test_vgg_moves_the_generator_and_is_not_needed_in_use(weights, tmp_path):
    data = {"rounds": 2, "pretrain": 1, "batch": 2, "width": 4, "blocks": 1, "size": "16", "degrade": "downscale:2"}
    vgg = tmp_path / "vgg.safetensors"
    vgg.write_bytes(weights.read_bytes())
    said = Told()
    run = api.train("digits", recipe="srgan", run=tmp_path / "run", vgg=str(vgg), progress=said, **data)
    assert run.history()[-1]["generator/content"] > 0
    assert any(str(vgg) in note and "VGG19" in note for note in said.notes)
    assert sum(path.stat().st_size for path in run.latest().iterdir()) < 5e6
    vgg.unlink()
    assert api.load(run.path).translate(torch.zeros(1, 1, 5, 4)).shape == (1, 1, 10, 8)


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("content", "said"), [("auto", "pixels"), ("pixels", "pixels"), ("discriminator", "discriminator's own features")]
)
def test_another_content_loss_than_the_papers_is_said(content, said):
    note = small(content=content, rounds=2, pretrain=1).notes[-1]
    assert said in note
    assert "not" in note
    assert "--vgg FILE" in note


def test_it_is_said_when_no_round_is_left_for_the_game():
    note = small(rounds=50, pretrain=50).notes[-1]
    assert "All 50 rounds are SRResNet's alone" in note


def test_the_discriminators_features_are_a_constant_to_the_generator():
    playing = game("srgan", (3, 16, 16))
    recipe, batch = playing.recipe, playing.draw()
    recipe.content = "discriminator"
    assert recipe.content_loss(batch.target, batch.target) == 0
    playing.move("generator", recipe.generator_loss, batch)
    assert all(p.grad is None for p in recipe.discriminator.parameters())


def test_a_file_that_is_no_vgg19_is_refused_before_a_run_begins(weights, tmp_path):
    tensors = safetensors.torch.load_file(weights)
    wrong = {name: value for name, value in tensors.items() if name != "features.34.bias"}
    safetensors.torch.save_file(wrong, tmp_path / "lacks.safetensors")
    safetensors.torch.save_file({"features.0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "shape.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights at all")
    cases = {
        "lacks.safetensors": "has nothing where VGG19 has features.34.bias",
        "shape.safetensors": r"has \(64, 1, 3, 3\) where VGG19 has features.0.weight of \(64, 3, 3, 3\)",
        "text.safetensors": "does not hold tensors",
        "none.safetensors": "no weights file",
    }
    for name, sentence in cases.items():
        with pytest.raises(InputError, match=sentence):
            small(vgg=str(tmp_path / name)).players()


@pytest.mark.parametrize(
    ("settings", "shape", "sentence"),
    [
        ({"content": "vgg"}, (3, 32, 32), "--vgg FILE"),
        ({"content": "pixels", "vgg": "x"}, (3, 32, 32), "leave one of them out"),
        ({"vgg": "x"}, (4, 32, 32), "--channels 3"),
        ({"vgg": "x"}, (3, 8, 8), "larger --size"),
        ({"batch": 1}, (3, 16, 16), "--batch 2"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, shape, sentence):
    with pytest.raises(InputError, match=sentence):
        small(shape, **settings)


@pytest.mark.parametrize("source", [(3, 32, 32), (3, 24, 24), (3, 8, 16), (3, 1, 1)])
def test_sources_that_are_not_smaller_by_a_power_of_two_are_refused(source):
    with pytest.raises(InputError, match="2, 4, 8 or 16 times as large"):
        SRGAN(Config(width=4, blocks=1), Spec(shape=(3, 32, 32), source_shape=source))


def test_vgg_computes_in_float32_under_autocast(weights: Path) -> None:
    network, image = read_vgg19(weights), torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network(image)
    assert rounded.dtype == torch.float32
    assert torch.equal(rounded, network(image))


@pytest.mark.parametrize(("side", "said"), [(44, True), (48, False)])
def test_tiles_that_are_mostly_padding_are_said(side: int, said: bool) -> None:
    notes = small((3, side, side)).notes
    assert any(f"images of {side // 4}x{side // 4} pixels" in note and "--size 48" in note for note in notes) is said
