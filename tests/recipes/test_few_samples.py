"""Pieces of a batch that hold a single sample: played by every recipe, or refused before anything is written."""

from __future__ import annotations

import pytest
import torch

from tests.recipes.conftest import SMALL, shape_of, sides
from zerosum import recipes
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.runtime.distributed import World
from zerosum.training.build import build_game

ONE_VALUE = "Batch norm needs 2 samples or more"


def play_once(name: str, shape: tuple[int, ...], **settings: object) -> None:
    """Play a round of every phase of the small recipe `name`."""
    group = {"minibatch_group": 1} if name in ("progan", "stylegan2") else {}
    plan = RunConfig.read("data", name, {**SMALL[name], **group, "rounds": 8, **settings})
    playing = build_game(plan, sides(name, shape), torch.device("cpu"), World())
    for index, phase in enumerate(playing.recipe.phases()):
        playing.begin_phase(index, phase)
        phase.play(playing)
        playing.end_round()
    playing.check_weights()


@pytest.mark.parametrize("name", recipes.names())
@pytest.mark.parametrize("settings", [{"batch": 1}, {"batch": 2, "micro_batches": 2}], ids=["batch", "piece"])
def test_a_single_sample_is_played_or_refused_in_a_sentence(name, settings):
    refused = {
        "infogan": ONE_VALUE,
        "age_cgan": ONE_VALUE,
        "srgan": "give --batch 2 or more" if settings["batch"] == 1 else "batch whole",
    }
    refused["stackgan"] = refused["srgan"]
    if settings["batch"] == 2 and name in ("cyclegan", "unrolled"):
        refused[name] = "batch whole"
    if name not in refused:
        play_once(name, shape_of(name), **settings)
        return
    with pytest.raises(InputError, match=refused[name]):
        play_once(name, (1, 16, 16), **settings)


@pytest.mark.parametrize(("batch", "micro_batches", "enough"), [(1, 1, 2), (3, 3, 6)])
def test_the_sentence_names_the_smallest_batch_that_will_do(batch, micro_batches, enough):
    settings = {"architecture": "pacgan", "micro_batches": micro_batches}
    with pytest.raises(InputError, match=f"--batch {batch}.* leaves it 1: give --batch {enough} or more"):
        play_once("gan", (2,), batch=batch, **settings)
    play_once("gan", (2,), batch=enough, **settings)
