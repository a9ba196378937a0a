"""Rounds of every recipe, move by move, against plain versions written from the papers (tests/reference)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.recipes.rounds import Record, Value, compare, in_double, play, ramped
from tests.reference import (
    acgan,
    age_cgan,
    biggan,
    cgan,
    cyclegan,
    dcgan,
    dvdgan,
    gan,
    gan3d,
    infogan,
    inpaint,
    lsgan,
    pix2pix,
    progan,
    r3gan,
    residual,
    srgan,
    stylegan2,
    unrolled,
    wavegan,
    wgan,
    wgan_gp,
)
from tests.reference.common import Move, Player, leaves

GENERATOR_FIRST = ("generator", "discriminator")
"""Our order where both moves share what was made; the authors' codes move the discriminator first."""
FLOOR = 1e-12
"""What stands under the root of a gradient penalty's norm (sheet wgan.md, gotchas)."""
NEAREST_256TH = 77 / 256
"""What a dropout of 0.3 is rounded to."""

Setup = Callable[..., Record]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    with in_double(monkeypatch):
        yield partial(play, monkeypatch)


def player(record: Record, name: str, forward: Callable[..., Any], alpha: float, beta1: float, beta2: float) -> Player:
    return Player(name, forward, leaves(record.start[name]), alpha=alpha, beta1=beta1, beta2=beta2)


def alike(record: Record) -> dict[str, Any]:
    """Each player's loss is one term."""
    return {name: {"adversarial": "loss"} for name in record.start}


