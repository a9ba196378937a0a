"""Every sign fires on its failure, soon and at the right round, and is quiet on healthy and on short histories."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.doctor.cases import CASES, LATER, Case, within_unit
from tests.unit.doctor.histories import EVERY, LOOKS, ONSET, ROUNDS, evidence, failing, healthy, until
from zerosum.doctor import Facts, diagnose, signs

SEEDS = range(3)


def label(case: Case) -> str:
    return f"{case.sign}-{case.severity}-{'-'.join(case.changes) or 'settings'}".replace("/", ".")


def rows_of(case: Case, seed: int):
    return [
        {k: v for k, v in row.items() if k not in case.drop}
        for row in failing(case.changes, onset=case.onset, seed=seed)
    ]


@pytest.mark.parametrize("case", CASES, ids=label)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_failure_is_found_and_dated(case: Case, seed: int) -> None:
    rows = rows_of(case, seed)
    found = signs.find(case.sign).find(evidence(rows, case.facts))
    assert found is not None
    assert (found.sign, found.severity) == (case.sign, case.severity)
    if not case.settings:
        assert case.onset - 3 * LOOKS <= found.since <= case.onset + case.within
        assert set(found.keys) & {key for row in rows for key in row}


@pytest.mark.parametrize("case", LATER, ids=label)
@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_found_soon_after_its_onset_and_not_before(case: Case, seed: int) -> None:
    rows, sign = rows_of(case, seed), signs.find(case.sign)
    found = sign.find(evidence(until(rows, case.onset + case.within), case.facts))
    assert found is not None
    for round_ in range(LOOKS, case.onset + 1, 4 * LOOKS):
        assert sign.find(evidence(until(rows, round_), case.facts)) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "facts",
    [
        Facts(rounds=ROUNDS),
        Facts(rounds=ROUNDS, objective="logistic", recipe="dcgan", images=60_000, shape=(1, 32, 32), batch_norm=True),
        Facts(rounds=ROUNDS, objective="hinge", recipe="sngan", images=2_000, shape=(3, 32, 32), batch_norm=False),
        Facts(rounds=ROUNDS, objective="wasserstein", recipe="wgan_gp"),
        Facts(rounds=ROUNDS, objective="relativistic", recipe="r3gan", config={"gamma": (0.1, 0.05)}),
    ],
    ids=lambda facts: facts.objective or "unknown",
)
def test_a_healthy_game_has_no_finding_at_any_time(facts: Facts, seed: int) -> None:
    rows = healthy(seed)
    for round_ in range(ROUNDS // 8, ROUNDS + 1, ROUNDS // 8):
        assert diagnose(evidence(until(rows, round_), facts)) == []


def test_a_short_game_is_only_said_to_be_short() -> None:
    for count in (1, 2, 5, 20):
        assert [found.sign for found in diagnose(evidence(healthy()[:count]))] == ["too-short-to-say"]


def test_nothing_is_found_in_an_empty_history_or_one_without_known_series() -> None:
    rows = [{"round": round_, "phase": "main", "temperature": 20.0} for round_ in range(10, 2_000, 10)]
    for history in ([], rows):
        assert diagnose(evidence(history, Facts())) == []


@pytest.mark.parametrize("case", LATER, ids=label)
def test_without_its_series_a_sign_is_quiet(case: Case) -> None:
    rows = [{k: v for k, v in row.items() if k not in case.changes} for row in rows_of(case, 0)]
    assert signs.find(case.sign).find(evidence(rows, case.facts)) is None


def test_every_sign_has_a_case_and_is_called_as_its_file() -> None:
    assert {case.sign for case in CASES} | {"too-short-to-say"} == set(signs.names())
    for name in signs.names():
        sign = signs.find(name)
        assert sign.name == name
        assert sign.title
        assert not sign.title.endswith(".")
        assert sign.source


def test_findings_are_plain_sentences_and_json() -> None:
    for case in CASES:
        found = signs.find(case.sign).find(evidence(rows_of(case, 0), case.facts))
        assert found is not None
        assert found.title[0].isupper()
        assert not found.title.endswith(".")
        assert found.measure
        assert found.meaning.endswith(".")
        assert found.source
        assert 1 <= found.meaning.replace("0.02 to 0.1.", "").count(". ") + 1 <= 2
        assert all(remedy.why and not remedy.why.endswith(".") for remedy in found.remedies)
        assert json.loads(json.dumps(found.to_json()))["sign"] == case.sign
        assert "  " not in found.sentence()


def test_both_players_of_a_game_of_pairs_may_be_sure_where_penalties_hold_them() -> None:
    rows = failing({"discriminator/real_accuracy": 0.998, "discriminator/fake_accuracy": 0.998})
    sign = signs.find("discriminator-overpowers")
    pairs = Facts(rounds=ROUNDS, objective="relativistic")
    assert sign.find(evidence(rows, replace(pairs, config={"gamma": (0.1, 0.05)}))) is None
    assert sign.find(evidence(rows, replace(pairs, training={"stabilise": "lecam:0.1,r1:1"}))) is None
    found = sign.find(evidence(rows, pairs))
    assert found is not None
    assert found.confidence == "possible"


@pytest.mark.parametrize("sign", ["discriminator-overpowers", "generator-overpowers"])
def test_losses_and_accuracies_of_a_critic_mean_nothing_by_themselves(sign: str) -> None:
    rows = failing(
        {
            "discriminator/loss": -40.0,
            "discriminator/real_accuracy": 1.0,
            "discriminator/fake_accuracy": 0.0,
            "generator/loss": 0.001,
        }
    )
    assert signs.find(sign).find(evidence(rows, Facts(rounds=ROUNDS, objective="wasserstein"))) is None


def test_a_single_bad_row_is_no_failure() -> None:
    rows = healthy()
    for key, value in (("real_accuracy", 0.0), ("fake_accuracy", 1.0), ("gradient_norm", 1e5), ("loss", 9.0)):
        rows[250][f"discriminator/{key}"] = value
    rows[-1]["discriminator/gradient_norm"] = 1e5
    assert diagnose(evidence(rows)) == []
    assert diagnose(evidence(rows[:270])) == []


def test_a_player_that_rests_while_its_hinge_loss_is_met_is_not_slow() -> None:
    rests = {"watch/discriminator/update": lambda rounds, rng: np.where(rounds // LOOKS % 2 == 0, 0.002, 0.0)}
    assert signs.find("learning-rates-far-apart").find(evidence(failing(rests))) is None


def test_points_that_stay_apart_are_told_apart_less_surely_than_images() -> None:
    accuracy = {f"discriminator/{name}_accuracy": 0.94 for name in ("real", "fake")}
    sign = signs.find("discriminator-overpowers")
    found = sign.find(evidence(failing(accuracy), Facts(rounds=ROUNDS, shape=(2,), objective="logistic")))
    assert found is not None
    assert found.threshold == 0.9
    assert sign.find(evidence(failing(accuracy), Facts(rounds=ROUNDS, shape=(1, 32, 32), objective="logistic"))) is None
    assert sign.find(evidence(failing(accuracy), Facts(rounds=ROUNDS, shape=(2,), objective="relativistic"))) is None


@pytest.mark.parametrize(("side", "sign"), [("real", "discriminator-overpowers"), ("fake", "generator-overpowers")])
def test_a_discriminator_that_calls_all_the_same_without_being_sure_does_well(side: str, sign: str) -> None:
    accuracy = {f"discriminator/{name}_accuracy": float(name != side) for name in ("real", "fake")}
    plain = Facts(rounds=ROUNDS, shape=(2,), objective="logistic")
    smoothed = replace(plain, training={"stabilise": "r1:1,label-smoothing:0.1"})
    labels = replace(plain, config={"real_label": (0.9, 0.9), "fake_label": (0.0, 0.0)})
    sure = -1.0 if side == "real" else 1.0
    for logit, facts, found in ((0.2, smoothed, False), (0.2, labels, False), (0.2, plain, True), (4, smoothed, True)):
        rows = failing({**accuracy, f"discriminator/{side}": logit * sure})
        assert (signs.find(sign).find(evidence(rows, facts)) is not None) == found


def test_labels_count_as_ignored_from_the_middle_of_the_run_on() -> None:
    sign, early = signs.find("labels-ignored"), {"watch/label_effect": 0.15}
    rows = failing(early, onset=0)
    assert sign.find(evidence(until(rows, ROUNDS // 2), Facts(rounds=ROUNDS))) is None
    found = sign.find(evidence(rows, Facts(rounds=ROUNDS)))
    assert found is not None
    assert ROUNDS / 2 < found.since <= ROUNDS / 2 + LOOKS


def test_a_generator_whose_variety_still_grows_is_not_collapsed() -> None:
    rows = healthy()
    for row in rows:
        if "watch/diversity" in row:
            row["watch/diversity"] = 0.45 * row["round"] / ROUNDS
    assert diagnose(evidence(rows)) == []


def test_the_player_that_is_not_finite_first_is_named() -> None:
    rows = failing({"generator/loss": float("inf")})
    for row in rows[-20:]:
        row["discriminator/loss"] = "nan"
    found = signs.find("divergence").find(evidence(rows))
    assert found is not None
    assert "generator" in found.title
    assert found.since == ONSET + EVERY


def images(count: int, seed: int = 0, channels: int = 3) -> np.ndarray:
    """Smooth random images (count, channels, 32, 32) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, channels, 8, 8)).astype(np.float32)
    fine = coarse.repeat(4, 2).repeat(4, 3)
    for axis in (2, 3):
        fine = sum(np.roll(fine, shift, axis) for shift in range(-2, 3)) / 5
    return np.clip(fine + rng.normal(0, 2, fine.shape), 0, 255).astype(np.uint8)


