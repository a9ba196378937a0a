"""Checks of the features that metrics are given."""

from __future__ import annotations

from torch import Tensor

from zerosum.errors import InputError


def check_features(features: Tensor, *, of: str, least: int = 1) -> None:
    """Refuse what is no table of finite features.

    Args:
        features: what should be (N, F).
        of: whose features they are, for the message: "real", "generated", ...
        least: samples needed.

    Raises:
        InputError: Another number of axes, no whole or floating numbers, too few rows, or a value that is not finite.
    """
    if features.ndim != 2 or features.shape[1] == 0:
        raise InputError(
            f"The {of} features have shape {tuple(features.shape)}; give one row a sample, (N, F), for instance by "
            "features.flatten(1)."
        )
    if not features.is_floating_point():
        raise InputError(f"The {of} features are {features.dtype}; give floating-point ones, such as features.float().")
    if len(features) < least:
        raise InputError(f"There are {len(features)} {of} samples, and this metric needs at least {least}; give more.")
    # Sums meet every value and need no table of the features' size; finite values may still overflow them.
    if not features.sum(1).isfinite().all() and not features.isfinite().all():
        raise InputError(
            f"The {of} features hold values that are not finite numbers; look at the samples they were taken from."
        )


def check_pair(real: Tensor, fake: Tensor, *, least: int = 1) -> None:
    """Refuse two tables of features that cannot be compared.

    Args:
        real: (N, F).
        fake: (M, F).
        least: samples needed on each side.

    Raises:
        InputError: One of them is no table of finite features, or their numbers of features differ.
    """
    check_features(real, of="real", least=least)
    check_features(fake, of="generated", least=least)
    check_widths(real.shape[1], fake.shape[1])


def check_widths(real: int, fake: int) -> None:
    """Refuse different numbers of features.

    Raises:
        InputError: The numbers differ.
    """
    if real != fake:
        raise InputError(
            f"The real samples have {real} features and the generated ones {fake}; take both from one extractor."
        )