@pytest.mark.parametrize(("shape", "moves"), [((1, 4, 4), 1), ((2,), 2)])
def test_gan(tiny: Setup, shape: tuple[int, ...], moves: int) -> None:
    record = tiny(
        "gan",
        shape,
        rounds=3,
        batch=5,
        latent_dim=3,
        generator_hidden=(6, 4),
        discriminator_hidden=(5, 4),
        n_discriminator=moves,
    )
    masks: list[Tensor] = []

    def judge(weights: Any, x: Tensor) -> Tensor:
        return gan.dense_discriminator(weights, x, masks=iter([masks.pop(0), masks.pop(0)]), rate=NEAREST_256TH)

    make: Any = partial(gan.dense_generator, shape=shape)
    alpha, average = 2e-4, 0.999
    if shape == (2,):  # smaller, smooth and without dropout
        make, judge = partial(unrolled.generator, tanh=True), partial(unrolled.discriminator, hidden=2, tanh=True)
        alpha, average = 1e-3, 0.99
    g = player(record, "generator", make, alpha, 0.5, 0.999)
    d = player(record, "discriminator", judge, alpha, 0.5, 0.999)
    expected: list[Move] = []
    for played in record.rounds:
        *first, last = played
        assert len({id(m.batch) for m in first}) == moves
        masks[:] = [mask for move in played for mask in move.masks]
        expected += gan.play(g, d, [m.batch.real for m in first], [m.draws[0] for m in first], last.draws[0])
        assert not masks
    compare(record, expected, alike(record), dict.fromkeys(record.start, "normal"), {"generator": average})


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((2, 16, 16), {}),
        ((2, 16, 16), {"upsampling": "upsample", "dropout": 0.3, "real_label": (0.7, 1.2), "fake_label": (0.0, 0.3)}),
        ((2,), {}),
    ],
)
def test_dcgan(tiny: Setup, shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    rates = {"generator_lr": 2e-4, "discriminator_lr": 2e-4, "ema_decay": 0.999}  # as on images
    width = 4 if shape == (2,) else 2
    record = tiny("dcgan", shape, rounds=3, batch=4, latent_dim=3, width=width, **rates, **settings)
    masks: list[Tensor] = []

    def judge(weights: Any, x: Tensor) -> Tensor:
        if shape == (2,):
            return unrolled.discriminator(weights, x, hidden=2, slope=0.2)
        kept = iter([masks.pop(0), masks.pop(0)]) if masks else None
        return dcgan.discriminator(weights, x, downs=2, masks=kept, rate=NEAREST_256TH)

    make: Any = partial(dcgan.upsampling_generator if settings else dcgan.generator, ups=2)
    g = player(record, "generator", unrolled.generator if shape == (2,) else make, 2e-4, 0.5, 0.999)
    d = player(record, "discriminator", judge, 2e-4, 0.5, 0.999)
    expected: list[Move] = []
    for of_generator, of_discriminator in record.rounds:
        masks[:] = of_generator.masks + of_discriminator.masks
        (z,), (real_label, fake_label) = of_generator.draws, of_discriminator.draws
        x = of_discriminator.batch.real
        expected += dcgan.play(g, d, x, z, real_label=real_label, fake_label=fake_label, order=GENERATOR_FIRST)
        assert not masks
    # one-sided smoothing, where the paper has labels of 1 and 0
    labels = "uniform(0.7, 1.2) uniform(0, 0.3)" if settings else "uniform(0.9, 0.9) uniform(0, 0)"
    laws = {"generator": "normal", "discriminator": labels}
    compare(record, expected, alike(record), laws, {"generator": 0.999})


def test_age_cgan(tiny: Setup) -> None:
    record = tiny(
        "age_cgan",
        (2, 16, 16),
        classes=3,
        rounds=4,
        encoder_share=0.25,
        batch=4,
        latent_dim=3,
        width=2,
        encoder_width=2,
    )
    record.rounds = record.rounds[:3]  # the fourth is the encoder's
    make: Any = partial(age_cgan.generator, ups=2)
    judge: Any = partial(age_cgan.discriminator, downs=2)
    g, d = (
        player(record, name, part, 2e-4, 0.5, 0.999) for name, part in (("generator", make), ("discriminator", judge))
    )
    expected: list[Move] = []
    for of_discriminator, of_generator in record.rounds:
        (z,), (y_g, z_g) = of_discriminator.draws, of_generator.draws
        batch = of_discriminator.batch
        expected += age_cgan.play(g, d, batch.real, batch.label, z, z_g, y_g, classes=3)
    terms = {name: {"adversarial": "loss"} for name in ("generator", "discriminator")}
    laws = {"generator": "integers(3) normal", "discriminator": "normal"}
    compare(record, expected, terms, laws, {"generator": 0.999})


@pytest.mark.parametrize(
    ("shape", "targets"), [((2, 16, 16), (0.0, 1.0, 1.0)), ((1, 16, 16), (-1.0, 1.0, 0.0)), ((2,), (0.0, 0.9, 1.0))]
)
def test_lsgan(tiny: Setup, shape: tuple[int, ...], targets: tuple[float, float, float]) -> None:
    settings: dict[str, Any] = {"width": 4} if shape == (2,) else {"width": 2, "dropout": 0.3}
    record = tiny("lsgan", shape, rounds=3, batch=4, latent_dim=3, targets=targets, **settings)
    masks: list[Tensor] = []

    def judge(weights: Any, x: Tensor) -> Tensor:
        kept = iter([masks.pop(0), masks.pop(0)])
        return dcgan.discriminator(weights, x, downs=2, masks=kept, rate=NEAREST_256TH)

    make: Any = partial(dcgan.generator, ups=2)
    alpha, average = 2e-4, 0.999
    if shape == (2,):
        make, judge = unrolled.generator, partial(unrolled.discriminator, hidden=2, slope=0.2)
        alpha, average = 1e-3, 0.99
    g = player(record, "generator", make, alpha, 0.5, 0.999)
    d = player(record, "discriminator", judge, alpha, 0.5, 0.999)
    a, b, c = targets
    expected: list[Move] = []
    for of_generator, of_discriminator in record.rounds:
        masks[:] = of_generator.masks + of_discriminator.masks
        expected += lsgan.play(g, d, of_generator.batch.real, of_generator.draws[0], a=a, b=b, c=c)
        assert not masks
    compare(record, expected, alike(record), {"generator": "normal"}, {"generator": average})


@pytest.mark.parametrize(("shape", "norm"), [((2, 16, 16), "batch"), ((1, 16, 16), "none"), ((2,), "batch")])
def test_wgan(tiny: Setup, shape: tuple[int, ...], norm: str) -> None:
    long = {"n_critic": 2, "long_n_critic": 4, "long_rounds": 1, "long_every": 2}
    width, clip = (6, 0.2) if shape == (2,) else (2, 0.01)
    settings = {"critic_norm": norm, "clip": clip, **long}
    record = tiny("wgan", shape, rounds=3, batch=4, latent_dim=3, width=width, **settings)
    make: Any = partial(dcgan.generator, ups=2)
    judge: Any = partial(dcgan.discriminator if norm == "batch" else dcgan.critic, downs=2)
    alpha, average = 5e-5, 0.999
    if shape == (2,):
        make, judge = (partial(part, hidden=3) for part in (unrolled.generator, unrolled.discriminator))
        judge = partial(judge, slope=0.2)
        alpha, average = 5e-4, 0.99
    g = wgan.ByRMSProp("generator", make, leaves(record.start["generator"]), alpha=alpha)
    d = wgan.ByRMSProp("critic", judge, leaves(record.start["critic"]), alpha=alpha)
    expected: list[Move] = []
    for number, played in enumerate(record.rounds):
        *first, last = played
        assert len({id(m.batch) for m in first}) == (2 if number == 1 else 4)
        x, z = zip(*((m.batch.real, *m.draws) for m in first), strict=True)
        expected += wgan.play(g, d, x, z, last.draws[0], c=clip)
    terms: Any = {
        "critic": {"wasserstein": "loss", "distance": "estimate", "real": "real", "fake": "fake"},
        "generator": {"wasserstein": "loss"},
    }
    compare(record, expected, terms, dict.fromkeys(record.start, "normal"), {"generator": average})


@pytest.mark.parametrize("shape", [(1, 16, 16), (2,)])
def test_wgan_gp(tiny: Setup, shape: tuple[int, ...]) -> None:
    record = tiny("wgan_gp", shape, rounds=3, batch=4, latent_dim=3, width=2, points_hidden=(6, 5))
    make: Any = partial(dcgan.generator, ups=2)
    judge: Any = partial(dcgan.critic, downs=2)
    alpha, beta1, weight, average = 1e-4, 0.0, 10.0, 0.999
    if shape == (2,):  # ReLU in both, lambda and betas of the authors' toys
        make, judge = unrolled.generator, partial(unrolled.discriminator, hidden=2)
        alpha, beta1, weight, average = 1e-3, 0.5, 0.1, 0.99
    g = player(record, "generator", make, alpha, beta1, 0.9)
    d = player(record, "critic", judge, alpha, beta1, 0.9)
    expected: list[Move] = []
    for played in record.rounds:
        *first, last = played
        assert len({id(m.batch) for m in first}) == 5
        x, z, eps = zip(*((m.batch.real, *m.draws) for m in first), strict=True)
        expected += wgan_gp.play(g, d, x, z, eps, last.draws[0], weight=weight, floor=FLOOR)
    terms = {
        "critic": {
            "wasserstein": lambda m: m["fake"] - m["real"],
            "penalty": lambda m: weight * m["penalty"],
            "distance": "estimate",
            "real": "real",
            "fake": "fake",
        },
        "generator": {"wasserstein": "loss"},
    }
    compare(record, expected, terms, {"critic": "normal uniform(0, 1)", "generator": "normal"}, {"generator": average})


@pytest.mark.parametrize(("length", "start", "multiple", "n"), [(256, 16, 16, 2), (300, 19, 16, 1), (64, 16, 4, 2)])
def test_wavegan(tiny: Setup, length: int, start: int, multiple: int, n: int) -> None:
    record = tiny("wavegan", (1, length), rounds=2, batch=4, latent_dim=3, width=2, n_critic=n)
    g = player(record, "generator", partial(wavegan.generator, length=length, start=start), 1e-4, 0.5, 0.9)
    shifts: list[Tensor] = []
    judge: Any = partial(wavegan.critic, shifts=iter(lambda: shifts.pop(0), None), multiple=multiple)
    d = player(record, "critic", judge, 1e-4, 0.5, 0.9)
    expected: list[Move] = []
    for played in record.rounds:
        *first, last = played
        drawn = [list(m.draws) for m in first]
        z, eps = [draws[0] for draws in drawn], [next(e for e in draws[1:] if e.ndim == 3) for draws in drawn]
        shifts += [draw for m in played for draw in m.draws if not draw.is_floating_point()]
        x = [m.batch.real for m in first]
        expected += wgan_gp.play(g, d, x, z, eps, last.draws[0], weight=10.0, floor=FLOOR)
        assert not shifts
    terms = {
        "critic": {
            "wasserstein": lambda m: m["fake"] - m["real"],
            "penalty": lambda m: 10.0 * m["penalty"],
            "distance": "estimate",
            "real": "real",
            "fake": "fake",
        },
        "generator": {"wasserstein": "loss"},
    }
    shuffle = "" if length == 64 else " integers(5)"
    laws = {"critic": f"uniform(-1, 1){2 * shuffle} uniform(0, 1){shuffle}", "generator": f"uniform(-1, 1){shuffle}"}
    compare(record, expected, terms, laws, {"generator": 0.999})


@pytest.mark.parametrize("classes", [0, 3])
def test_wavegan_against_spectrograms(tiny: Setup, classes: int) -> None:
    settings = {"critic": "spectrograms", "critic_width": 2, "n_critic": 1, "gamma": 0.7, "latent_dim": 3, "width": 2}
    record = tiny("wavegan", (1, 300), classes=classes, rounds=3, batch=4, **settings)

    def make(*given: Any) -> Tensor:
        return wavegan.spectrogram(wavegan.generator(*given, length=300, start=19, classes=classes), window=32)

    g = player(record, "generator", make, 1e-4, 0.5, 0.9)
    d = player(record, "critic", wavegan.spectrogram_critic, 1e-4, 0.5, 0.9)
    expected: list[Move] = []
    for first, last in record.rounds:
        x, z = wavegan.spectrogram(first.batch.real, window=32), (first.draws[0], last.draws[0])
        expected += r3gan.play(g, d, x, first.batch.label, *z, gamma=0.7, alpha=1e-4, beta2=0.9)
    terms = {
        "critic": {"relativistic": "main", "penalty": lambda m: m["r1"] + m["r2"]},
        "generator": {"relativistic": "loss"},
    }
    compare(record, expected, terms, dict.fromkeys(terms, "uniform(-1, 1)"), {"generator": 0.999})


@pytest.mark.parametrize("shape", [(2,), (1, 16, 16)])
@pytest.mark.parametrize("steps", [0, 5])
def test_unrolled(tiny: Setup, shape: tuple[int, ...], steps: int) -> None:
    record = tiny(
        "unrolled",
        shape,
        rounds=3,
        batch=4,
        latent_dim=3,
        width=2,
        steps=steps,
        generator_hidden=(5, 4),
        discriminator_hidden=(6, 5),
    )
    make: Any = partial(unrolled.generator, tanh=True)
    judge: Any = partial(unrolled.discriminator, hidden=2, tanh=True)
    alpha_g, alpha_d, average = 1e-3, 1e-3, 0.99
    if len(shape) > 1:
        make, judge = partial(dcgan.generator, ups=2), partial(dcgan.critic, downs=2)
        alpha_g, alpha_d, average = 1e-4, 2e-4, 0.999
    g = player(record, "generator", make, alpha_g, 0.5, 0.999)
    d = player(record, "discriminator", judge, alpha_d, 0.5, 0.999)
    expected: list[Move] = []
    for of_generator, of_discriminator in record.rounds:
        assert of_generator.batch is of_discriminator.batch
        (z,), (z_d,), x = of_generator.draws, of_discriminator.draws, of_generator.batch.real
        expected += unrolled.play(g, d, x, z, z_d, k=steps, saturating=False, eps_inside=True)
    compare(record, expected, alike(record), dict.fromkeys(record.start, "normal"), {"generator": average})


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((1, 16, 16), {}),
        ((1, 16, 16), {"categories": 0, "codes": 3, "information": 0.1}),
        ((2,), {}),
        ((2,), {"codes": 0}),
    ],
)
def test_infogan(tiny: Setup, shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    settings = {"categories": 4, "codes": 2, **settings}
    categories, codes = settings["categories"], settings["codes"]
    rates = {"discriminator_lr": 2e-4, "ema_decay": 0.999}  # as on images
    record = tiny("infogan", shape, rounds=3, batch=8, width=4 if shape == (2,) else 2, noise=3, **rates, **settings)
    make = unrolled.generator if shape == (2,) else partial(infogan.generator, side=4, end="tanh")
    look = infogan.plain_discriminator if shape == (2,) else infogan.discriminator
    g, d = player(record, "generator", make, 1e-3, 0.5, 0.999), player(record, "discriminator", look, 2e-4, 0.5, 0.999)
    expected: list[Move] = []
    for played in record.rounds:
        latents, drawn = [], []
        for move in played:
            noise, *rest = move.draws
            category = rest.pop(0) if categories else None
            (code,) = rest
            drawn.append((category, code if codes else None))
            hot = torch.zeros(len(noise), categories)
            if category is not None:
                hot[torch.arange(len(noise)), category] = 1
            latents.append(torch.cat([noise, hot, code], 1))
        expected += infogan.play(
            g,
            d,
            lambda x: d(x)[0],
            lambda x: d(x)[1],
            played[0].batch.real,
            latents,
            drawn,
            categories=categories,
            weight=settings.get("information", 1.0),
        )
    weight = settings.get("information", 1.0)
    terms: dict[str, Value] = {"adversarial": "adversarial"}
    if categories:
        terms["categorical"] = lambda m: -weight * m["category"]
    if codes:
        terms["continuous"] = lambda m: -weight * m["codes"]
    law = " ".join(["uniform(-1, 1)", *(["integers(4)"] if categories else []), "uniform(-1, 1)"])
    compare(
        record, expected, dict.fromkeys(record.start, terms), dict.fromkeys(record.start, law), {"generator": 0.999}
    )


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_infogans_weight_of_information_changes_the_moves(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # Adam does not change with the scale of a whole loss: the weight acts only beside another term (eq. 6)
    steps = []
    for information in (1.0, 0.1):
        with monkeypatch.context() as patch, in_double(patch):
            settings = {"categories": 4, "codes": 2, "noise": 3, "information": information}
            record = play(patch, "infogan", (1, 16, 16), rounds=1, batch=8, width=2, **settings)
        (move,) = (move for move in record.moves if move.player == name)
        shared = slice(None) if name == "generator" else slice(-6)  # without the recogniser's own layers
        changes = zip(move.after[shared], record.start[name][shared], move.gradients[shared], strict=True)
        moved = [new - old for new, old, g in changes if g.abs().max() > 1e-9]
        steps.append(torch.cat([step.flatten() for step in moved]))
    assert (steps[1] - steps[0]).norm() > 0.1 * steps[0].norm()


@pytest.mark.parametrize("settings", [{}, {"lr_hold": 0.5, "ema_decay": 0.9, "layers": 0, "dropout": 0.25}])
def test_pix2pix(tiny: Setup, settings: dict[str, Any]) -> None:
    record = tiny("pix2pix", (2, 32, 32), source_shape=(1, 32, 32), rounds=3, batch=2, width=2, **settings)
    levels, masks = 5, []
    encoded = levels + 2 * (levels - 2)  # the first and the innermost layer have no norm

    def make(weights: Any, a: Tensor) -> Tensor:
        kept, drop = iter(masks), [settings.get("dropout", 0.5)] * 3 + [0.0]
        return pix2pix.unet(weights[:encoded], weights[encoded:], a, levels=levels, drop=drop, masks=kept, norm="image")

    def judge(weights: Any, a: Tensor, b: Tensor) -> Tensor:
        judged = torch.cat([a, b], 1)
        return pix2pix.pixel(weights, judged) if settings else pix2pix.patch(weights, judged, layers=3, norm="image")

    g, d = player(record, "generator", make, 2e-4, 0.5, 0.999), player(record, "discriminator", judge, 2e-4, 0.5, 0.999)
    expected: list[Move] = []
    for (of_generator, _), (_, number, rounds) in zip(record.rounds, record.stages, strict=True):
        # in the later code the learning rate falls in a line from the middle on
        g.adam.alpha = d.adam.alpha = 2e-4 * min(1.0, 2 * (1 - number / rounds)) if settings else 2e-4
        masks = of_generator.masks
        assert len(masks) == 3
        expected += pix2pix.play(g, d, of_generator.batch.source, of_generator.batch.target, order=GENERATOR_FIRST)
    terms = {
        "generator": {"adversarial": "adversarial", "reconstruction": lambda m: 100 * m["pixel"], "l1": "pixel"},
        "discriminator": {"adversarial": "loss"},
    }
    compare(record, expected, terms, {}, {"generator": 0.9} if settings else {})


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((2, 16, 16), {"dropout": 0.3}),
        ((1, 16, 16), {"preset": "wasserstein", "lr": 2e-4, "betas": (0.0, 0.9)}),
        ((1, 16, 16), {"loss": "wasserstein", "n_discriminator": 2, "penalty": 3.0}),
        ((2,), {}),
    ],
)
def test_cgan(tiny: Setup, shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    width = 4 if shape == (2,) else 2
    record = tiny("cgan", shape, classes=3, rounds=3, batch=4, latent_dim=3, **{"width": width, **settings})
    even, critic = "preset" in settings, "loss" in settings or "preset" in settings
    masks: list[list[Tensor]] = [move.masks for move in record.moves]
    kept: list[Tensor] = []

    def judge(weights: Any, x: Tensor) -> Tensor:
        if even:
            return cgan.even_critic(weights, x, downs=2, masks=iter([kept.pop(0)]), rate=NEAREST_256TH)
        drop = iter([kept.pop(0), kept.pop(0)]) if kept else None
        return dcgan.discriminator(weights, x, downs=2, masks=drop, rate=NEAREST_256TH)

    make: Any = partial(cgan.even_generator if even else dcgan.generator, ups=2)
    alpha, average = 2e-4, 0.999
    if shape == (2,):
        make, judge = unrolled.generator, partial(unrolled.discriminator, hidden=2, slope=0.2)
        alpha, average = 1e-3, 0.99
    elif critic and not even:
        judge = partial(dcgan.critic, downs=2)
    beta1, beta2 = settings.get("betas", (0.5, 0.999))
    g = player(record, "generator", make, alpha, beta1, beta2)
    d = player(record, "discriminator", judge, alpha, beta1, beta2)
    expected: list[Move] = []
    for *first, last in record.rounds:
        assert len({id(m.batch) for m in first}) == len(first) == (3 if even else settings.get("n_discriminator", 1))
        assert last.batch is first[-1].batch
        expected += cgan.play(
            g,
            d,
            [m.batch.real for m in first],
            [m.batch.label for m in first],
            [m.draws[0] for m in first],
            last.draws[0],
            classes=3,
            eps=[m.draws[1] for m in first] if critic else None,
            weight=settings.get("penalty", 10.0),
            floor=FLOOR,
            renew=lambda: kept.extend(masks.pop(0)),
        )
        assert not kept
    terms = alike(record)
    if critic:
        of_critic = {"adversarial": "adversarial", "penalty": "penalty", "distance": "estimate"}
        terms["discriminator"] = {**of_critic, "real": "said_real", "fake": "said_fake"}
    laws = {"discriminator": "normal uniform(0, 1)" if critic else "normal", "generator": "normal"}
    compare(record, expected, terms, laws, {"generator": average})


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((2, 16, 16), {}),
        ((2, 16, 16), {"class_real": 0.5, "class_fake": 0.0, "class_generator": 0.1}),
        ((1, 16, 16), {"architecture": "paper", "dropout": 0.5}),
        ((2,), {}),
    ],
)
def test_acgan(tiny: Setup, shape: tuple[int, ...], settings: dict[str, Any]) -> None:
    width = 4 if shape == (2,) else 2
    record = tiny("acgan", shape, classes=3, rounds=2, batch=6, latent_dim=3, width=width, **settings)
    masks, kept = [move.masks for move in record.moves], list[Tensor]()
    table = settings.get("architecture") == "paper"

    def judge(weights: Any, x: Tensor) -> Any:
        if shape == (2,):
            return acgan.plain_discriminator(weights, x)
        drop = iter([kept.pop(0) for _ in range(4 if table else 2)])
        if table:
            return acgan.table_discriminator(weights, x, downs=2, masks=drop, rate=0.5)
        return acgan.discriminator(weights, x, downs=2, masks=drop, rate=NEAREST_256TH)

    make: Any = partial(acgan.table_generator, ups=2, side=4) if table else partial(dcgan.generator, ups=2)
    alpha, average = 2e-4, 0.999
    if shape == (2,):
        make, alpha, average = unrolled.generator, 1e-3, 0.99
    g = player(record, "generator", make, alpha, 0.5, 0.999)
    d = player(record, "discriminator", judge, alpha, 0.5, 0.999)
    weights = tuple(settings.get(f"class_{of}", 1.0) for of in ("real", "fake", "generator"))
    expected: list[Move] = []
    for of_generator, of_discriminator in record.rounds:
        batch, (z,) = of_generator.batch, of_generator.draws
        assert of_discriminator.batch is batch
        expected += acgan.play(
            g,
            d,
            batch.real,
            batch.label,
            z,
            classes=3,
            weights=weights,  # type: ignore[arg-type]
            renew=lambda: kept.extend(masks.pop(0)),
        )
        assert not kept
    terms: Any = {
        "generator": {"adversarial": "source", "class_fake": "class_fake"},
        "discriminator": {"adversarial": "source", "class_real": "class_real", "class_fake": "class_fake"},
    }
    compare(record, expected, terms, {"generator": "normal"}, {"generator": average})


