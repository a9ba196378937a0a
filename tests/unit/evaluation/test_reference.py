"""Which real samples stand on which side, what the protocol says of them, and when two protocols compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.evaluation.conftest import PROTOCOL
from zerosum.data.batch import Images, Points
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.counts import counts_of
from zerosum.evaluation.reference import prepare
from zerosum.evaluation.result import Evaluation
from zerosum.evaluation.splits import Split, Splits, find_splits
from zerosum.evaluation.table import require_comparable
from zerosum.kinds import domains
from zerosum.runtime.distributed import World

SMALL = DataConfig(size="16")


@pytest.fixture
def context(tmp_path: Path) -> EvaluationContext:
    return EvaluationContext(device=torch.device("cpu"), cache=tmp_path, progress=None, world=World())


def array(path: str, **splits: int) -> str:
    """An .npz with as many random images in each split; those of one split are brighter than those of the next."""
    random, arrays = np.random.default_rng(0), {}
    for place, (split, count) in enumerate(splits.items()):
        arrays[f"x_{split}"] = random.integers(100 * place, 100 * place + 100, (count, 8, 8), dtype=np.uint8)
    np.savez(path, **arrays)
    return path


def test_a_held_out_split_is_held_against_and_training_samples_set_the_floor(context: EvaluationContext) -> None:
    source = array("data.npz", train=40, test=12)
    splits = find_splits((Images,), source, DataConfig(), split=None, world=World())
    reference = prepare(splits, EvaluationConfig(features="pixels"), context, trained=True)
    assert (reference.protocol.split, reference.protocol.against) == ("test", "split train")
    assert (reference.protocol.real, reference.protocol.size) == (12, "1x8x8")
    assert reference.real.features.min() >= 100 / 255 > reference.other.features.max()
    assert len(reference.memory.training()) == reference.memory.size == 40
    assert reference.memory.held_out is reference.real
    assert sum(len(chunk) for chunk in reference.memory.chunks()) == 40
    asked = find_splits((Images,), source, DataConfig(), split="train", world=World())
    assert (asked.real.split, asked.other.split) == ("train", "test")


def test_of_two_domains_as_many_are_compared_as_there_are_sources() -> None:
    data = domains.example(Spec(shape=(1, 8, 8), source_shape=(1, 8, 8), kind="domains"), 8)  # 5 of A, 8 of B
    both = Split(dataset=data, split="test"), Split(dataset=data, split="train")
    counts = counts_of(Splits(real=both[0], other=both[1], trained="train"), EvaluationConfig(), unlike=False)
    assert (counts.real, counts.fake, counts.floor) == (5, 5, 5)
    assert counts.notes == ("5 real samples a side, because the data have no more: --count 5000 is not reached.",)


def test_one_split_is_halved_and_nothing_is_on_both_sides(context: EvaluationContext) -> None:
    splits = find_splits((Images,), "digits", SMALL, split=None, world=World())
    reference = prepare(splits, EvaluationConfig(features="pixels"), context, trained=True)
    assert reference.protocol.against == "other samples of train"
    assert len(reference.real) == len(reference.other) == 1797 // 2
    assert reference.notes == (
        "898 real samples a side, because the data have no more: --count 5000 is not reached; "
        "with --fake-count the sides may be unlike.",
    )
    images = [side.images.flatten(1).float() / 255 for side in (reference.real, reference.other)]
    for side, seen in zip((reference.real, reference.other), images, strict=True):
        assert torch.equal(side.features, seen)
    alike = (torch.cdist(images[0], images[1]) == 0).any(1)
    assert alike.float().mean() < 0.05  # a few digits occur twice in the data
    assert sum(len(chunk) for chunk in reference.memory.chunks()) == 1797 - 898


def test_points_are_their_own_features(context: EvaluationContext) -> None:
    splits = find_splits((Points,), "grid25", DataConfig(), split=None, world=World())
    reference = prepare(splits, EvaluationConfig(count=50), context, trained=True)
    assert (reference.mixture, reference.protocol.extractor, reference.protocol.split) == (
        "grid25",
        "coordinates",
        "test",
    )
    with pytest.raises(InputError, match="grid25 is made of points, whose values are their features: leave --features"):
        prepare(splits, EvaluationConfig(features="pixels"), context, trained=True)


def test_too_few_samples_are_refused(context: EvaluationContext) -> None:
    splits = find_splits((Images,), array("few.npz", train=3), DataConfig(), split=None, world=World())
    few = "has 3 real samples, and an evaluation needs 2 for each of two sides: give "
    for asked, mend in (({}, "more data"), ({"fake_count": 9}, "more data"), ({"count": 1}, "--count 2 or more")):
        with pytest.raises(InputError, match=few + mend):
            prepare(splits, EvaluationConfig(features="pixels", **asked), context, trained=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extractor": "pixels"}, "the features (means and pixels)"),
        ({"split": "test"}, "the split (train and test)"),
        ({"fake": 1000}, "the number of generated samples (240 and 1,000)"),
        ({"size": "1x16x16"}, "the size (1x32x32 and 1x16x16)"),
        ({"resizer": "bicubic"}, "the resizer (none and bicubic)"),
        ({"identity": "other"}, "the weights of the extractor means"),
        ({"fingerprint": "other"}, "the content of digits, which has changed"),
    ],
)
def test_protocols_that_differ_do_not_compare(change: dict[str, object], said: str) -> None:
    (found,) = PROTOCOL.differences(replace(PROTOCOL, **change))
    assert found.startswith(said)


def test_a_folder_is_told_the_size_and_a_difference_is_said_once() -> None:
    smaller = replace(PROTOCOL, size="1x16x16", sees="The means of 2x2 pixels.")
    assert PROTOCOL.differences(smaller) == ["the size (1x32x32 and 1x16x16)"]
    one, run = (Evaluation(subject="a", round=n, protocol=PROTOCOL, figures=(), notes=()) for n in (None, 2))
    with pytest.raises(InputError, match="--seed 0 --size 32x32 --features means"):
        require_comparable([run, replace(one, protocol=smaller)])
    with pytest.raises(InputError, match="--seed 0 --features means"):
        require_comparable([one, replace(run, protocol=smaller)])


def test_another_seed_compares_and_an_evaluation_is_read_as_it_was_written() -> None:
    assert PROTOCOL.differences(replace(PROTOCOL, seed=7)) == []
    whole = Evaluation(subject="run", round=None, protocol=PROTOCOL, figures=(), notes=("a",))
    assert Evaluation.read(whole.write(Path("evaluation.json"))) == whole
    with pytest.raises(InputError, match="fid was not evaluated for run"):
        whole["fid"]


def test_the_classes_to_expect_are_those_of_the_training_labels(context: EvaluationContext) -> None:
    random = np.random.default_rng(0)
    labels = {"train": np.repeat([0, 1], [30, 10]), "test": np.repeat([0, 1], [5, 15])}
    images = {split: random.integers(0, 256, (len(of), 8, 8), dtype=np.uint8) for split, of in labels.items()}
    np.savez(
        "uneven.npz",
        **{f"x_{split}": each for split, each in images.items()},
        **{f"y_{split}": of for split, of in labels.items()},
    )
    splits = find_splits((Images,), "uneven.npz", DataConfig(), split=None, world=World())
    assert splits.real.split == "test"
    reference = prepare(splits, EvaluationConfig(features="classifier"), context, trained=True)
    assert reference.expected is not None
    assert reference.expected.tolist() == [0.75, 0.25]
