"""No image that a classifier learned stands on the real side or sets the floor, and counts may be unlike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zerosum.data.batch import Images
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.reference import prepare
from zerosum.evaluation.splits import Split, Splits, find_splits
from zerosum.evaluation.unseen import rows_in_whole, rows_left, unlearned
from zerosum.features import classifier_extractor
from zerosum.features.clip_classifier import ClipClassifier
from zerosum.features.clips import RandomClips, TrainedClips
from zerosum.kinds import open_data
from zerosum.runtime.distributed import World


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvaluationContext:
    monkeypatch.setattr(classifier_extractor, "STEPS", 2)
    return EvaluationContext(device=torch.device("cpu"), cache=tmp_path, progress=None, world=World())


def labelled(path: Path, **splits: int) -> str:
    """An .npz of images that carry their number, even ones first."""
    arrays = {}
    for split, count in splits.items():
        number = np.arange(count)
        arrays[f"x_{split}"] = np.broadcast_to(number[:, None, None], (count, 8, 8)).astype(np.uint8)
        arrays[f"y_{split}"] = number % 3
    np.savez(path, **arrays)
    return str(path)


def learned(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The numbers of the images that a classifier is trained on from now on."""
    seen: set[int] = set()
    fit = classifier_extractor.fit

    def watched(images: torch.Tensor, *arguments: object, **options: object) -> object:
        seen.update(images[:, 0, 0, 0].tolist())
        return fit(images, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(classifier_extractor, "fit", watched)
    return seen


@pytest.mark.parametrize("counts", [{"train": 80}, {"train": 80, "test": 30}])
@pytest.mark.parametrize("asked", [None, "train"])
def test_real_side_and_floor_hold_no_image_that_the_classifier_learned(
    counts: dict[str, int],
    asked: str | None,
    context: EvaluationContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = learned(monkeypatch)
    source = labelled(tmp_path / "data.npz", **counts)
    splits = find_splits((Images,), source, DataConfig(), split=asked, world=World())
    reference = prepare(splits, EvaluationConfig(features="classifier"), context, trained=True)
    assert seen == set(range(0, 80, 2))
    shown = {"train": set(rows_left(80).tolist()), "test": set(range(30))}
    real, other = (set(side.images[:, 0, 0, 0].tolist()) for side in (reference.real, reference.other))  # type: ignore[index]
    assert real <= shown[reference.protocol.split]
    assert other <= shown["test" if asked == "train" and "test" in counts else "train"]
    if "test" not in counts:
        assert not real & other
    assert reference.memory is not None
    searched = set(torch.cat(list(reference.memory.chunks()))[:, 0, 0, 0].tolist())
    assert len(reference.memory.training()) == reference.memory.size == len(searched)
    assert not searched & set(reference.memory.held_out.images[:, 0, 0, 0].tolist()) or "test" in counts  # type: ignore[index]


def test_counts_may_be_unlike(context: EvaluationContext, tmp_path: Path) -> None:
    source = labelled(tmp_path / "data.npz", train=80, test=30)
    splits = find_splits((Images,), source, DataConfig(), split="train", world=World())
    asked = EvaluationConfig(features="pixels", count=70, fake_count=50)
    reference = prepare(splits, asked, context, trained=True)
    protocol = reference.protocol
    assert (protocol.real, protocol.fake, protocol.floor) == (70, 50, 30)
    assert "The floor is of 30 real samples" in reference.notes[0]
    assert protocol.command("run").endswith("--count 70 --seed 0 --fake-count 50 --features pixels")


def test_what_cannot_be_had_is_refused_before_a_classifier_is_trained(
    context: EvaluationContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = learned(monkeypatch)
    splits = find_splits((Images,), labelled(tmp_path / "data.npz", train=80), DataConfig(), split=None, world=World())
    for metric in ("cas", "psnr", "modes", "duality-gap"):
        with pytest.raises(InputError, match=f"{metric} is unavailable here"):
            prepare(splits, EvaluationConfig(metrics=metric), context, trained=True)
    with pytest.raises(InputError, match="come without a classifier's opinion"):
        prepare(splits, EvaluationConfig(metrics="is", features="pixels"), context, trained=True)
    assert not seen


def test_clips_that_a_classifier_learned_are_left_out() -> None:
    clips = open_data("moving-shapes", options=DataConfig(size="16", frames=4))
    network = ClipClassifier(clips.spec.shape[1], len(clips.spec.classes)).eval()
    splits = Splits(real=Split(dataset=clips, split="train"), other=None, trained="train")
    trained = TrainedClips(network, "", 1.0, clips.fingerprint)
    left = unlearned(splits, trained).real.images
    assert len(left) == len(clips) // 2
    assert torch.equal(left.real(np.arange(2)), clips.real(np.array([1, 3])))
    assert rows_in_whole(np.array([0, 1]), clips, trained).tolist() == [1, 3]
    for other in (TrainedClips(network, "", 1.0, "of other data"), RandomClips(clips.spec.shape[1])):
        assert unlearned(splits, other).real.images.fingerprint == clips.fingerprint