@pytest.mark.parametrize("identity", [0.5, 0.0])
def test_cyclegan(tiny: Setup, identity: float) -> None:
    given = {} if identity else {"identity": 0.0, "ema_decay": 0.9, "pool": 0, "rounds": 2}
    record = tiny(
        "cyclegan", (2, 16, 16), **{"rounds": 3, "batch": 3, "width": 2, "blocks": 2, "layers": 2, "pool": 4, **given}
    )
    half = len(record.start["generators"]) // 2

    def make(weights: Any, which: str, x: Tensor) -> Tensor:
        return cyclegan.resnet(weights[:half] if which == "G" else weights[half:], x, blocks=2)

    generators = player(record, "generators", make, 2e-4, 0.5, 0.999)
    discriminators = player(record, "discriminators", make, 2e-4, 0.5, 0.999)
    apart = len(discriminators.parameters) // 2
    patch = partial(pix2pix.patch, layers=2, norm="instance", bias=True)
    choices: dict[str, list[tuple[int, float]]] = {"a": [], "b": []}

    class Pool(cyclegan.Pool):
        """Takes, for every picture, the next place and the next number that were drawn."""

        def __init__(self, name: str) -> None:
            self.drawn = choices[name]
            super().__init__(4 if identity else 0, lambda: self.now[1], lambda: self.now[0])

        def exchange(self, batch: Tensor) -> Tensor:
            return super().exchange(batch) if not self.size else torch.cat([self._one(picture) for picture in batch])

        def _one(self, picture: Tensor) -> Tensor:
            self.now = self.drawn.pop(0)
            return super().exchange(picture[None])

    pool_a, pool_b = Pool("a"), Pool("b")
    expected: list[Move] = []
    for (of_generators, of_discriminators), (_, number, rounds) in zip(record.rounds, record.stages, strict=True):
        if identity:
            places_a, numbers_a, places_b, numbers_b = (values.tolist() for values in of_discriminators.draws)
            choices["a"] += zip(places_a, numbers_a, strict=True)
            choices["b"] += zip(places_b, numbers_b, strict=True)
        falling = min(1.0, 2 * (1 - number / rounds))  # half of the rounds at the full rate, then in a line to 0
        generators.adam.alpha = discriminators.adam.alpha = 2e-4 * falling
        expected += cyclegan.play(
            generators,
            discriminators,
            lambda x: patch(discriminators.parameters[:apart], x),
            lambda x: patch(discriminators.parameters[apart:], x),
            of_generators.batch.a,
            of_generators.batch.b,
            pool_a,
            pool_b,
            identity=identity,
        )
    terms = {
        "generators": {
            "adversarial": lambda m: m["adversarial_a"] + m["adversarial_b"],
            "cycle": lambda m: 10 * (m["cycle_a"] + m["cycle_b"]),
            "cycle_l1": lambda m: (m["cycle_a"] + m["cycle_b"]) / 2,
        },
        "discriminators": {"a": "loss_a", "b": "loss_b"},
    }
    if identity:
        terms["generators"]["identity"] = lambda m: 5 * (m["identity_a"] + m["identity_b"])
    laws = {"discriminators": "integers(4) uniform(0, 1) integers(4) uniform(0, 1)"} if identity else {}
    compare(record, expected, terms, laws, {} if identity else {"generators": 0.9})


