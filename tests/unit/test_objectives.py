"""Objectives against hand-computed values, theory, and every shape of logits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import tensor

from zerosum import objectives as o

CASES = [
    (o.logistic_discriminator, o.non_saturating_generator, 0.440190, 1.313262),
    (o.logistic_discriminator, o.minimax_generator, 0.440190, -0.313262),
    (o.least_squares_discriminator, o.least_squares_generator, 1.0, 2.0),
    (o.hinge_discriminator, o.hinge_generator, 0.0, 1.0),
    (o.wasserstein_critic, o.wasserstein_generator, -3.0, 1.0),
]


@pytest.mark.parametrize(("discriminator", "generator", "d", "g"), CASES)
def test_a_confident_discriminator_gives_the_tabled_values(discriminator, generator, d, g):
    real, fake = tensor([2.0]), tensor([-1.0])
    assert discriminator(real, fake).item() == pytest.approx(d, abs=1e-5)
    assert generator(fake).item() == pytest.approx(g, abs=1e-5)


def test_least_squares_takes_other_targets():
    real, fake = tensor([2.0]), tensor([-1.0])
    assert o.least_squares_discriminator(real, fake, a=-1.0, b=1.0).item() == pytest.approx(0.5)
    assert o.least_squares_generator(fake, c=0.0).item() == pytest.approx(0.5)


def test_relativistic_losses_give_the_tabled_values():
    real, fake = tensor([2.0]), tensor([-1.0])
    assert o.relativistic_discriminator(real, fake).item() == pytest.approx(0.048587, abs=1e-5)
    assert o.relativistic_generator(real, fake).item() == pytest.approx(3.048587, abs=1e-5)
    real, fake = tensor([2.0, 0.0]), tensor([-1.0, 1.0])
    assert o.relativistic_average_discriminator(real, fake).item() == pytest.approx(0.820075, abs=1e-5)
    assert o.relativistic_average_generator(real, fake).item() == pytest.approx(2.820075, abs=1e-5)


def test_an_undecided_discriminator_pays_two_logarithms_of_two():
    zeros = torch.zeros(5)
    assert o.logistic_discriminator(zeros, zeros).item() == pytest.approx(2 * math.log(2))
    assert o.non_saturating_generator(zeros).item() == pytest.approx(math.log(2))
    assert o.relativistic_average_discriminator(zeros, zeros).item() == pytest.approx(2 * math.log(2))


def test_the_optimal_discriminator_reaches_the_jensen_shannon_bound():
    p, q = tensor([0.5, 0.5], dtype=torch.float64), tensor([0.9, 0.1], dtype=torch.float64)
    logit = (p / q).log()
    value = (p * torch.nn.functional.softplus(-logit) + q * torch.nn.functional.softplus(logit)).sum()
    js = 0.101749
    assert value.item() == pytest.approx(2 * math.log(2) - 2 * js, abs=1e-5)


def test_labels_of_one_and_zero_are_the_plain_cross_entropy():
    real, fake = torch.randn(7), torch.randn(7)
    labelled = o.labelled_discriminator(real, fake, real_label=torch.ones(7), fake_label=torch.zeros(7))
    torch.testing.assert_close(labelled, o.logistic_discriminator(real, fake))


def test_smoothed_labels_have_their_optimum_at_the_label():
    logit = tensor([math.log(0.9 / 0.1)], requires_grad=True)
    loss = o.labelled_discriminator(logit, tensor([-100.0]), real_label=tensor(0.9), fake_label=tensor(0.0))
    (slope,) = torch.autograd.grad(loss, logit)
    assert loss.item() == pytest.approx(0.325083, abs=1e-5)
    assert slope.item() == pytest.approx(0.0, abs=1e-6)


def test_the_non_saturating_generator_learns_where_the_minimax_one_is_blind():
    fake = tensor([-40.0], requires_grad=True)
    (strong,) = torch.autograd.grad(o.non_saturating_generator(fake), fake)
    (blind,) = torch.autograd.grad(o.minimax_generator(fake), fake)
    assert strong.item() == pytest.approx(-1.0)
    assert abs(blind.item()) < 1e-15


@pytest.mark.parametrize("shape", [(6,), (6, 1, 5, 5)])
def test_patches_count_like_samples(shape):
    real, fake = torch.randn(shape), torch.randn(shape)
    for discriminator in (o.logistic_discriminator, o.hinge_discriminator, o.relativistic_discriminator):
        torch.testing.assert_close(discriminator(real, fake), discriminator(real.flatten(), fake.flatten()))


def test_half_precision_logits_are_judged_in_single_precision():
    half = torch.randn(8).bfloat16()
    assert o.logistic_discriminator(half, half).dtype == torch.float32


def test_verdicts_count_rightly_judged_samples():
    seen = o.discriminator_stats(tensor([1.0, -1.0]), tensor([-1.0, -2.0]))
    assert seen["real_accuracy"].mean().item() == 0.5
    assert seen["fake_accuracy"].mean().item() == 1.0


def test_pairs_of_a_relativistic_discriminator_are_told_right_whatever_is_added_to_all_logits():
    for offset in (0.0, -100.0):
        seen = o.relativistic_stats(tensor([1.0, -1.0]) + offset, tensor([0.0, 3.0]) + offset)
        assert seen["real_accuracy"].tolist() == seen["fake_accuracy"].tolist() == [1.0, 0.0]


def means(values: torch.Tensor) -> float:
    return values.sum().item() / 3


def test_every_loss_is_a_mean_over_three_samples_by_hand():
    r, f = tensor([2.0, -0.5, 0.3]), tensor([-1.0, 0.7, -1.6])
    sp = torch.nn.functional.softplus
    by_hand = {
        o.logistic_discriminator: means(sp(-r)) + means(sp(f)),
        o.least_squares_discriminator: (means((r - 1) ** 2) + means(f**2)) / 2,
        o.hinge_discriminator: means((1 - r).clamp(min=0)) + means((1 + f).clamp(min=0)),
        o.wasserstein_critic: means(f) - means(r),
        o.relativistic_discriminator: means(sp(f - r)),
        o.relativistic_generator: means(sp(r - f)),
        o.relativistic_average_discriminator: means(sp(means(f) - r)) + means(sp(f - means(r))),
        o.relativistic_average_generator: means(sp(means(r) - f)) + means(sp(r - means(f))),
    }
    for objective, value in by_hand.items():
        assert objective(r, f).item() == pytest.approx(value, rel=1e-5), objective.__name__
    of_fakes = {
        o.minimax_generator: -means(sp(f)),
        o.non_saturating_generator: means(sp(-f)),
        o.least_squares_generator: means((f - 1) ** 2) / 2,
        o.hinge_generator: -means(f),
        o.wasserstein_generator: -means(f),
    }
    for objective, value in of_fakes.items():
        assert objective(f).item() == pytest.approx(value, rel=1e-5), objective.__name__
    labels = {"real_label": tensor([0.9, 1.0, 0.7]), "fake_label": tensor([0.1, 0.0, 0.3])}
    value = means(sp(r) - labels["real_label"] * r) + means(sp(f) - labels["fake_label"] * f)
    assert o.labelled_discriminator(r, f, **labels).item() == pytest.approx(value, rel=1e-5)


def test_a_logit_at_the_threshold_is_right_on_neither_side():
    stats = o.discriminator_stats(tensor([0.5, 0.6]), tensor([0.5, 0.4]), threshold=0.5)
    assert stats["real_accuracy"].tolist() == stats["fake_accuracy"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("compare", [o.relativistic_discriminator, o.relativistic_generator, o.relativistic_stats])
@pytest.mark.parametrize("shape", [(4,), (1, 1), (3, 1)])
def test_logits_that_are_no_pairs_are_not_compared_in_all_combinations(compare, shape):
    with pytest.raises(ValueError, match=r"\(4, 1\) .*are no pairs: give real and fake in one shape"):
        compare(torch.randn(4, 1), torch.randn(shape))


@pytest.mark.parametrize("label", [torch.rand(4), torch.rand(2, 4, 1)])
def test_labels_that_do_not_fit_the_logits_are_refused(label):
    logits = torch.randn(4, 1)
    fitting = tensor(0.9)
    for given in ({"real_label": label, "fake_label": fitting}, {"real_label": fitting, "fake_label": label}):
        with pytest.raises(ValueError, match=r"do not fit logits \(4, 1\): give one for each, or one for all"):
            o.labelled_discriminator(logits, logits, **given)
