"""Adversarial objectives on raw logits, one of the discriminator and one of the generator each, as pure functions.

`real` is D(x) and `fake` is D(G(z)), of any equal shape: (N,) or patches (N, 1, H, W); where pairs are compared, other
shapes raise a ValueError. Every function returns the mean over all elements, of shape (), in float32 at least. Logits,
never probabilities: a sigmoid followed by a clipped logarithm has a gradient of exactly zero where it saturates, which
stops training for good.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Classify real and fake by cross-entropy: E sp(-r) + E sp(f).

    Source: Goodfellow et al. 2014, eq. 1 (https://arxiv.org/abs/1406.2661).
    """
    return softplus(-to_float32(real)).mean() + softplus(to_float32(fake)).mean()


def labelled_discriminator(real: Tensor, fake: Tensor, *, real_label: Tensor, fake_label: Tensor) -> Tensor:
    """Classify real and fake by cross-entropy with soft or noisy labels: E[sp(r) - t r] + E[sp(f) - u f].

    Args:
        real: logits of real samples.
        fake: logits of generated samples.
        real_label: targets of `real`, of its shape or broadcast to it; 0.9 is one-sided smoothing.
        fake_label: targets of `fake`. Labels outside [0, 1] make the loss unbounded below.

    Raises:
        ValueError: the labels are not broadcast to the shape of the logits.

    Source: Salimans et al. 2016, section 3.4 (https://arxiv.org/abs/1606.03498).
    """
    real, fake = to_float32(real), to_float32(fake)
    return _cross_entropy(real, real_label) + _cross_entropy(fake, fake_label)


def minimax_generator(fake: Tensor) -> Tensor:
    """Minimise log(1 - D(G(z))): -E sp(f). Its gradient vanishes where the discriminator is confident.

    Source: Goodfellow et al. 2014, eq. 1.
    """
    return -softplus(to_float32(fake)).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """Maximise log D(G(z)): E sp(-f).

    Source: Goodfellow et al. 2014, section 3.
    """
    return softplus(-to_float32(fake)).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor, *, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Regress real logits to `b` and fake ones to `a`: (E(r - b)^2 + E(f - a)^2) / 2.

    Source: Mao et al. 2017, eq. 2 (https://arxiv.org/abs/1611.04076).
    """
    return ((to_float32(real) - b).square().mean() + (to_float32(fake) - a).square().mean()) / 2


def least_squares_generator(fake: Tensor, *, c: float = 1.0) -> Tensor:
    """Regress fake logits to `c`: E(f - c)^2 / 2.

    Source: Mao et al. 2017, eq. 2.
    """
    return (to_float32(fake) - c).square().mean() / 2


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Push real logits above 1 and fake ones below -1: E max(0, 1 - r) + E max(0, 1 + f).

    Source: Lim & Ye 2017, eq. 14 (https://arxiv.org/abs/1705.02894); Miyato et al. 2018, eq. 16.
    """
    return (1 - to_float32(real)).relu().mean() + (1 + to_float32(fake)).relu().mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """Raise the fake logits: -E f.

    Source: Lim & Ye 2017, eq. 15.
    """
    return -to_float32(fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Minimise E f - E r, minus the critic's estimate of the Wasserstein-1 distance (up to its Lipschitz constant).

    Source: Arjovsky et al. 2017, algorithm 1 (https://arxiv.org/abs/1701.07875).
    """
    return to_float32(fake).mean() - to_float32(real).mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """Raise the critic's value of the fakes: -E f.

    Source: Arjovsky et al. 2017, algorithm 1.
    """
    return -to_float32(fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Compare each real sample with a fake one, pair by pair: E sp(-(r - f)).

    Source: Jolicoeur-Martineau 2018, section 4.1 (https://arxiv.org/abs/1807.00734); Huang et al. 2024, eq. 2.
    """
    return softplus(_difference(fake, real)).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Raise each fake logit above a real one's, pair by pair: E sp(-(f - r)).

    Source: Jolicoeur-Martineau 2018, section 4.1.
    """
    return softplus(_difference(real, fake)).mean()


def relativistic_average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Compare with the other side's mean: E sp(-(r - E f)) + E sp(f - E r).

    Source: Jolicoeur-Martineau 2018, eq. 9.
    """
    real, fake = to_float32(real), to_float32(fake)
    return softplus(fake.mean() - real).mean() + softplus(fake - real.mean()).mean()


def relativistic_average_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Swap the roles of `relativistic_average_discriminator`: E sp(-(f - E r)) + E sp(r - E f).

    Source: Jolicoeur-Martineau 2018, eq. 10.
    """
    return relativistic_average_discriminator(fake, real)


def discriminator_stats(real: Tensor, fake: Tensor, *, threshold: float = 0.0) -> dict[str, Tensor]:
    """Return what to log of a discriminator: its logits, and the shares of real and fake that it classifies correctly.

    Args:
        real: logits of real samples, any shape.
        fake: logits of generated samples, any shape.
        threshold: the logit above which a sample is called real.
    """
    return {
        "real": real,
        "fake": fake,
        "real_accuracy": (real > threshold).float(),
        "fake_accuracy": (fake < threshold).float(),
    }


def relativistic_stats(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """Return what to log of a relativistic discriminator, whose logits have no threshold.

    Both accuracies are the share of pairs of a real sample and a generated one in which the real one's logit is higher.

    Args:
        real: logits of real samples, any shape.
        fake: logits of as many generated samples.
    """
    right = (_difference(real, fake) > 0).float()
    return {"real": real, "fake": fake, "real_accuracy": right, "fake_accuracy": right}


def require_pairs(first: Tensor, second: Tensor) -> None:
    """See that two tensors hold pairs, which broadcasting would not tell from all combinations.

    Raises:
        ValueError: their shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"{tuple(first.shape)} and {tuple(second.shape)} are no pairs: give real and fake in one shape"
        )


def to_float32(values: Tensor) -> Tensor:
    """Convert half precision to float32, which squares, differences and means need; float64 stays float64."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _difference(first: Tensor, second: Tensor) -> Tensor:
    require_pairs(first, second)
    return to_float32(first) - to_float32(second)


def _cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    costs = softplus(logits) - label * logits
    if costs.shape != logits.shape:
        raise ValueError(
            f"labels {tuple(label.shape)} do not fit logits {tuple(logits.shape)}: give one for each, or one for all"
        )
    return costs.mean()
