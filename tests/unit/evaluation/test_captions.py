"""Ranks of captions and attributes of shapes: what a perfect, a shuffled and a blind painter get."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.data.sources import shapes
from zerosum.evaluation.measures import captions
from zerosum.evaluation.samples import SampleSet
from zerosum.features.captions import FEWEST, Matched, default, fit, matching_of
from zerosum.features.extractor import Features
from zerosum.kinds.captions import CaptionDataset, CaptionedImages
from zerosum.metrics.caption_rank import caption_ranks
from zerosum.networks.captions import ImageEncoder, Matching, SentenceEncoder

COUNT = 120


@pytest.fixture(scope="module")
def dataset() -> Any:
    return kinds.open_as((CaptionedImages,), "captioned-shapes", options=DataConfig(split="test"))


class Oracle(Matched):
    """Knows a vector for each combination, whoever says it and however."""

    def __init__(self) -> None:
        self.of = {
            said: vector
            for what, vector in zip(shapes.ALL, torch.eye(240), strict=True)
            for said in shapes.sentences(what)
        }

    def __call__(self, images: torch.Tensor) -> Features:
        found = shapes.recognise(images.permute(0, 2, 3, 1).numpy())
        rows = [(one == shapes.ALL).all(1).argmax() for one in found]
        return Features(features=torch.eye(240)[rows])

    def sentences(self, given: Any) -> torch.Tensor:
        return torch.stack([self.of[one] for one in given])


def comparison(dataset: Any, made: np.ndarray) -> Any:
    """Compare images made from the first captions of some rows, which are not the first rows."""
    rows, oracle = np.arange(COUNT) + 300, Oracle()

    def side(images: torch.Tensor) -> SampleSet:
        return SampleSet(outputs=oracle(images), samples=images)

    real = side(dataset.real(rows))
    split = SimpleNamespace(dataset=dataset, split="test")
    splits = SimpleNamespace(real=split)
    reference = SimpleNamespace(splits=splits, rows=rows, extractor=oracle, other=real)
    fake = side(torch.from_numpy(made).permute(0, 3, 1, 2))
    protocol = SimpleNamespace(seed=0, extractor="matching")
    return SimpleNamespace(reference=reference, real=real, fake=fake, protocol=protocol, recipe=object())


def measured(compared: Any) -> dict[str, Any]:
    found = {}
    for group in captions.groups():
        assert group.unavailable(compared) is None
        results = {result.metric: result for result in group.compute(compared)}
        assert group.quick is not None
        assert {name: result.value for name, result in results.items()} == pytest.approx(dict(group.quick(compared)))
        found |= results
    return found


def test_a_perfect_painter_is_as_good_as_the_floor_and_a_wrong_one_as_chance(dataset: Any) -> None:
    wanted = shapes.combinations_of("test")[300 : 300 + COUNT]
    best = measured(comparison(dataset, shapes.render(wanted, None)))
    assert best["attributes"].value == best["attributes-unseen"].value == 1
    assert best["caption-rank"].value == pytest.approx(best["caption-rank"].floor, abs=0.1)
    assert best["caption-rank"].value < 2
    wrong = measured(comparison(dataset, shapes.render(np.roll(wanted, 2, axis=0), None)))
    assert 40 < wrong["caption-rank"].value < 60
    assert wrong["r-precision"].value < 0.05
    assert wrong["attributes"].value < 0.2
    assert wrong["attributes"].floor > 0.95
    assert wrong["caption-rank"].interval.low < wrong["caption-rank"].value < wrong["caption-rank"].interval.high
    assert "by chance they are 50.5 and 0.01" in wrong["caption-rank"].notes[0]


def test_what_has_no_captions_has_no_ranks(dataset: Any) -> None:
    compared = comparison(dataset, dataset.samples[:COUNT])
    compared.recipe = None
    assert all("runs" in str(group.unavailable(compared)) for group in captions.groups())
    compared = comparison(dataset, dataset.samples[:COUNT])
    compared.protocol.extractor = "random"
    assert "use --features matching" in str(captions.groups()[0].unavailable(compared))
    compared.reference.splits.real.split = "train"
    assert "use --split test" in str(captions.groups()[2].unavailable(compared))


def test_ranks_are_among_captions_of_another_text() -> None:
    texts = ["a", "a", "b", "c"]
    images = torch.eye(3)[[0, 0, 1, 2]]
    assert caption_ranks(images, images, texts, seed=0).tolist() == [1, 1, 1, 1]
    assert caption_ranks(images, images.roll(1, 0), ["c", "a", "a", "b"], seed=0)[3] == pytest.approx(2, abs=1)
    many = torch.randn(600, 8, generator=torch.Generator().manual_seed(0))
    ranks = caption_ranks(many, many.flip(0), [str(i) for i in range(600)], seed=0)
    assert ranks.mean().item() == pytest.approx(50.5, abs=3)
    assert ranks.max() <= 100


@pytest.mark.slow
def test_the_encoder_learns_more_than_chance_and_is_kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small: Any = kinds.open_as((CaptionedImages,), "captioned-shapes", options=DataConfig(size="8")).at(slice(0, 400))
    monkeypatch.setattr("zerosum.features.captions.STEPS", 40)
    monkeypatch.setattr("zerosum.features.captions.fit", lambda *a, **k: fit(*a, **k, steps=40))
    found = matching_of(small, cache=tmp_path)
    said = small.first_captions(np.arange(1, 400, 2))
    features = found(small.real(np.arange(1, 400, 2))).features
    assert caption_ranks(features, found.sentences(said), said, seed=0).mean() < 35
    assert "trained on 200 images of captioned-shapes" in found.protocol
    monkeypatch.setattr("zerosum.features.captions.fit", None)
    again = matching_of(small, cache=tmp_path)
    assert again.identity == found.identity
    (path,) = (tmp_path / "matching").iterdir()
    path.write_bytes(b"damaged")
    with pytest.raises(TypeError):
        matching_of(small, cache=tmp_path)
    assert default(small, cache=tmp_path)[0] == "matching"
    assert default(small.at(slice(0, FEWEST - 1)), cache=tmp_path)[0] == "random"


def test_slices_keep_captions_beside_their_images(dataset: Any) -> None:
    part = dataset.at(slice(1, None, 2))
    assert isinstance(part, CaptionDataset)
    assert isinstance(part, SampleDataset)
    assert part.captions[3] == dataset.captions[7]
    assert np.array_equal(part.samples[3], dataset.samples[7])
    assert Matching(SentenceEncoder(("a",), 4, 4), ImageEncoder((3, 8, 8), 4, 4))(
        torch.zeros(2, 3, 8, 8), torch.ones(2, 1, dtype=torch.int64)
    ).shape == (2, 2)
