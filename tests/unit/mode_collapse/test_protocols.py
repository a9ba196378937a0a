"""Protocols: every recipe that makes samples gets the settings that it has, and what was asked for wins."""

from __future__ import annotations

import pytest

from tests.recipes.conftest import fits, plays_on_points
from zerosum import recipes
from zerosum.benchmarks.mode_collapse import protocols, published
from zerosum.errors import InputError

CASES = [(name, data) for name in ("pacgan", "quick") for data in protocols.DATA]
CASES += [("unrolled", "ring"), ("unrolled", "stacked-mnist")]
PLAYED = [name for name in recipes.names() if recipes.find(name).task.given == "nothing"]


@pytest.mark.parametrize(("name", "data"), CASES)
def test_every_recipe_takes_the_settings_that_it_has(name: str, data: str) -> None:
    protocol = protocols.find(name, data)
    for recipe in PLAYED:
        if not (fits(recipe, (3, 28, 28)) if data == "stacked-mnist" else plays_on_points(recipe)):
            continue
        config = protocol.config(recipe, {})
        assert config.rounds == protocol.rounds
        assert config.batch == protocol.settings["batch"]
        assert protocol.config(recipe, {"rounds": 7, "batch": 9}).to_json() == config.to_json() | {
            "rounds": 7,
            "batch": 9,
        }


def test_the_counts_are_the_published_ones() -> None:
    found = {case: protocols.find(*case) for case in CASES}
    assert {case: one.samples for case, one in found.items() if case[1] != "stacked-mnist"} == {
        case: 2500 for case in CASES if case[1] != "stacked-mnist"
    }
    assert found["pacgan", "stacked-mnist"].samples == found["quick", "stacked-mnist"].samples == 26_000
    assert found["unrolled", "stacked-mnist"].samples == 25_600
    assert [found["pacgan", data].modes for data in protocols.DATA] == [8, 25, 1000]


def test_a_papers_own_settings_come_before_the_protocols() -> None:
    ring = protocols.find("pacgan", "ring")
    assert ring.config("gan", {}).to_json()["betas"] == (0.8, 0.999)
    critic = ring.config("wgan_gp", {}).to_json()
    assert (critic["betas"], critic["penalty"], critic["lr"]) == ((0.5, 0.9), 0.1, 1e-4)
    assert ring.config("wgan_gp", {"penalty": 3}).to_json()["penalty"] == 3


@pytest.mark.parametrize(("name", "data"), CASES)
def test_recalled_rows_are_told_from_checked_ones(name: str, data: str) -> None:
    rows = published.rows(name, data)
    assert {row.source.partition(",")[0] for row in rows} <= set(published.PAPERS)
    assert all(row.recalled == (not row.source.startswith("PacGAN")) for row in rows)


def test_what_no_protocol_has_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="did you mean ring"):
        protocols.find("pacgan", "ring8")
    with pytest.raises(InputError, match="choose --protocol pacgan or quick"):
        protocols.find("unrolled", "grid")
    with pytest.raises(InputError, match="pix2pix makes images from images"):
        protocols.find("quick", "ring").config("pix2pix", {})
