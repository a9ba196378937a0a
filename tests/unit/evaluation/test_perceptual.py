"""LPIPS of pairs and perceptual path length: by which eye they are taken, and what they say of known generators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.measures import perceptual
from zerosum.evaluation.samples import Comparison, Perceptual
from zerosum.features.classifier import Classifier
from zerosum.features.classifier_extractor import Trained
from zerosum.latent import lerp
from zerosum.metrics.lpips import FeatureStack, PerceptualDistance
from zerosum.recipe import RecipeConfig
from zerosum.tasks import INPAINT, TRANSLATE, GenerativeRecipe

CPU = torch.device("cpu")


class Ramp(GenerativeRecipe):
    """Every image is gray, as bright as its latent, which is -1/2 or 1/2."""

    between = staticmethod(lerp)
    round = players = lambda self: None

    def __init__(self) -> None:
        super().__init__(RecipeConfig(), Spec(shape=(1, 32, 32)))
        self.weight = nn.Parameter(torch.zeros(1))
        self.drawn = 0

    def prior(self, n: int) -> Tensor:
        self.drawn += 1
        return torch.full((n, 1), 0.5 if self.drawn % 2 else -0.5, dtype=torch.float64)

    def sample(self, n: int, *, latent: Tensor | None = None) -> Tensor:
        latent = self.prior(n) if latent is None else latent
        return latent.view(n, 1, 1, 1).expand(n, 1, 32, 32)


class Squares(PerceptualDistance):
    """The mean squared difference, in place of what a network sees."""

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = (side.float() / 127.5 - 1 if side.dtype == torch.uint8 else side for side in (a, b))
        return (a - b).square().flatten(1).mean(1)


def seen_by(comparison: Comparison, name: str) -> Comparison:
    eye = Perceptual(distance=Squares(name, lambda _: (), None), sees="weights 1234", device=CPU)
    return replace(comparison, reference=replace(comparison.reference, perceptual=eye))


@pytest.fixture
def backbone(tmp_path: Path) -> tuple[Path, Path]:
    """Random weights of AlexNet, and heads that weigh every channel by 1."""
    stack = FeatureStack("alex")
    for layer in stack.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    safetensors.torch.save_file(stack.state_dict(), tmp_path / "alex.safetensors")
    heads = {f"lin{s}.model.1.weight": torch.ones(1, width, 1, 1) for s, width in enumerate((64, 192, 384, 256, 256))}
    (tmp_path / "weights" / "lpips_v0.1").mkdir(parents=True)
    torch.save(heads, tmp_path / "weights" / "lpips_v0.1" / "alex.pth")
    return tmp_path / "alex.safetensors", tmp_path / "weights" / "lpips_v0.1" / "alex.pth"


def test_the_path_of_a_ramp_has_the_length_of_its_slope(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert perceptual.PAIRS == 500  # as docs/evaluation.md says
    monkeypatch.setattr(perceptual, "PAIRS", 100)
    comparison = replace(seen_by(digits.comparison(digits.fresh), "lpips-vgg"), recipe=Ramp())
    (figure,), _ = compute_metrics(comparison, ("ppl",))
    assert figure.title == "PPL-vgg"
    assert figure.value == pytest.approx(1.0, rel=1e-6)  # |1/2 - (-1/2)|^2 for every pair
    assert figure.interval is not None
    assert figure.interval.high - figure.interval.low < 1e-6
    assert figure.settings.startswith("100 pairs of latents, lerp, steps of 0.0001 anywhere on the way, float32")
    assert figure.settings.endswith("weights 1234")


def test_the_stages_of_a_classifier_carry_its_name_and_are_no_published_path_length(
    digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perceptual, "PAIRS", 100)
    network = Classifier(1, 10).eval().requires_grad_(False)
    eye = perceptual.perceptual_distance(EvaluationConfig(), digits.dataset, Trained(network, "", 1.0, ""), CPU)
    comparison = digits.comparison(digits.fresh)
    comparison = replace(comparison, reference=replace(comparison.reference, perceptual=eye), recipe=Ramp())
    (figure,), _ = compute_metrics(comparison, ("ppl",))
    assert figure.title == "PPL-classifier"
    assert figure.value > 0
    assert any("published path lengths are of VGG16" in note for note in figure.notes)


def test_lpips_of_pairs_is_the_mean_over_pairs_beside_what_the_mean_of_other_targets_gets(digits: Any) -> None:
    target = digits.images(digits.real_rows)
    made = (target.int() + torch.where(target < 128, 10, -10)).to(torch.uint8)
    (figure,), _ = compute_metrics(seen_by(digits.comparison(made, paired=True), "lpips-alex"), ("lpips",))
    assert figure.title == "LPIPS-alex"
    assert figure.value == pytest.approx((10 / 127.5) ** 2, rel=1e-5)
    assert figure.settings == "mean of 240 pairs, weights 1234"
    mean = digits.images(digits.other_rows).double().mean(0).round()
    apart = float(((target.double() - mean) / 127.5).square().mean())
    assert figure.notes == (
        f"the mean of 240 other targets (other samples of train) in the place of every sample has LPIPS-alex "
        f"{apart:.3g}.",
    )


def test_of_filled_holes_the_mean_stands_in_the_holes_alone(digits: Any) -> None:
    target = digits.images(digits.real_rows)
    made = target.clone()
    made[..., :4] = target[..., :4] ^ 1
    comparison = digits.comparison(made, paired=True)
    mean = digits.images(digits.other_rows).double().mean(0).round().expand_as(target)
    filled = torch.cat([mean[..., :4], target[..., 4:].double()], dim=3)
    for task, stand_in in ((INPAINT, filled), (TRANSLATE, mean)):
        recipe: Any = SimpleNamespace(task=task)
        (figure,), _ = compute_metrics(replace(comparison, recipe=recipe), ("l1",))
        apart = float((target.double() - stand_in).abs().mean() / 127.5)
        assert figure.notes[0].endswith(f"L1 {apart:.3g}.")
        counted = "the known pixels, which are those of the target, count in." in figure.notes
        assert counted == (task is INPAINT)


def test_a_backbone_is_read_from_its_file_with_heads_named_or_found(
    backbone: tuple[Path, Path], digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, heads = backbone
    asked = EvaluationConfig(perceptual=f"alex:{weights}", perceptual_heads=str(heads))
    named = perceptual.perceptual_distance(asked, digits.dataset, None, CPU)
    monkeypatch.setenv("ZEROSUM_DATA", str(weights.parent))
    found = perceptual.perceptual_distance(replace(asked, perceptual_heads=None), digits.dataset, None, CPU)
    assert named is not None
    assert found is not None
    assert (named.suffix, named.sees) == (found.suffix, found.sees)
    images = digits.images(np.arange(4))
    assert torch.equal(named(images, images), torch.zeros(4))
    assert torch.equal(named(images, images.flip(0)), found(images, images.flip(0)))
    other = dict(safetensors.torch.load_file(weights))
    other["features.0.bias"] += 1
    safetensors.torch.save_file(other, weights)
    changed = perceptual.perceptual_distance(asked, digits.dataset, None, CPU)
    assert changed is not None
    assert changed.sees != named.sees


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"perceptual": "resnet:there.pth"}, "--perceptual resnet:there.pth is no backbone with its weights: give"),
        ({"perceptual": "alex"}, "--perceptual alex is no backbone with its weights"),
        ({"perceptual": "alex:there.pth", "perceptual_heads": "there.pth"}, "There is no weights file there.pth"),
        ({"perceptual": "vgg:there.pth"}, "put vgg.pth of version 0.1 into .*, or give its path: --perceptual-heads"),
        ({"perceptual_heads": "there.pth"}, "--perceptual-heads there.pth are of a backbone: give a backbone"),
    ],
)
def test_a_backbone_that_is_not_there_says_what_to_give(
    asked: dict[str, str], sentence: str, digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZEROSUM_DATA", raising=False)
    with pytest.raises(InputError, match=sentence):
        perceptual.perceptual_distance(EvaluationConfig(**asked), digits.dataset, None, CPU)


def test_without_a_backbone_latents_or_pairs_a_sentence_says_what_is_missing(digits: Any) -> None:
    comparison = digits.comparison(digits.fresh)
    for given, name, sentence in (
        (replace(comparison, recipe=Ramp()), "ppl", "give a backbone, --perceptual .* --features classifier"),
        (seen_by(comparison, "lpips-vgg"), "ppl", "it needs a run of a recipe that makes samples"),
        (replace(comparison, paired=True), "lpips", "give a backbone, --perceptual alex:WEIGHTS"),
        (seen_by(comparison, "lpips-alex"), "lpips", "there is no real image that a sample should equal"),
    ):
        with pytest.raises(InputError, match=f"{name} is unavailable here: .*{sentence}"):
            compute_metrics(given, (name,))
