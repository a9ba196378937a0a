"""What the autopilot changes, and what it refuses to change in the middle of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.doctor import Evidence, Facts, Finding, Remedy
from zerosum.errors import InputError
from zerosum.kinds import find
from zerosum.run.checkpoint import prune
from zerosum.run.config import RunConfig
from zerosum.run.directory import Run
from zerosum.run.history import History
from zerosum.run.rescues import Rescue
from zerosum.runtime.distributed import World
from zerosum.training.autopilot import Autopilot, diverged
from zerosum.training.escalation import RATE, RULES, admitted, joined
from zerosum.training.escalation import changes as changes_of

BY_REMEDIES = Autopilot(steps=("remedy", "rates"))
POINTS = Spec(kind="points", shape=(2,))
IMAGES = Spec(kind="images", shape=(3, 32, 32))


def rescue(
    *remedies: dict[str, Any], to: int = 100, spec: Spec = POINTS, recipe: str = "gan", before: tuple[Rescue, ...] = (),
    world: World = World(), **settings: Any,
) -> Rescue | None:  # fmt: skip
    plan = RunConfig.read("ring8" if spec is POINTS else "cifar10", recipe, settings)
    return BY_REMEDIES.rescue(
        finding(*remedies), Facts(), at=200, to=to, plan=plan, spec=spec, before=before, world=world
    )


def finding(*remedies: dict[str, Any], since: int = 150) -> Finding:
    return Finding(
        sign="a-sign", title="It fails", severity="critical", confidence="certain", since=since, measure="figure",
        value=2, threshold=1, meaning="", remedies=tuple(Remedy(flags="", why="", settings=each) for each in remedies),
    )  # fmt: skip


def changes(found: Rescue | None) -> dict[str, Any]:
    assert found is not None
    return {name: now for name, (_, now) in found.changes.items()}


def test_remedies_are_tried_in_turn_then_rates_are_halved() -> None:
    remedies: tuple[dict[str, Any], ...] = ({"n_discriminator": 2}, {}, {"stabilise": "r1:1.0"})
    halved = {"generator_lr": 5e-4, "discriminator_lr": 5e-4}
    before: tuple[Rescue, ...] = ()
    expected: tuple[dict[str, Any], ...] = ({"n_discriminator": 2}, {"stabilise": "r1:1.0"}, halved)
    for change in expected:
        found = rescue(*remedies, before=before)
        assert found is not None
        assert changes(found) == change
        before = (*before, found)
    assert rescue(*remedies, before=before) is None


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"generator_hidden": (8,)}, "--generator-hidden makes another game"),
        ({"activation": "relu"}, "--activation makes another game"),
        ({"stabilise": "spectral-norm"}, "it changes the networks"),
        ({"stabilise": "pac"}, "it changes the networks"),
        ({"discriminator_lr": 1e-3}, "the run has these settings already"),
        ({"discriminator_lr": -1.0}, "--discriminator-lr is -1"),
        ({"gamma": 1.0}, "There is no setting 'gamma'"),
        ({"stabilise": "diff-augment"}, "varies images"),
        ({"channels": 1}, "--channels makes other data"),
        ({"seed": 3}, "--seed makes another game"),
        ({"rounds": 9_000}, "--rounds stays as it was asked for"),
    ],
)
def test_a_change_that_cannot_be_made_in_the_middle_is_skipped_with_the_reason(
    settings: dict[str, Any], reason: str
) -> None:
    found = rescue(settings, {"batch": 64})
    assert changes(found) == {"batch": 64}
    assert found is not None
    (said,) = found.skipped
    assert reason in said


def test_a_gradient_penalty_is_refused_where_there_is_batch_norm() -> None:
    found = rescue({"stabilise": "r1"}, {"stabilise": "instance-noise:0.1"}, spec=IMAGES, recipe="dcgan")
    assert changes(found) == {"stabilise": "instance-noise:0.1"}
    assert found is not None
    assert "has batch norm" in found.skipped[0]


@pytest.mark.parametrize("settings", [{"activation": "relu"}, {"stabilise": "spectral-norm"}])
def test_a_run_that_begins_anew_may_have_other_networks(settings: dict[str, Any]) -> None:
    found = rescue(settings, to=0)
    assert changes(found) == settings
    assert found is not None
    assert found.restructured == ("stabilise" in settings)


def test_a_batch_has_to_divide_among_the_processes() -> None:
    found = rescue({"batch": 65}, {"batch": 66}, world=World(size=2))
    assert changes(found) == {"batch": 66}


def test_stabilisers_are_added_to_those_of_the_run() -> None:
    found = rescue({"stabilise": "r1:1.0"}, stabilise="label-noise,r1:10.0")
    assert changes(found) == {"stabilise": "label-noise,r1:1.0"}
    assert joined(None, "r1") == "r1"


def test_a_remedy_that_changes_nothing_is_passed_over() -> None:
    again = rescue({"discriminator_lr": 1e-3})
    assert changes(again) == {"generator_lr": 5e-4, "discriminator_lr": 5e-4}


def test_the_run_goes_back_to_the_newest_checkpoint_that_was_healthy_before_the_finding() -> None:
    def ill_at_100(evidence: Evidence) -> list[Finding]:
        return [finding()] if evidence.last_round == 100 else []

    history = History([{"round": round_, "a": 1.0} for round_ in range(10, 210, 10)])
    pilot = Autopilot(diagnose=ill_at_100)
    assert pilot.target(finding(since=150), history, Facts(), [50, 80, 100, 150]) == 80
    assert pilot.target(finding(since=50), history, Facts(), [50, 80, 100, 150]) == 0


def test_no_decision_depends_on_the_time() -> None:
    seen: list[History] = []
    pilot = Autopilot(diagnose=lambda evidence: seen.append(evidence.history) or [])
    pilot.failure(History([{"round": 1, "seconds": 2.0, "peak_rss_bytes": 3, "a": 4.0}]), Facts())
    assert seen[0].rows == [{"round": 1, "a": 4.0}]


def test_a_critical_finding_comes_before_a_warning_that_lasts() -> None:
    warning, history = replace(finding(since=1), severity="warning"), History([{"round": 150}])
    assert Autopilot(diagnose=lambda evidence: [warning]).failure(history, Facts()) == warning
    assert Autopilot(diagnose=lambda evidence: [warning]).failure(history, Facts(), warnings=False) is None
    assert Autopilot(diagnose=lambda evidence: [warning, finding()]).failure(history, Facts()) == finding()


@pytest.mark.parametrize(
    ("since", "at", "began", "found"),
    [
        (450, 600, [], 0),  # early
        (550, 600, [], 400),
        (650, 700, [(600, 400)], 0),  # the rescue did not last
        (900, 950, [(500, 400)], 400),
        (900, 950, [(700, 400)], 0),  # less than twice as long as before it
    ],
)
def test_a_run_begins_again_where_that_costs_little_or_its_rescue_did_not_last(
    since: int, at: int, began: list[tuple[int, int]], found: int
) -> None:
    before = [Rescue(round=round_, sign="a-sign", finding="", to=to, attempt=1) for round_, to in began]
    history = History([{"round": round_} for round_ in range(10, at + 1, 10)])
    pilot = Autopilot(diagnose=lambda evidence: [])
    assert pilot.target(finding(since=since), history, Facts(rounds=1_000), (200, 400), before) == found


REFUSED: dict[str, str] = {}
OF_IMAGES = [name for name in recipes.names() if find("images").batch in recipes.find(name).data]


@pytest.mark.parametrize("recipe", OF_IMAGES)
def test_a_run_of_every_recipe_that_begins_again_is_changed_or_it_is_said_why_not(recipe: str) -> None:
    spec = Spec(kind="images", shape=(3, 32, 32), classes=("a", "b"), class_counts=(9, 9))
    plan = RunConfig.read("cifar10", recipe, {}).fitted(spec, "cpu")
    facts = Facts(
        recipe=recipe, config=plan.config.to_json(), training=plan.training.to_json(), shape=spec.shape,
        objective=plan.recipe_class.objective, flags=frozenset({*plan.config.names(), *plan.training.names()}),
    )  # fmt: skip
    first = next(changes_of(finding({"batch": 32}), facts, plan, "images", before=(), tries=3, from_start=True))
    assert first.step == "steady"
    if recipe in REFUSED:
        with pytest.raises(InputError, match=REFUSED[recipe]):
            admitted(first.settings, plan, spec, World(), 0)
        return
    changed, _ = admitted(first.settings, plan, spec, World(), 0)
    assert all(name in RULES | {"stabilise"} or RATE.fullmatch(name) for name in changed)
    assert "stabilise" in changed


def test_the_steady_rates_of_a_dcgan_fall_with_its_width() -> None:
    def rate(width: int) -> float:
        plan = RunConfig.read("cifar10", "dcgan", {"width": width})
        facts = Facts(
            recipe="dcgan", config=plan.config.to_json(), training=plan.training.to_json(), shape=IMAGES.shape,
            objective="logistic", flags=frozenset({*plan.config.names(), *plan.training.names()}),
        )  # fmt: skip
        found = next(changes_of(finding(), facts, plan, "images", before=(), tries=3, from_start=True))
        assert found.settings["discriminator_norm"] == "none"
        assert found.settings["stabilise"] == "r1:0.3"
        return found.settings["generator_lr"]

    assert (rate(8), rate(16), rate(64)) == (2e-3, 1e-3, 2.5e-4)


def test_two_elders_beside_the_newest_checkpoints_stay_spread_out(tmp_path: Path) -> None:
    run, kept = Run(tmp_path), {}
    for round_ in range(1, 33):
        run.checkpoint(round_).mkdir(parents=True)
        prune(run, keep=2, elders=True)
        kept[round_] = [int(path.name) for path in run.checkpoints()]
    assert kept[4] == [1, 2, 3, 4]
    assert kept[5] == [2, 3, 4, 5]
    assert all(len(rounds) <= 4 for rounds in kept.values())
    assert all(now / 8 <= rounds[0] <= now / 2 + 2 for now, rounds in kept.items() if now >= 8)
    prune(run, keep=2)
    assert [int(path.name) for path in run.checkpoints()] == [31, 32]


@pytest.mark.parametrize("recipe", OF_IMAGES)
def test_every_recipe_has_its_rates_halved_and_after_a_divergence_its_rates_cut_to_a_tenth(recipe: str) -> None:
    spec = Spec(kind="images", shape=(3, 32, 32), classes=("a", "b"), class_counts=(9, 9))
    plan = RunConfig.read("cifar10", recipe, {})
    halved = rescue(recipe=recipe, spec=spec)
    cut = BY_REMEDIES.rescue(
        diverged(plan, 150, "nan"), Facts(), at=200, to=100, plan=plan, spec=spec, before=(), world=World()
    )
    for found, factor in ((halved, 0.5), (cut, 0.1)):
        assert found is not None
        assert found.changes
        assert all(RATE.fullmatch(name) for name in found.changes)
        for before, now in found.changes.values():
            assert now == pytest.approx(
                [factor * end for end in before] if isinstance(before, tuple) else factor * before
            )