@pytest.mark.parametrize("content", ["pixels", "discriminator", "vgg"])
def test_srgan(tiny: Setup, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    seen: list[Tensor] = []

    def prepare(recipe: Any) -> None:
        if content == "vgg":
            widths = [2] * 16
            for before, after in zip([3, *widths], widths, strict=False):
                seen.extend([torch.randn(after, before, 3, 3) / before**0.5, torch.rand(after)])
            module = __import__(type(recipe).__module__, fromlist=["VGG19"])
            numbers = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)  # torchvision's
            network = module.VGG19(dict(zip(numbers, zip(seen[::2], seen[1::2], strict=True), strict=True)))
            monkeypatch.setattr(module, "read_vgg19", lambda path: network)

    side = 112 if content == "pixels" else 16  # from 112 on, more than 6x6 is left to be pooled
    settings = {"content": content, **({"vgg": "weights.pth"} if content == "vgg" else {})}
    record = tiny(
        "srgan",
        (3, side, side),
        source_shape=(3, side // 4, side // 4),
        prepare=prepare,
        rounds=5,
        pretrain=2,
        batch=2,
        width=2,
        blocks=2,
        **settings,
    )
    g = player(record, "generator", partial(srgan.srresnet, blocks=2), 1e-4, 0.9, 0.999)
    d = player(record, "discriminator", partial(srgan.discriminator, pool=6), 1e-4, 0.9, 0.999)

    def features(x: Tensor) -> Tensor:
        if content == "discriminator":
            return srgan.discriminator_features(d.parameters[:-4], x)
        return x if content == "pixels" else srgan.vgg_features(seen, x)

    expected: list[Move] = []
    for played, (phase, number, rounds) in zip(record.rounds, record.stages, strict=True):
        low, high = played[0].batch.source, played[0].batch.target
        if phase == 0:
            expected += srgan.play_first_phase(g, low, high)
            continue
        if number == 0:
            g.forget()
        g.adam.alpha = d.adam.alpha = 1e-4 if number / rounds < 0.5 else 1e-5
        expected += srgan.play(g, d, low, high, features, order=GENERATOR_FIRST)
    assert [len(played) for played in record.rounds] == [1, 1, 2, 2, 2]
    assert all(move.losses["content"] > 1e-6 for move in expected[2::2])
    for move in (*record.moves[:2], *expected[:2]):
        move.player = "generator alone"
    terms = {
        "generator alone": {"pixels": "pixel"},
        "generator": {
            "content": "content",
            "adversarial": lambda m: 1e-3 * m["adversarial"],
            "pixels": "pixel",
        },
        "discriminator": {"adversarial": "loss"},
    }
    compare(record, expected, terms, {})


def grown(weights: list[Tensor], depth: int, *, generator: bool) -> dict[str, Any]:
    """Name progressive growing's weights, which come in the order of the layers."""
    left = iter(weights)

    def layer() -> tuple[Tensor, Tensor]:
        return next(left), next(left)

    named: dict[str, Any] = {}
    if generator:
        bias = next(left)
        named |= {"dense": (next(left), bias), "first": layer()}
    else:
        named |= {f"from_rgb{i}": layer() for i in range(depth + 1)}
    named |= {f"block{i}": [layer(), layer()] for i in range(1, depth + 1)}
    if generator:
        named |= {f"to_rgb{i}": layer() for i in range(depth + 1)}
    else:
        named |= {"last": layer(), "dense": layer(), "out": layer()}
    assert next(left, None) is None
    return named


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_progan(tiny: Setup, slope: float) -> None:
    depth, group = 2, 2
    record = tiny(
        "progan",
        (2, 16, 16),
        rounds=10,
        batch=4,
        batch_doublings=1,
        latent_dim=5,
        base=16,
        max_channels=4,
        minibatch_group=group,
        stabilise_kimg=0.008,
        fade_kimg=0.016,
        slope=slope,
        observe=lambda recipe: recipe.lod.item(),
    )
    stage: dict[str, Any] = {}
    g = player(
        record,
        "generator",
        lambda w, z: progan.generator(grown(w, depth, generator=True), z, **stage),
        1e-3,
        0.0,
        0.99,
    )
    d = player(
        record,
        "critic",
        lambda w, x: progan.discriminator(grown(w, depth, generator=False), x, **stage, group=group, neighbours=True),
        1e-3,
        0.0,
        0.99,
    )
    expected: list[Move] = []
    mean, kimg = list(record.start["generator"]), 0.0
    for number, played in enumerate(record.rounds):
        of_critic, of_generator = played
        phase, at, rounds = record.stages[number]
        level = (phase + 1) // 2
        alpha = at / rounds if phase % 2 else None
        detail = progan.level_of_detail(kimg, highest=16, stabilise=0.008, fade=0.016)
        assert record.seen[number] == pytest.approx(detail)
        stage |= {"level": level, "alpha": alpha}
        if phase % 2 and at == 0:
            g.forget()
            d.forget()
        x = of_critic.batch.real
        assert len(x) == (8 if level < depth else 4)
        for _ in range(depth - level):
            x = progan.halved(x)
        z, eps = of_critic.draws
        beta = ramped(0.999, number + 1)
        moves, mean = progan.play(
            g,
            d,
            [progan.faded(x, alpha)],
            [z],
            [eps],
            of_generator.draws[0],
            mean,
            beta=beta,
            gamma=slope,
            floor=FLOOR,
            average_after="generator",
        )
        expected += moves
        kimg += len(x) / 1000
    assert [s[0] for s in record.stages] == [0, 1, 1, 2, 3, 3, 3, 3, 4, 4]
    terms = {
        "critic": {
            "wasserstein": lambda m: m["fake"] - m["real"],
            "penalty": lambda m: 10 * m["penalty"],
            "drift": lambda m: 1e-3 * m["drift"],
            "distance": "estimate",
            "real": "real",
            "fake": "fake",
        },
        "generator": {"wasserstein": "loss"},
    }
    compare(record, expected, terms, {"critic": "normal uniform(0, 1)", "generator": "normal"}, {"generator": 0.999})


@pytest.mark.parametrize("bottleneck", [5, 0])
def test_inpaint(tiny: Setup, bottleneck: int) -> None:
    holes: list[Tensor] = []

    def prepare(recipe: Any) -> None:
        draw = recipe.holes

        def recorded(n: int) -> Tensor:
            holes.append(draw(n))
            return holes[-1]

        recipe.holes = recorded

    record = tiny("inpaint", (2, 16, 16), prepare=prepare, rounds=3, batch=6, width=2, bottleneck=bottleneck)
    make = partial(inpaint.encoder_decoder, downs=2, fully=bottleneck > 0)
    f = player(record, "generator", make, 2e-3, 0.5, 0.999)
    d = player(record, "discriminator", partial(dcgan.discriminator, downs=2), 2e-4, 0.5, 0.999)
    expected: list[Move] = []
    for (of_generator, _), mask in zip(record.rounds, holes, strict=True):
        expected += inpaint.play(
            f, d, of_generator.batch.real, mask, rim=1, each=True, tell_mask=True, order=GENERATOR_FIRST
        )
    terms = {
        "generator": {
            "reconstruction": lambda m: 0.999 * m["reconstruction"],
            "adversarial": lambda m: 0.001 * m["adversarial"],
            "l1": "l1",
        },
        "discriminator": {"adversarial": "loss"},
    }
    laws = {"generator": "uniform(0, 1)"}  # of the holes
    compare(record, expected, terms, laws, {"generator": 0.999})


def hinge_game(
    record: Record, g: Player, d: Player, settled: Callable[[int, int], float], **settings: Any
) -> tuple[list[Move], str]:
    """Play the rounds of a hinge game at learning rates `settled(round, rounds)`; return the moves and the law."""
    classes = len(record.recipe.spec.classes)
    expected: list[Move] = []
    for played, (_, number, rounds) in zip(record.rounds, record.stages, strict=True):
        g.adam.alpha = d.adam.alpha = settled(number, rounds)
        latents, drawn = [], []
        for move in played:
            *uniform, latent = move.draws
            latents.append(latent)
            drawn.append((uniform[0] * classes).long() if classes else None)
        batches = [move.batch for move in played[:-1]]
        assert len({id(batch) for batch in batches}) == len(batches)
        x, y = [batch.real for batch in batches], [batch.label for batch in batches]
        expected += biggan.play(g, d, x, y, latents, drawn, **settings)
    return expected, "uniform(0, 1) normal" if classes else "normal"


def vectors(into: dict[str, residual.Spectral]) -> Callable[[Any], None]:
    """Return what keeps the vectors of a recipe's networks, as they start."""

    def prepare(recipe: Any) -> None:
        for name in ("generator", "discriminator"):
            buffers = getattr(recipe, name).named_buffers()
            into[name] = residual.Spectral([u for key, u in buffers if key.endswith(".u")])

    return prepare


HALVES, LEARNED = (True, True, False, False), (True, True, False, False)
"""Of the discriminator's four blocks below 64x64."""


@pytest.mark.parametrize(
    ("name", "form", "classes"),
    [("sngan", "resnet", 0), ("sngan", "dcgan", 0), ("projection", "resnet", 3), ("projection", "resnet", 0)],
)
def test_sngan_and_projection(tiny: Setup, name: str, form: str, classes: int) -> None:
    spectral: dict[str, residual.Spectral] = {}
    record = tiny(
        name,
        (2, 16, 16),
        classes=classes,
        prepare=vectors(spectral),
        rounds=3,
        batch=6,
        latent_dim=3,
        generator_width=2,
        discriminator_width=1,
        n_critic=2,
        **({"form": form} if name == "sngan" else {}),
    )
    assert not spectral["generator"].vectors
    if form == "resnet":
        make = partial(residual.generator, ups=2)
        look = partial(residual.discriminator, halves=HALVES, learned=LEARNED, spectral=spectral["discriminator"])
    else:
        make = partial(residual.plain_generator, ups=2)
        look = partial(residual.plain_discriminator, downs=2, spectral=spectral["discriminator"])
    g, d = player(record, "generator", make, 2e-4, 0.0, 0.9), player(record, "discriminator", look, 2e-4, 0.0, 0.9)
    expected, law = hinge_game(record, g, d, lambda number, rounds: 2e-4 * (1 - number / rounds))
    terms = {"generator": {"adversarial": "adversarial"}, "discriminator": {"adversarial": "loss"}}
    compare(record, expected, terms, dict.fromkeys(terms, law), {"generator": 0.999})


@pytest.mark.parametrize(
    ("classes", "settings"),
    [
        (3, {}),
        (3, {"n_discriminator": 2, "shared": 5, "hierarchical": True, "orthogonality": 0.01}),
        (0, {}),
    ],
)
def test_biggan(tiny: Setup, classes: int, settings: dict[str, Any]) -> None:
    spectral: dict[str, residual.Spectral] = {}
    record = tiny(
        "biggan",
        (2, 16, 16),
        classes=classes,
        prepare=vectors(spectral),
        rounds=3,
        batch=6,
        latent_dim=6,
        width=1,
        **settings,
    )
    make = partial(
        residual.generator,
        ups=2,
        shared="shared" in settings,
        pieces=(2, 2, 2) if settings else (),
        spectral=spectral["generator"],
    )
    look = partial(residual.discriminator, halves=HALVES, learned=LEARNED, spectral=spectral["discriminator"])
    g, d = player(record, "generator", make, 2e-4, 0.0, 0.999), player(record, "discriminator", look, 2e-4, 0.0, 0.999)
    names = [name for name, _ in record.recipe.generator.named_parameters()]
    held = [i for i, p in enumerate(g.parameters) if p.ndim > 1 and names[i] != "shared.weight"]
    beta = settings.get("orthogonality", 0.0)
    expected, law = hinge_game(record, g, d, lambda *_: 2e-4, beta=beta, regularised=held if beta else ())
    terms = {"generator": {"adversarial": "adversarial"}, "discriminator": {"adversarial": "loss"}}
    if beta:
        terms["generator"]["orthogonality"] = "orthogonality"
    compare(record, expected, terms, dict.fromkeys(terms, law), {"generator": 0.999})


@pytest.mark.parametrize(
    ("shape", "classes", "settings"),
    [
        ((2, 16, 16), 3, {"burn_in": 20}),
        ((1, 8, 16), 0, {"burn_in": 6, "gamma": (0.5, 0.05), "lr": (2e-4, 5e-5), "beta2": (0.9, 0.99), "blocks": 2}),
        ((2,), 0, {"burn_in": 20, "gamma": (0.1, 0.02)}),
    ],
)
def test_r3gan(tiny: Setup, shape: tuple[int, ...], classes: int, settings: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"widths": (8, 4, 4), "group": 4, "latent_dim": 3, "embedding": 2, "points_hidden": (6, 5)}
    record = tiny("r3gan", shape, classes=classes, rounds=3, batch=4, **sizes, **settings)
    stages = {"blocks": settings.get("blocks", 1), "group": 4}
    widths = (8, 4, 4) if shape[1:] == (16, 16) else (4, 4)
    make: Any = partial(r3gan.generator, widths=widths, **stages)
    judge: Any = partial(r3gan.discriminator, widths=widths[::-1], **stages)
    if shape == (2,):
        make = judge = partial(r3gan.dense, hidden=2)
    g = player(record, "generator", make, 1.0, 0.0, 0.5)
    d = player(record, "discriminator", judge, 1.0, 0.0, 0.5)

    def at(setting: str, number: int) -> float:
        first, last = getattr(record.recipe.config, setting)
        return r3gan.scheduled(first, last, 4 * number, settings["burn_in"])

    expected: list[Move] = []
    for number, (of_discriminator, of_generator) in enumerate(record.rounds, 1):
        assert of_discriminator.batch is of_generator.batch
        x, label = of_generator.batch.real, of_generator.batch.label if classes else None
        now = {"gamma": at("gamma", number), "alpha": at("lr", number), "beta2": at("beta2", number)}
        expected += r3gan.play(g, d, x, label, *of_discriminator.draws, *of_generator.draws, **now)
    terms = {
        "discriminator": {"adversarial": "main", "r1": "r1", "r2": "r2"},
        "generator": {"adversarial": "loss"},
    }
    average = {"generator": lambda number: 0.5 ** (4 / at("ema_half_life", number))}
    compare(record, expected, terms, dict.fromkeys(record.start, "normal"), average)


@pytest.mark.parametrize(
    ("shape", "classes", "settings"),
    [
        ((2, 16, 16), 0, {"path_length": 2.0, "mixing": 0.9, "gamma": 10.0}),
        ((1, 8, 12), 3, {"residual": False, "mixing": 0.0, "ema_ramp": 0.0}),
        ((1, 16, 16), 2, {"gamma": 0.0, "path_length": 0.5, "path_every": 2}),
    ],
)
def test_stylegan2(tiny: Setup, shape: tuple[int, ...], classes: int, settings: dict[str, Any]) -> None:
    sizes = {"latent_dim": 4, "base": 48, "max_channels": 6, "minibatch_group": 2, "r1_every": 2}
    record = tiny(
        "stylegan2",
        shape,
        classes=classes,
        rounds=3,
        batch=4,
        **sizes,
        **settings,
        observe=lambda recipe: (recipe.generator.mapping.average.clone(), recipe.mean_length.item()),
    )
    config, levels = record.recipe.config, 3 if shape[1] == 16 else 2
    names = {name: [n for n, _ in getattr(record.recipe, name).named_parameters()] for name in record.start}
    shares = {
        "generator": config.path_every / (config.path_every + 1) if config.path_length else 1.0,
        "discriminator": 2 / 3 if config.gamma else 1.0,
    }
    g, d = (
        stylegan2.Lazy(name, leaves(record.start[name]), alpha=0.0025 * share, beta2=0.99**share)
        for name, share in shares.items()
    )
    weights = {p.name: dict(zip(names[p.name], p.parameters, strict=True)) for p in (g, d)}
    average, length = torch.zeros(4), 0.0
    expected: list[Move] = []
    decays: list[float] = []

    def style(z: Tensor, label: Tensor | None) -> Tensor:
        return stylegan2.mapping(weights["generator"], "mapping", z, label, layers=2, classes=classes)

    def mixed(draws: list[Tensor], label: Tensor | None) -> tuple[Tensor, Tensor]:
        w = style(draws.pop(0), label)
        rows = w[:, None].repeat(1, 2 * levels, 1)
        if config.mixing:
            crossovers, tosses = draws.pop(0), draws.pop(0)
            other = style(draws.pop(0), label)
            rows = torch.stack(
                [
                    torch.stack([w[i] if toss >= config.mixing or at <= c else other[i] for at in range(2 * levels)])
                    for i, (c, toss) in enumerate(zip(crossovers.tolist(), tosses.tolist(), strict=True))
                ]
            )
        return w, rows

    for number, played in enumerate(record.rounds):
        x, label = played[0].batch.real, played[0].batch.label if classes else None
        judge: Any = partial(
            lambda y, label: stylegan2.discriminator(
                weights["discriminator"],
                y,
                label,
                levels=levels,
                group=2,
                residual=config.residual,
                classes=classes,
            ),
            label=label,
        )
        queue = [list(move.draws) for move in played]
        reached = [move.reached for move in played]
        half_life = min(2_000.0, config.ema_ramp * 4 * (number + 1)) if config.ema_ramp else 2_000.0
        draws = queue.pop(0)
        w, rows = mixed(draws, label)
        w = w.detach()
        decays.append(0.5 ** (4 / half_life))
        make: Any = partial(stylegan2.synthesis, weights["generator"], levels=levels)
        g.reached = reached.pop(0)
        expected.append(stylegan2.g_move(g, judge, make(rows, draws)))
        average = average + 0.005 * (w.mean(0) - average)
        if config.path_length and number % config.path_every == 0:
            draws = queue.pop(0)
            rows = mixed(draws, None if label is None else label[:2])[1]
            *noises, y = draws
            g.reached = reached.pop(0)
            move, mean = stylegan2.path_move(
                g, make(rows, noises), rows, y, length, weight=config.path_length, every=config.path_every
            )
            expected.append(move)
            length += 0.01 * (mean - length)
        draws = queue.pop(0)
        fake = make(mixed(draws, label)[1], draws).detach()
        d.reached = reached.pop(0)
        expected.append(stylegan2.d_move(d, judge, x, fake))
        if config.gamma and number % 2 == 0:
            draws = queue.pop(0)
            fake = make(mixed(draws, label)[1], draws).detach()
            d.reached = reached.pop(0)
            expected.append(stylegan2.r1_move(d, judge, x, fake, gamma=config.gamma, every=2))
        torch.testing.assert_close(record.seen[number][0], average)
        assert record.seen[number][1] == pytest.approx(length)

    def terms(move: Any) -> dict[str, Value]:
        lazy: dict[str, Value] = {"path": "loss", "length": "length"} if "path" in move.terms else {}
        lazy |= {"penalty": "loss", "r1": "r1"} if "penalty" in move.terms else {}
        return lazy or {"adversarial": "loss"}

    def law(move: Any) -> str:
        mixing = [f"integers({2 * levels - 1})", "uniform(0, 1)", "normal"] if config.mixing else []
        noises = 2 * levels - 1 + ("path" in move.terms)
        return " ".join(["normal", *mixing, *["normal"] * noises])

    players = dict.fromkeys(record.start, terms)
    compare(record, expected, players, dict.fromkeys(record.start, law), {"generator": lambda t: decays[t - 1]})


def test_gan3d(tiny: Setup) -> None:
    rates = {"generator_lr": 1e-3, "discriminator_lr": 1e-2, "ema_decay": 0.99, "gate": 0.5}
    widths = {"generator_width": 2, "discriminator_width": 2}
    record = tiny("gan3d", (1, 16, 16, 16), rounds=6, batch=4, latent_dim=3, **widths, **rates)
    g = player(record, "generator", partial(gan3d.generator, ups=2), 1e-3, 0.5, 0.999)
    d = player(record, "discriminator", partial(gan3d.discriminator, downs=2), 1e-2, 0.5, 0.999)
    gate, expected = gan3d.Gate(0.5), list[Move]()
    for of_generator, of_discriminator in record.rounds:
        (z,) = of_generator.draws
        expected += gan3d.play(g, d, gate, of_discriminator.batch.real, z)
    assert {move.losses["moves"] for move in expected if move.player == "discriminator"} == {0.0, 1.0}
    terms = {"generator": {"adversarial": "loss"}, "discriminator": {"adversarial": "loss", "moves": "moves"}}
    compare(record, expected, terms, {"generator": "uniform(0, 1)"}, {"generator": 0.99})


@pytest.mark.parametrize("classes", [3, 0])
def test_dvdgan(tiny: Setup, classes: int) -> None:
    spectral: dict[str, residual.Spectral] = {}

    def prepare(recipe: Any) -> None:
        for name in ("generator", "spatial", "temporal"):
            buffers = getattr(recipe, name).named_buffers()
            spectral[name] = residual.Spectral([u for key, u in buffers if key.endswith(".u")])

    settings = {"latent_dim": 3, "embedding": 2, "width": 1, "spatial_frames": 2, "n_discriminator": 2}
    record = tiny("dvdgan", (4, 2, 32, 32), classes=classes, prepare=prepare, rounds=2, batch=3, **settings)
    make = partial(dvdgan.generator, frames=4, ups=3, spectral=spectral["generator"])
    look = partial(dvdgan.discriminators, downs=3, spectral=(spectral["spatial"], spectral["temporal"]))
    g = player(record, "generator", make, 5e-4, 0.0, 0.999)
    d = player(record, "discriminator", look, 5e-4, 0.0, 0.999)
    expected: list[Move] = []
    for played in record.rounds:
        drawn = [(m.draws[0] * classes).long() if classes else None for m in played]
        z, frames = [m.draws[-2] for m in played], [m.draws[-1].argsort(1)[:, :2] for m in played]
        batches = [m.batch for m in played[:-1]]
        x, y = [batch.real for batch in batches], [batch.label for batch in batches]
        expected += dvdgan.play(g, d, x, y, z, drawn, frames)
    losses = {"spatial": "spatial", "temporal": "temporal"}
    terms = {"discriminator": losses, "generator": losses}
    law = "uniform(0, 1) normal uniform(0, 1)" if classes else "normal uniform(0, 1)"
    compare(record, expected, terms, dict.fromkeys(terms, law), {"generator": 0.999})
