"""Every remedy names flags that the recipe at hand has, and settings that its run takes."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache

import pytest
from torch import nn

from tests.unit.doctor.cases import CASES, Case
from tests.unit.doctor.histories import ROUNDS, evidence, failing
from zerosum import recipes, stabilisers
from zerosum.cli.train import Train
from zerosum.config import flag
from zerosum.data.batch import Images, Points
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.doctor import Facts, Finding, signs
from zerosum.doctor.signs import remedies
from zerosum.run.config import RunConfig
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime.weightless import without_weights

ON_IMAGES = [name for name in recipes.names() if Images in recipes.find(name).data]
ON_POINTS = [name for name in recipes.names() if Points in recipes.find(name).data]
GAMES = [(name, "digits") for name in ON_IMAGES] + [(name, "ring8") for name in ON_POINTS]
NARROW = {"width": 8, "generator_width": 8, "discriminator_width": 8}


def spec_of(data: str, recipe: str) -> Spec:
    """Spec of small images, with classes where the recipe takes them, or of points."""
    classes = ("a", "b") if recipes.find(recipe).is_conditional() else ()
    kind, shape = ("points", (2,)) if data == "ring8" else ("images", (1, 32, 32))
    return Spec(kind=kind, shape=shape, classes=classes, class_counts=(10,) * len(classes))


def plan_of(data: str, recipe: str, settings: dict) -> RunConfig:
    """What a run with some settings would be."""
    return RunConfig.read(data, recipe, settings).fitted(spec_of(data, recipe), "cpu")


def build(plan: RunConfig):
    """The recipe of a plan with its stabilisers, without memory for its weights."""
    with without_weights():
        recipe = plan.recipe_class(plan.config, spec_of(plan.data, plan.recipe))
        stabilisers.apply(recipe, *stabilisers.parse(plan.training.stabilise))
    return recipe


@cache
def facts_of(data: str, recipe: str) -> Facts:
    """What is known of a run of a recipe by its defaults."""
    known = {name: value for name, value in NARROW.items() if name in recipes.find(recipe).Config.names()}
    plan = plan_of(data, recipe, known)
    built = build(plan)
    return Facts(
        recipe=recipe,
        config=plan.config.to_json(),
        training=plan.training.to_json(),
        objective=built.objective,
        flags=frozenset((*plan.config.names(), *TrainingConfig.names())),
        images=2_000,
        shape=spec_of(data, recipe).shape,
        rounds=ROUNDS,
        batch_norm=any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in built.modules()),
    )


def facts_for(case: Case, data: str, recipe: str) -> Facts | None:
    """What is known of a run of a recipe with a case's settings; None where the recipe lacks them."""
    facts = facts_of(data, recipe)
    own = {name: value for name, value in case.settings.items() if name != "images"}
    if not set(own) <= {*facts.config, *facts.training}:
        return None
    if isinstance(facts.config.get("lr"), tuple) and "lr" in own:
        own["lr"] = (own["lr"], own["lr"])
    rounds = own.get("rounds", facts.rounds)
    notes, images = case.facts.notes, case.facts.images or facts.images
    return replace(facts, config={**facts.config, **own}, rounds=rounds, notes=notes, images=images)


@cache
def findings(data: str, recipe: str) -> list[tuple[Facts, Finding]]:
    """What the signs find of all failures, were they of this recipe."""
    found = []
    for case in CASES:
        facts = facts_for(case, data, recipe)
        if facts is None:
            continue
        player = "critic" if facts.objective == "wasserstein" else "discriminator"
        rows = failing(case.changes, onset=case.onset, player=player)
        rows = [{key: value for key, value in row.items() if key not in case.drop} for row in rows]
        result = signs.find(case.sign).find(evidence(rows, facts))
        if result is not None:
            found.append((facts, result))
    return found


def flags_in(text: str) -> set[str]:
    return set(re.findall(r"(?<!\S)--[a-z0-9-]+", text))


def flags_of(recipe: str) -> set[str]:
    """The flags of `zerosum train` for a recipe."""
    named = [field.name for field in fields(Train)]
    return {
        flag(name) for name in (*recipes.find(recipe).Config.names(), *TrainingConfig.names(), *DataConfig.names())
    } | {flag(name) for name in named}


FAST = {("dcgan", "digits"), ("cgan", "digits"), ("wgan_gp", "digits")}
"""Games on images that the fast suite has; those on points are all in it."""


