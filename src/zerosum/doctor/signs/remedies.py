"""Changes of settings that a run's recipe has, with the values that they have now taken into account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zerosum.config import flag, spelt
from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.finding import Remedy

IMAGES_ONLY = ("ada", "consistency", "diff-augment")
TARGETS = ("label-flips", "label-noise", "label-smoothing")
PENALTIES = ("approximate-r1", "gradient-penalty", "r1", "r2")
WHOLE_BATCH = ("feature-matching", "minibatch-discrimination")
LARGEST = {"diff-augment": 1.0, "dropout": 0.5, "instance-noise": 0.5, "label-flips": 0.2, "label-smoothing": 0.3}
FEATURES = ("acgan", "infogan")
"""Recipes whose discriminator outputs features, so that no penalty of its logits can be added."""
OWN_PENALTY = {
    "cgan": {"logistic": "gamma", "wasserstein": "penalty"},
    "progan": {"wasserstein": "penalty"},
    "r3gan": {"relativistic": "gamma"},
    "stylegan2": {"logistic": "gamma"},
    "wavegan": {"wasserstein": "penalty", "relativistic": "gamma"},
    "wgan_gp": {"wasserstein": "penalty"},
}
"""Settings of the penalty that a recipe's game has of its own, by the objective it is played with."""
UNSUPERVISED = ("dcgan", "gan", "infogan", "lsgan", "unrolled", "wgan")
"""Recipes that generate from noise without a penalty, so that another recipe of the kind can take their place."""


def those(remedies: Iterable[Remedy | None]) -> tuple[Remedy, ...]:
    """Return the remedies that there are."""
    return tuple(remedy for remedy in remedies if remedy is not None)


def change(evidence: Evidence, name: str, value: Any, why: str) -> Remedy | None:
    """Return the change of a setting to a value; None where the recipe lacks it or it has that value.

    Of two equal ends one is taken where the setting is a number.
    """
    facts = evidence.facts
    if not facts.flags:
        return Remedy(flags=f"{flag(name)} {spelt(value)}", why=why)
    if isinstance(value, tuple) and isinstance(_known(facts).get(name), int | float):
        value = value[0]
    if name not in facts.flags or _known(facts).get(name) == value:
        return None
    return Remedy(flags=f"{flag(name)} {spelt(value)}", why=why, settings={name: value})


def scale(evidence: Evidence, name: str, factor: float, why: str, *, most: float | None = None) -> Remedy | None:
    """Return the change of a numerical setting, or of each of its numbers, by a factor.

    Args:
        evidence: of the run.
        name: of the setting.
        factor: by which it changes.
        why: what that does.
        most: the largest value to go to.
    """
    facts = evidence.facts
    if not facts.flags:
        words = {0.1: "a tenth of", 0.25: "a quarter of", 0.5: "half of", 2: "twice", 4: "four times"}[factor]
        return Remedy(flags=f"{words} {flag(name)}", why=why)
    present = _known(facts).get(name)
    value: Any = None
    if isinstance(present, tuple | list):
        value = tuple(_scaled(number, factor, most) for number in present)
    elif isinstance(present, int | float) and not isinstance(present, bool):
        value = _scaled(present, factor, most)
    return None if value is None or value in (0, present) else change(evidence, name, value, why)


def rate(evidence: Evidence, role: str, why: str, *, factor: float = 0.5, shared: bool = True) -> Remedy | None:
    """Return the change of a player's learning rate by a factor.

    Args:
        evidence: of the run.
        role: "discriminator" or "generator".
        why: what that does.
        factor: by which it changes.
        shared: whether to change the rate of both players where there is but one.
    """
    own = f"{role}_lr"
    if not evidence.facts.flags or own in evidence.facts.flags:
        return scale(evidence, own, factor, why)
    return scale(evidence, "lr", factor, why) if shared else None


def both_rates(evidence: Evidence, why: str, *, factor: float = 0.5) -> Remedy | None:
    """Return the change of all learning rates by a factor, as one remedy."""
    facts = evidence.facts
    if "lr" in facts.flags:
        return scale(evidence, "lr", factor, why)
    parts = those(rate(evidence, role, why, factor=factor) for role in ("discriminator", "generator"))
    return joined(parts, why)


def joined(parts: Iterable[Remedy | None], why: str) -> Remedy | None:
    """Return one remedy that makes all changes of several."""
    known = those(parts)
    if not known:
        return None
    settings = {name: value for part in known for name, value in part.settings.items()}
    separator = " " if settings else " and "
    return Remedy(flags=separator.join(part.flags for part in known), why=why, settings=settings)