def found_in(samples: np.ndarray | None, real: np.ndarray | None) -> list[str]:
    return [found.sign for found in diagnose(evidence([], Facts(), samples=samples, real=real))]


def test_folders_of_images_are_examined_without_a_history() -> None:
    real, other = images(200), images(100, seed=1)
    board = (np.indices((32, 32)).sum(0) % 2 * 40).astype(np.int16)
    constant = real.copy()
    constant[:, 1] = 7
    assert found_in(other, real) == []
    assert found_in(np.repeat(other[:1], 100, 0), real) == ["mode-collapse"]
    assert "mode-collapse" in found_in(np.repeat(other[:1], 100, 0), None)
    assert found_in(other, None) == []
    assert found_in(real[:60], real) == ["samples-memorised"]
    repeated = np.concatenate([real, real[:50]])  # copies are copies, though some real images have a twin
    assert found_in(real[:60], repeated) == ["duplicates-or-constant-channel", "samples-memorised"]
    assert found_in(other, repeated) == ["duplicates-or-constant-channel"]
    assert found_in(np.clip(other.astype(np.int16) + board, 0, 255).astype(np.uint8), real) == ["checkerboard"]
    assert found_in(None, constant) == ["duplicates-or-constant-channel"]
    assert found_in(None, np.concatenate([real, real[:50]])) == ["duplicates-or-constant-channel"]
    assert found_in(None, np.repeat(real[:, :1], 3, 1)) == ["duplicates-or-constant-channel"]
    assert found_in(other[:, :1], real) == []


