"""What papers report on the mode-collapse benchmarks, to print beside what is measured here."""

from __future__ import annotations

from dataclasses import dataclass

PACGAN_1, PACGAN_2, PACGAN_3 = "PacGAN, table 1", "PacGAN, table 2", "PacGAN, table 3"
VEEGAN, R3GAN = "VEEGAN", "R3GAN"
PAPERS = {
    "PacGAN": "Lin et al. 2018, https://arxiv.org/abs/1712.04086",
    "VEEGAN": "Srivastava et al. 2017, https://arxiv.org/abs/1705.07761",
    "R3GAN": "Huang et al. 2024, tables 1 and 3, https://arxiv.org/abs/2501.05441",
}
"""Where the sources of rows are to be found, by the first word of a source."""

Number = tuple[float, float] | float | None
"""A value with its standard error, a value alone, or nothing."""


@dataclass(frozen=True)
class Published:
    """A row of a published table."""

    method: str
    source: str
    modes: Number
    high_quality: Number = None
    """In percent."""
    divergence: Number = None
    """Reverse KL, nats."""
    recalled: bool = False
    """Whether the numbers are quoted from memory, not checked against the paper."""


def rows(protocol: str, data: str) -> tuple[Published, ...]:
    """Return what was published for a data set, "ring", "grid" or "stacked-mnist", by a protocol's counts."""
    if data == "ring":
        return (*_table(PACGAN_1, _RING), *_recalled(VEEGAN, _VEEGAN_RING))
    if data == "grid":
        return (*_table(PACGAN_1, _GRID), *_recalled(VEEGAN, _VEEGAN_GRID))
    if protocol == "unrolled":
        return tuple(Published(method, PACGAN_3, modes, None, kl) for method, modes, kl in _STACKED_UNROLLED)
    return (
        *(Published(method, PACGAN_2, modes, None, kl) for method, modes, kl in _STACKED),
        *(Published(method, R3GAN, modes, None, kl, recalled=True) for method, modes, kl in _STACKED_LATER),
    )


def _table(source: str, found: tuple[tuple[str, Number, Number, Number], ...]) -> tuple[Published, ...]:
    return tuple(Published(method, source, modes, quality, kl) for method, modes, quality, kl in found)


def _recalled(source: str, found: tuple[tuple[str, float, float], ...]) -> tuple[Published, ...]:
    return tuple(Published(method, source, modes, quality, recalled=True) for method, modes, quality in found)


_RING: tuple[tuple[str, Number, Number, Number], ...] = (
    ("GAN", (6.3, 0.5), (98.2, 0.2), (0.45, 0.09)),
    ("ALI", (6.6, 0.3), (97.6, 0.4), (0.36, 0.04)),
    ("PacGAN2", (7.9, 0.1), (95.6, 2.0), (0.07, 0.03)),
    ("PacGAN3", (7.8, 0.1), (97.7, 0.3), (0.10, 0.02)),
    ("PacGAN4", (7.8, 0.1), (95.9, 1.4), (0.07, 0.02)),
)
_GRID: tuple[tuple[str, Number, Number, Number], ...] = (
    ("GAN", (17.3, 0.8), (94.8, 0.7), (0.70, 0.07)),
    ("ALI", (24.1, 0.4), (95.7, 0.6), (0.14, 0.03)),
    ("PacGAN2", (23.8, 0.7), (91.3, 0.8), (0.13, 0.04)),
    ("PacGAN3", (24.6, 0.4), (94.2, 0.4), (0.06, 0.02)),
    ("PacGAN4", (24.8, 0.2), (93.6, 0.6), (0.04, 0.01)),
)
_VEEGAN_RING = (("GAN", 1.0, 99.3), ("ALI", 2.8, 0.13), ("Unrolled GAN", 7.6, 35.6), ("VEEGAN", 8.0, 52.9))
_VEEGAN_GRID = (("GAN", 3.3, 0.5), ("ALI", 15.8, 1.6), ("Unrolled GAN", 23.6, 16.0), ("VEEGAN", 24.6, 40.0))
_STACKED: tuple[tuple[str, Number, Number], ...] = (
    ("DCGAN, VEEGAN's run", 99.0, 3.40),
    ("ALI", 16.0, 5.40),
    ("Unrolled GAN", 48.7, 4.32),
    ("VEEGAN", 150.0, 2.95),
    ("DCGAN, PacGAN's run", (78.9, 6.46), (4.50, 0.127)),
    ("PacDCGAN2", (1000.0, 0.00), (0.06, 0.003)),
    ("PacDCGAN3", (1000.0, 0.00), (0.06, 0.003)),
    ("PacDCGAN4", (1000.0, 0.00), (0.07, 0.005)),
)
_STACKED_LATER: tuple[tuple[str, Number, Number], ...] = (
    ("RpGAN + R1 + R2", 1000.0, 0.0781),
    ("GAN + R1 + R2", 693.0, 0.9270),
    ("RpGAN + R1 (diverges)", None, None),
    ("GAN + R1 (diverges)", None, None),
    ("WGAN-GP", 959.0, 0.73),
    ("PacGAN", 992.0, 0.28),
    ("StyleGAN2", 940.0, 0.42),
    ("PresGAN", 1000.0, 0.115),
    ("VAEBM", 1000.0, 0.087),
    ("DDGAN", 1000.0, 0.071),
    ("MEG", 1000.0, 0.031),
    ("R3GAN, config E", 1000.0, 0.029),
)
_STACKED_UNROLLED: tuple[tuple[str, Number, Number], ...] = (
    ("DCGAN, Unrolled's run, D = 1/4 G", (30.6, 20.73), (5.99, 0.42)),
    ("Unrolled GAN, 1 step, D = 1/4 G", (65.4, 34.75), (5.91, 0.14)),
    ("Unrolled GAN, 5 steps, D = 1/4 G", (236.4, 63.30), (4.67, 0.43)),
    ("Unrolled GAN, 10 steps, D = 1/4 G", (327.2, 74.67), (4.66, 0.46)),
    ("DCGAN, PacGAN's run, D = 1/4 G", (78.5, 17.56), (5.21, 0.19)),
    ("PacDCGAN2, D = 1/4 G", (484.5, 32.99), (2.61, 0.22)),
    ("PacDCGAN3, D = 1/4 G", (601.3, 32.18), (2.00, 0.17)),
    ("PacDCGAN4, D = 1/4 G", (667.4, 29.00), (1.81, 0.15)),
    ("DCGAN, Unrolled's run, D = 1/2 G", (628.0, 140.9), (2.58, 0.75)),
    ("Unrolled GAN, 1 step, D = 1/2 G", (523.6, 55.77), (2.44, 0.26)),
    ("Unrolled GAN, 5 steps, D = 1/2 G", (732.0, 44.98), (1.66, 0.09)),
    ("Unrolled GAN, 10 steps, D = 1/2 G", (817.4, 37.91), (1.43, 0.12)),
    ("DCGAN, PacGAN's run, D = 1/2 G", (487.7, 34.59), (2.24, 0.15)),
    ("PacDCGAN2, D = 1/2 G", (840.7, 15.92), (1.00, 0.05)),
    ("PacDCGAN3, D = 1/2 G", (866.6, 12.10), (0.90, 0.04)),
    ("PacDCGAN4, D = 1/2 G", (820.2, 25.50), (1.15, 0.14)),
)
