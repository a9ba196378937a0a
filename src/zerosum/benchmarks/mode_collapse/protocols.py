"""By what protocol modes are counted: the data, the samples, the rounds, and the settings a recipe shares with it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zerosum import kinds, recipes
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.recipe import RecipeConfig

Name = Literal["pacgan", "unrolled", "quick"]
DATA = {"ring": "ring8", "grid": "grid25", "stacked-mnist": "stacked-mnist"}
"""What a person types, and what the data are called elsewhere."""

RADIUS = 3.0
"""Within how many sigmas of its mode a sample is of high quality (PacGAN's published code)."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One data set of a protocol."""

    name: str
    data: str
    """ "ring", "grid" or "stacked-mnist"."""
    samples: int
    """Samples that modes are counted among."""
    rounds: int
    """Rounds by default."""
    published: str
    """How long the published runs are, in a clause."""
    settings: Mapping[str, Any]
    """For every recipe that has a setting of that name."""
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For single recipes, by their names: what their papers ask for in place of `settings`."""
    remarks: tuple[str, ...]
    """Sentences: whose protocol it is, and how ours differs."""

    @property
    def source(self) -> str:
        """Name of the data, as `zerosum train` takes it."""
        return DATA[self.data]

    @property
    def modes(self) -> int:
        """K."""
        return 1000 if self.data == "stacked-mnist" else len(toys.modes(self.source)[0])

    def config(self, recipe: str, settings: Mapping[str, Any]) -> RecipeConfig:
        """Return a recipe's settings under this protocol, those in `settings` first of all.

        Raises:
            InputError: There is no such recipe or setting, or the recipe does not make such samples from nothing.
        """
        kind = recipes.find(recipe)
        if kind.task.given != "nothing":
            raise InputError(
                f"{recipe} {kind.task.does}, and modes are counted among samples generated from nothing: choose a "
                "recipe such as gan, dcgan or wgan_gp."
            )
        if not any(known.accepts(self.source) for known in kinds.of_batches(kind.data)):
            raise InputError(f"{recipe} does not train on what the {self.data} is made of: give --data stacked-mnist.")
        asked = {"rounds": self.rounds, **self.settings, **self.own.get(recipe, {})}
        defaults = kind.Config().to_json()
        known = {name: _like(defaults[name], value) for name, value in asked.items() if name in defaults}
        return kind.Config.read(known | dict(settings))


def _like(default: Any, value: Any) -> Any:
    """Return a single number as the start and the end of a schedule where a recipe has one, and the other way round."""
    if isinstance(default, float) and isinstance(value, tuple):
        return value[0]
    return (value,) * len(default) if isinstance(default, tuple) and isinstance(value, float) else value


def find(name: str, data: str) -> Protocol:
    """Return a protocol for a data set.

    Raises:
        InputError: There is no such data set, or the protocol does not have it.
    """
    if data not in DATA:
        close = difflib.get_close_matches(data, DATA, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose among {', '.join(DATA)}."
        raise InputError(f"There is no mode-collapse benchmark on {data!r}; {hint}")
    for protocol in _all():
        if (protocol.name, protocol.data) == (name, data):
            return protocol
    has = [protocol.name for protocol in _all() if protocol.data == data]
    raise InputError(f"The protocol {name} has no {data}: choose --protocol {' or '.join(has)} for that.")


def _all() -> tuple[Protocol, ...]:
    return (
        *_pacgan_plane(),
        _pacgan_stacked(),
        _unrolled_ring(),
        _unrolled_stacked(),
        *_quick_plane(),
        _quick_stacked(),
    )


_COUNTED = (
    "A mode counts if one of 2,500 samples lies within 3 sigma of it; the reverse KL is that of the samples that do."
)
_LIVE = "Samples are made with the live weights, without a running average, and with the networks at rest."
_GULRAJANI = {"penalty": 0.1, "betas": (0.5, 0.9)}
"""WGAN-GP in the plane: the authors' toy settings."""


def _pacgan_plane() -> tuple[Protocol, ...]:
    settings = _dense(hidden=(400,) * 4, other=(200,) * 3, width=400) | _adam(1e-4, (0.8, 0.999)) | {"batch": 100}
    own = {
        "gan": {"architecture": "pacgan", "simultaneous": True},
        "wgan_gp": {"points_hidden": (400,) * 3, **_GULRAJANI},
    }
    remarks = (
        "PacGAN's protocol (Lin et al. 2018, section 4.1, and its code): 100,000 training points, batch 100, latents "
        "of 2 values, Adam at 1e-4 with beta1 0.8.",
        "gan has their networks: a generator of 4x400 with batch norm, a discriminator of 3x200 maxout units of 5 "
        "pieces, weights from N(0, 0.02^2), both players moved at once from one state and one batch.",
        "Other recipes have networks of their own, and published rows are no measure of them: generators of 4x400 "
        "without batch norm, discriminators of 3x200 with leaky ReLU (tanh in unrolled), torch's initial weights; "
        "wgan_gp has 3x400 in both, and its authors' betas and penalty for points.",
        _LIVE,
        _COUNTED,
    )
    return tuple(
        Protocol(
            name="pacgan", data=data, samples=2500, rounds=25_000, published="400 epochs, 400,000 rounds",
            settings=settings, own=own, remarks=remarks,
        )
        for data in ("ring", "grid")
    )  # fmt: skip


def _pacgan_stacked() -> Protocol:
    settings = {"batch": 64, "latent_dim": 100, "width": 64, "real_label": (1.0, 1.0), "ema_decay": 0.0}
    return Protocol(
        name="pacgan",
        data="stacked-mnist",
        samples=26_000,
        rounds=25_000,
        published="50 epochs, 100,000 rounds",
        settings=settings | _adam(2e-4, (0.5, 0.999)),
        own={"wgan_gp": {"lr": 1e-4, "betas": (0.0, 0.9)}},
        remarks=(
            "PacGAN's protocol in VEEGAN's setting (Lin et al. 2018, section 4.2, and its code): 128,000 fixed images, "
            "batch 64, latents of 100 values, Adam at 2e-4 with beta1 0.5.",
            "Our networks differ from theirs: DCGAN's with 4x4 kernels in place of 5x5, halving 28x28 to 7x7; wgan_gp "
            "has its paper's Adam.",
            _LIVE,
        ),
    )


def _unrolled_ring() -> Protocol:
    settings = _dense(hidden=(128, 128), other=(128, 128), width=128) | _adam(1e-3, (0.5, 0.999))
    demo = {"batch": 512, "latent_dim": 256, "discriminator_lr": 1e-4, "activation": "tanh", "ema_decay": 0.99}
    return Protocol(
        name="unrolled",
        data="ring",
        samples=2500,
        rounds=25_000,
        published="25,000 rounds",
        settings=settings | demo,
        own={"wgan_gp": {"points_hidden": (128,) * 3, **_GULRAJANI}},
        remarks=(
            "The published demo of Metz et al. 2017: both networks of 2x128 tanh, batch 512, latents of 256 values, "
            "Adam at 1e-4 for the discriminator and 1e-3 for the generator, beta1 0.5.",
            "Its ring repeats an end point, which leaves 7 modes, one of double weight; ours has 8 equal ones. A "
            "running average of the generator is what samples. The demo counts nothing; the published rows are of "
            "PacGAN's and VEEGAN's own settings.",
            _COUNTED,
        ),
    )


def _unrolled_stacked() -> Protocol:
    rates = {"generator_lr": 1e-4, "discriminator_lr": 2e-4, "betas": (0.5, 0.99)}
    settings = {"batch": 128, "latent_dim": 256, "width": 8, "real_label": (1.0, 1.0), "ema_decay": 0.0}
    return Protocol(
        name="unrolled",
        data="stacked-mnist",
        samples=25_600,
        rounds=25_000,
        published="500,000 rounds",
        settings=settings | rates,
        own={"wgan_gp": {"lr": 1e-4, "betas": (0.0, 0.9)}},
        remarks=(
            "PacGAN's protocol in the setting of Unrolled GAN (Lin et al. 2018, section 4.2, and its code): batch 128, "
            "latents of 256 values, Adam at 2e-4 for the discriminator and 1e-4 for the generator, betas 0.5 and 0.99.",
            "Their images are stacked anew for every batch, ours are 128,000 fixed ones; their networks have 32-16-8 "
            "and 4-8-16 maps of 3x3 kernels (D = 1/2 G), ours 16-8 and 8-16 of 4x4; wgan_gp has its paper's Adam.",
            _LIVE,
        ),
    )


def _quick_plane() -> tuple[Protocol, ...]:
    settings = _dense(hidden=(128, 128), other=(128, 128), width=128) | _adam(1e-3, (0.5, 0.999))
    remarks = (
        "Our own short runs on PacGAN's data and counts: networks of 2x128 tanh, batch 128, latents of 256 values, "
        "Adam at 1e-3 with beta1 0.5 and a running average of 0.99; wgan_gp has 3x128 ReLU, latents of 2 values, and "
        "its authors' betas and penalty for points.",
        "The published rows are of other networks, other rates and 200 times as many rounds: they are for orientation.",
        _COUNTED,
    )
    return tuple(
        Protocol(
            name="quick", data=data, samples=2500, rounds=2000, published="400 epochs, 400,000 rounds",
            settings=settings | {"batch": 128, "latent_dim": 256, "activation": "tanh", "ema_decay": 0.99},
            own={"wgan_gp": {"points_hidden": (128,) * 3, "latent_dim": 2, **_GULRAJANI}}, remarks=remarks,
        )
        for data in ("ring", "grid")
    )  # fmt: skip


def _quick_stacked() -> Protocol:
    settings = {"batch": 64, "latent_dim": 100, "width": 16, "ema_decay": 0.99}
    return Protocol(
        name="quick",
        data="stacked-mnist",
        samples=26_000,
        rounds=2000,
        published="50 epochs, 100,000 rounds",
        settings=settings,
        remarks=(
            "Our own short runs on PacGAN's data and counts: networks of width 16, batch 64, latents of 100 values, "
            "the recipes' own optimizers, a running average of 0.99.",
            "The published rows are of wider networks and many times as many rounds: they are for orientation.",
        ),
    )


def _dense(*, hidden: tuple[int, ...], other: tuple[int, ...], width: int) -> dict[str, Any]:
    """Networks in the plane, by all the names that recipes have for their widths; as published, nothing is averaged."""
    networks = {"generator_hidden": hidden, "discriminator_hidden": other, "width": width}
    return {"latent_dim": 2, "noise": 2, "dropout": 0.0, "ema_decay": 0.0} | networks


def _adam(rate: float, betas: tuple[float, float]) -> dict[str, Any]:
    return {"generator_lr": rate, "discriminator_lr": rate, "lr": rate, "betas": betas}