def test_the_variety_of_a_class_of_sounds_is_not_judged_by_that_of_images() -> None:
    """Quiet sounds differ less by their values, so that only those alike count."""
    rows = failing({"watch/class_diversity": within_unit(0.2, 0.03)})
    find = signs.find("mode-collapse").find
    images, sounds = (Facts(rounds=ROUNDS, shape=shape) for shape in ((1, 32, 32), (1, 16_384)))
    found = find(evidence(rows, images))
    assert found is not None
    assert (found.title, found.confidence) == ("The samples of one class vary little", "possible")
    assert find(evidence(rows, sounds)) is None


def test_a_pattern_that_fades_is_not_spoken_of_early() -> None:
    """The default of images up to 32 pixels has three to five times the power until a third of its rounds."""
    rows = [{"round": round_, "watch/checkerboard": 8.0} for round_ in range(100, 2_001, 100)]
    for planned, found in ((2_000, True), (2_600, True), (3_000, False), (100_000, False)):
        facts = Facts(recipe="cgan", rounds=planned)
        assert (signs.find("checkerboard").find(evidence(rows, facts)) is not None) is found, planned
    later = [{"round": round_, "watch/checkerboard": 8.0} for round_ in range(100, 5_001, 100)]
    assert signs.find("checkerboard").find(evidence(later, Facts(recipe="cgan", rounds=100_000))) is not None
