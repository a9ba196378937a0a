"""Images of any size and any number of channels come to the nearest size that a recipe's networks can take."""

import numpy as np
import pytest

from tests.recipes.conftest import SMALL, fits, game, sides
from zerosum import recipes
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.training.fitting import nearest_fit, opened_to_fit, sizes_near, takes

IMAGES = [name for name in recipes.names() if fits(name, (1, 16, 16))]


def plan_for(name, **settings):
    data = {"degrade": "blur"} if name in ("pix2pix", "srgan") else {}
    return RunConfig.read("photos", name, {**SMALL[name], **data, **settings})


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", [(1, 22, 30), (6, 18, 18), (2, 34, 20), (3, 20, 36)])
def test_every_recipe_plays_on_images_of_any_size_and_channels(name, shape):
    spec = sides(name, shape, count=2).spec
    fit = nearest_fit(plan_for(name), spec, "cpu")
    assert fit.shape[0] == shape[0]
    assert max(abs(np.log(np.array(fit.shape[1:]) / shape[1:]))) < 0.5
    playing = game(name, fit.shape, rounds=1)
    phase = playing.recipe.phases()[-1]
    playing.begin_phase(len(playing.recipe.phases()) - 1, phase)
    phase.play(playing)
    playing.check_weights()
    playing.source.close()


def test_a_size_that_fits_stays():
    spec = sides("dcgan", (3, 28, 28), count=2).spec
    assert nearest_fit(plan_for("dcgan"), spec, "cpu") is spec


@pytest.mark.parametrize(("size", "fit"), [((100, 100), (96, 96)), ((50, 50), (48, 48)), ((100, 60), (104, 64))])
def test_dcgan_gets_the_nearest_size(size, fit):
    spec = sides("dcgan", (1, *size), count=2).spec
    assert nearest_fit(plan_for("dcgan"), spec, "cpu").shape == (1, *fit)


def test_tiles_are_never_larger_than_the_images_that_hold_them():
    spec = sides("dcgan", (1, 47, 47), count=2).spec
    assert nearest_fit(plan_for("dcgan"), spec, "cpu").shape == (1, 48, 48)
    assert nearest_fit(plan_for("dcgan", fit="tiles"), spec, "cpu").shape == (1, 40, 40)


def test_a_refusal_for_another_reason_stands():
    spec, plan = Spec(shape=(1, 16, 16)), plan_for("cgan")  # it needs classes
    assert not takes(plan, spec, "cpu")
    assert nearest_fit(plan, spec, "cpu") is spec


def test_sizes_are_tried_from_near_to_far():
    distances = [abs(np.log(h / 90)) + abs(np.log(w / 61)) for h, w in sizes_near((90, 61))]
    assert distances == sorted(distances)
    assert {(96, 64), (88, 60), (64, 64), (128, 64)} <= set(sizes_near((90, 61)))
    assert min(min(size) for size in sizes_near((5, 4000))) >= 4


def test_data_are_opened_again_only_where_their_size_does_not_fit():
    opened = []

    def opening(plan):
        opened.append(plan.options.size)
        height, width = plan.options.sides() or (100, 100)
        return sides("dcgan", (1, height, width), count=2)

    plan, dataset, notes = opened_to_fit(plan_for("dcgan"), "cpu", opening)
    assert (opened, dataset.spec.shape, plan.options.size) == ([None, "96x96"], (1, 96, 96), "96x96")
    assert notes == (
        "Images of 100x100 are scaled to 96x96, the nearest size that dcgan can make (--size sets another).",
    )
    opened.clear()
    plan, _, notes = opened_to_fit(plan_for("gan"), "cpu", opening)
    assert (opened, notes, plan.options) == ([None], (), DataConfig())
    plan, dataset, notes = opened_to_fit(plan_for("dcgan", size="100"), "cpu", opening)
    assert (dataset.spec.shape, notes) == ((1, 100, 100), ())
    with pytest.raises(InputError, match="would fit"):
        plan.recipe_class(plan.config, dataset.spec)