def stabilise(evidence: Evidence, name: str, strength: float | None, why: str) -> Remedy | None:
    """Return the addition of a stabiliser to those that a run has, or twice its strength where the run has it.

    None where the recipe refuses it, or it is at its largest strength.
    """
    facts = evidence.facts
    if not facts.flags:
        return Remedy(flags=f"--stabilise {_spelt(name, strength)}", why=why)
    if not admits(facts, name):
        return None
    asked = str(facts.training.get("stabilise") or "")
    present = {part.partition(":")[0].strip(): part.strip() for part in asked.split(",") if part.strip()}
    if name in present:
        text = present[name].partition(":")[2]
        if strength is None or not text:
            return None
        strength = min(2 * float(text), LARGEST.get(name, float("inf")))
    changed = {**present, name: _spelt(name, strength)}
    return change(evidence, "stabilise", ",".join(changed.values()), why) if changed != present else None


def admits(facts: Facts, name: str) -> bool:
    """Whether a recipe takes a stabiliser, by what is known of it."""
    if "stabilise" not in facts.flags:
        return False
    if name in IMAGES_ONLY and len(facts.shape) != 3:
        return False
    if name == "ada" and (
        facts.objective not in ("logistic", "least-squares", "hinge") or facts.shape[0] not in (1, 3)
    ):
        return False
    if name in TARGETS and (facts.objective != "logistic" or "real_label" in facts.flags):
        return False
    if name in WHOLE_BATCH and facts.training.get("micro_batches", 1) not in (1, None):
        return False
    if name in PENALTIES:
        return facts.recipe not in FEATURES and own_penalty(facts) is None and not discriminator_has_batch_norm(facts)
    return not (name == "spectral-norm" and facts.recipe == "progan")


def discriminator_has_batch_norm(facts: Facts) -> bool:
    """Whether the discriminator has batch norm, as far as the settings say; networks of points have none."""
    if len(facts.shape) == 1:
        return False
    for name in ("discriminator_norm", "critic_norm"):
        if name in facts.config:
            chosen = facts.config[name]
            return chosen == "batch" or (chosen == "auto" and own_penalty(facts) is None)
    return facts.batch_norm is not False and facts.recipe not in (
        "biggan",
        "cyclegan",
        "pix2pix",
        "projection",
        "sngan",
    )


def own_penalty(facts: Facts) -> str | None:
    """Return the setting that weighs the penalty of a game's own; None where it has none, or plays without."""
    name = OWN_PENALTY.get(facts.recipe or "", {}).get(facts.objective or "")
    return name if name is not None and facts.config.get(name) else None


def penalty(evidence: Evidence) -> Remedy | None:
    """Return the addition of a gradient penalty, or a larger one where the game has it.

    R1 begins at 0.0002 times the pixels over the batch (Karras et al. 2020, appendix C), on points at 1.
    """
    facts, why = evidence.facts, "bounds the discriminator's slope at real samples, which makes the game converge"
    if (own := own_penalty(facts)) is not None and own in facts.flags:
        return scale(evidence, own, 2, why)
    image = len(facts.shape) == 3
    pixels = facts.shape[-1] * facts.shape[-2] if image else 0
    batch = facts.config.get("batch", 64)
    strength = float(f"{0.0002 * pixels / batch:.2g}") if image else 1.0
    freed = change(evidence, "discriminator_norm", "none", why)
    if facts.flags and freed is not None and discriminator_has_batch_norm(facts):
        if facts.recipe in FEATURES or facts.objective == "wasserstein":
            return None
        settings = {"discriminator_norm": "none"} | _with(facts, f"r1:{strength:g}")
        return Remedy(flags=f"{freed.flags} --stabilise {settings['stabilise']}", why=why, settings=settings)
    return stabilise(evidence, "r1", strength, why)


def another_recipe(evidence: Evidence, recipe: str, why: str) -> Remedy | None:
    """Return the choice of another recipe, which starts a new run; None where it cannot take this one's place."""
    if evidence.facts.recipe in (None, *UNSUPERVISED) and recipe != evidence.facts.recipe:
        return Remedy(flags=f"--recipe {recipe}", why=why)
    return None


def moves(evidence: Evidence, by: int, why: str) -> Remedy | None:
    """Return more or fewer moves of the discriminator a round; None where it makes one, or the recipe has no choice."""
    facts = evidence.facts
    for name in ("n_discriminator", "n_critic"):
        present = facts.config.get(name)
        if name in facts.flags and isinstance(present, int) and present + by >= 1:
            return change(evidence, name, present + by, why)
    return None


def _with(facts: Facts, added: str) -> dict[str, str]:
    asked = facts.training.get("stabilise")
    return {"stabilise": f"{asked},{added}" if asked else added}


def _known(facts: Facts) -> dict[str, Any]:
    return {**facts.training, **facts.config}


def _spelt(name: str, strength: float | None) -> str:
    return name if strength is None else f"{name}:{strength:g}"


def _scaled(number: float, factor: float, most: float | None) -> float | int:
    value = number * factor if most is None else min(number * factor, most)
    return max(1, round(value)) if isinstance(number, int) else float(f"{value:.4g}")