@pytest.mark.parametrize(
    ("recipe", "data"),
    [game if game[1] != "digits" or game in FAST else pytest.param(*game, marks=pytest.mark.slow) for game in GAMES],
)
def test_remedies_name_flags_and_settings_that_the_run_takes(recipe: str, data: str) -> None:
    found, built = findings(data, recipe), {}
    assert len({finding.sign for _, finding in found}) >= 8
    for facts, finding in found:
        for remedy in finding.remedies:
            assert remedy.flags.startswith(("--", "zerosum "))
            assert flags_in(remedy.flags) <= flags_of(recipe), (finding.sign, remedy.flags)
            present = {**facts.config, **facts.training}
            assert all(present.get(name) != value for name, value in remedy.settings.items() if name != "channels")
            plan = RunConfig.read(data, recipe, {**present, **remedy.settings})
            if "stabilise" in remedy.settings or any("norm" in name for name in remedy.settings):
                built.setdefault(repr(sorted(remedy.settings.items())), plan)
    for plan in built.values():
        build(plan)


@pytest.mark.parametrize(("recipe", "data"), GAMES)
def test_every_warning_of_a_run_has_a_remedy_that_a_program_can_apply(recipe: str, data: str) -> None:
    by_hand = {"data-starves-trainer", "duplicates-or-constant-channel"}
    for _, finding in findings(data, recipe):
        if finding.sign not in by_hand:
            assert any(remedy.settings for remedy in finding.remedies), finding.sign


def test_remedies_of_a_foreign_log_name_flags_of_some_recipe_and_no_settings() -> None:
    known = set.union(*map(flags_of, recipes.names()))
    count = 0
    for case in CASES:
        if case.settings:
            continue
        found = signs.find(case.sign).find(evidence(failing(case.changes, onset=case.onset)))
        for remedy in found.remedies if found else ():
            count += 1
            assert flags_in(remedy.flags)
            assert flags_in(remedy.flags) <= known
            assert not remedy.settings
    assert count > 50


def test_a_rate_is_halved_from_its_present_value_and_stabilisers_are_joined_to_those_there() -> None:
    case = CASES[0]
    facts = replace(facts_of("digits", "gan"), images=60_000, training={"stabilise": "feature-matching:0.01"})
    remedies = signs.find(case.sign).find(evidence(failing(case.changes), facts)).remedies
    settings = [remedy.settings for remedy in remedies]
    assert {"stabilise": "feature-matching:0.01,instance-noise:0.1"} in settings
    assert {"discriminator_lr": facts.config["discriminator_lr"] / 2} in settings
    again = replace(facts, training={"stabilise": "instance-noise:0.4"})
    settings = [
        remedy.settings for remedy in signs.find(case.sign).find(evidence(failing(case.changes), again)).remedies
    ]
    assert {"stabilise": "instance-noise:0.5"} in settings
    most = replace(facts, training={"stabilise": "instance-noise:0.5"})
    flags = [remedy.flags for remedy in signs.find(case.sign).find(evidence(failing(case.changes), most)).remedies]
    assert not any("instance-noise" in text and "r1" not in text and "," not in text for text in flags)


def test_labels_are_brought_within_bounds_and_batch_norm_makes_way_for_a_penalty() -> None:
    facts = facts_of("digits", "dcgan")
    noisy = replace(facts, config={**facts.config, "real_label": (1.0, 1.1), "fake_label": (-0.1, 0.0)})
    found = signs.find("loss-unbounded").find(evidence(failing({}), noisy))
    assert found.remedies[0].settings == {"real_label": (0.9, 1.0), "fake_label": (0.0, 0.1)}
    assert found.remedies[0].flags == "--real-label 0.9 1.0 --fake-label 0.0 0.1"
    assert found.remedies[1].settings["discriminator_norm"] == "none"
    assert found.remedies[1].settings["stabilise"].startswith("r1:")


@pytest.mark.parametrize(
    ("recipe", "objective", "gamma", "changed"),
    [
        ("cgan", "logistic", 0.0, {"discriminator_norm": "none", "stabilise": "r1:0.0016"}),
        ("cgan", "logistic", 5.0, {"gamma": 10.0}),
        ("cgan", "wasserstein", 5.0, {"penalty": 20.0}),
        ("wavegan", "wasserstein", 5.0, {"penalty": 20.0}),
        ("wavegan", "relativistic", 5.0, {"gamma": 10.0}),
    ],
)
def test_a_penalty_is_raised_where_the_game_is_played_with_it(
    recipe: str, objective: str, gamma: float, changed: dict[str, float]
) -> None:
    """A setting of another objective's penalty would change nothing."""
    facts = Facts(
        recipe=recipe,
        config={"batch": 128, "penalty": 10.0, "gamma": gamma, "discriminator_norm": "auto"},
        objective=objective,
        flags=frozenset(("batch", "penalty", "gamma", "discriminator_norm", "stabilise")),
        shape=(1, 32, 32),
        batch_norm=True,
    )
    found = remedies.penalty(evidence(failing({}), facts))
    assert found is not None
    assert found.settings == changed
