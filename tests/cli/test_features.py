"""Features in pieces are those of one pass, however many pieces there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.api import load
from zerosum.data.options import DataConfig
from zerosum.evaluation import pieces
from zerosum.evaluation.result import Evaluation
from zerosum.features.extract import of_dataset
from zerosum.features.untrained import Random
from zerosum.inference.generate import finished, stream
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.moments import moments, without
from zerosum.metrics.precision_recall import fidelity_diversity

RANDOM = ("--features", "random", "--keep", 300)


@pytest.mark.slow
def test_pieces_add_up_to_one_pass_and_are_compared(zerosum: Any, tmp_path: Path) -> None:
    for part in (3, 1, 2):
        said = zerosum("features", "digits", *RANDOM, "--part", f"{part}/3", "--out", f"{part}.npz")
        assert said.code == 0, said.err
        assert "1 of 3 parts" in said.out
    said = zerosum("features", "--merge", "2.npz", "3.npz", "1.npz", "--out", "all.npz")
    assert said.out == "1,797 of 1,797 images, all 3 parts; features of 300 are kept.\n"
    digits = open_data("digits", options=DataConfig(size="32"))
    seen = of_dataset(Random(), digits, cache=tmp_path).features  # type: ignore[arg-type]
    joined, whole = pieces.read(Path("all.npz")), moments(seen)
    assert joined.moments.count == whole.count
    torch.testing.assert_close(joined.moments.mean, whole.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(joined.moments.scatter, whole.scatter, rtol=1e-9, atol=1e-9)
    rows = np.sort(np.random.default_rng(0).permutation(1797)[:300])
    assert torch.equal(joined.kept, seen[rows])

    assert zerosum("features", "digits", *RANDOM, "--size", 16, "--out", "other.npz").code == 0
    said = zerosum("features", "--merge", "all.npz", "--against", "other.npz")
    other = pieces.read(Path("other.npz"))
    distance = frechet_distance(other.moments, joined.moments).value
    assert f"Frechet distance {distance:.4f}, of 1,797 images, 1,797 real ones." in said.out
    scores = fidelity_diversity(other.kept, joined.kept)
    assert f"precision {scores.precision:.4f}, recall {scores.recall:.4f}" in said.out
    assert "of a sample of 300 images, 300 real ones." in said.out


@pytest.mark.slow
def test_a_run_is_evaluated_by_pieces_as_by_the_images(zerosum: Any, tmp_path: Path) -> None:
    words = ("--recipe", "dcgan", "--width", 8, "--batch", 16, "--rounds", 2, "--run", "run", "--watch-every", 0)
    assert zerosum("train", "digits", *words).code == 0
    random = ("features", "digits", "--features", "random")
    for part in (1, 2):
        said = zerosum(*random, "--size", 32, "--part", f"{part}/2", "--out", f"{part}.npz")
        assert said.code == 0, said.err
    said = zerosum("evaluate", "run", "--against", "2.npz,1.npz", "--count", 400)
    assert said.code == 0, said.err
    found = Evaluation.read(Path("run/evaluation.json"))
    assert (found.round, found.protocol.split) == (2, "parts 1,2 of 2")
    assert (found.protocol.real, found.protocol.fake) == (1797, 400)
    digits = open_data("digits", options=DataConfig(size="32"))
    whole = of_dataset(Random(), digits, cache=tmp_path).features  # type: ignore[arg-type]
    recipe = load("run")
    fake = Random()(finished(recipe.spec, torch.cat(list(stream(recipe, 400, 0)))[:400])).features
    assert found["fid"].value == pytest.approx(frechet_distance(moments(whole), moments(fake)).value, rel=1e-4)
    for figure in found.figures:
        assert figure.value is not None
        assert figure.floor is not None
        better = figure.floor < figure.value if figure.better == "lower" else figure.floor > figure.value
        assert better, figure  # noise of an untrained network is worse than real images
    assert any("of a sample of 898 real images" in note for note in found.notes)

    assert zerosum(*random, "--size", 16, "--out", "small.npz").code == 0
    for words, sentence in (
        (("run", "--against", "small.npz"), "has features of images of shape (1, 16, 16)"),
        (("run", "--against", "1.npz,1.npz"), "Part 1 of 2 is given twice"),
        (("run", "--against", "1.npz", "--metrics", "ndb"), "ndb is not computed from features in pieces"),
        (("run", "--against", "1.npz", "--features", "pixels"), "The features are of random and --features is pixels"),
        (("run", "--against", "1.npz", "--split", "test"), "leave out --per-class, --size and --split"),
        (("digits", "--against", "1.npz"), "digits is no run: `zerosum features digits --out F.npz` extracts"),
    ):
        refused = zerosum("evaluate", *words)
        assert refused.code == 2
        assert sentence in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("digits", "--part", "4/3", "--out", "a.npz"), "--part is 4/3: give the number of the part"),
        ((), "Give DATA to extract features of, or --merge FILE"),
        (("digits", "--merge", "a.npz"), "Give DATA to extract features of, or --merge FILE"),
        (("--merge", "none.npz", "--out", "a.npz"), "none.npz holds no features that `zerosum features` wrote"),
        (("digits", "--features", "classifier", "--out", "a.npz"), "two sets would have features of two networks"),
        (("ring8", "--out", "a.npz"), "ring8 is made of points: pieces are of images."),
        (("digits", "--features", "random", "--part", "1/9999", "--out", "a.npz"), "fewer than 9,999 parts"),
    ],
)
def test_what_makes_no_piece_is_refused(arguments: tuple[str, ...], said: str, zerosum: Any) -> None:
    found = zerosum("features", *arguments)
    assert found.code == 2
    assert said in found.err


def piece(**other: Any) -> pieces.Piece:
    known = {"fingerprint": "a", "extractor": "b", "total": 4, "keep": 2, "of": 2, "parts": (1,)}
    table = torch.arange(8.0).view(4, 2)
    return pieces.Piece(**({"moments": moments(table), "kept": table[:1]} | known | other))


def test_moments_without_a_part_are_those_of_the_rest() -> None:
    table = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 100
    rest, expected = without(moments(table), moments(table[:20])), moments(table[20:])
    assert rest.count == 30
    torch.testing.assert_close(rest.mean, expected.mean, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(rest.scatter, expected.scatter, rtol=1e-9, atol=1e-9)
    with pytest.raises(pieces.InputError, match="Of 50 samples 49 are taken out"):
        without(moments(table), moments(table[:49]))


def test_pieces_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(pieces.InputError, match="their extractor is b and c"):
        pieces.merged([piece(), piece(extractor="c", parts=(2,))])
    with pytest.raises(pieces.InputError, match="Part 1 of 2 is given twice"):
        pieces.merged([piece(), piece()])
    with pytest.raises(pieces.InputError, match="compare those of one network"):
        pieces.compared(piece(), piece(extractor="c"))
    assert not piece().is_whole
    assert pieces.merged([piece(parts=(2,)), piece()]).is_whole


def stored(name: str, **other: Any) -> Path:
    """Write the features of eight images as they are written, but for what is given."""
    table = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    whole = pieces.Piece(
        moments=moments(table), kept=table, fingerprint="a", extractor="b", total=8, keep=8, of=1, parts=(1,)
    )
    pieces.write(whole, Path(name))
    if other:
        with np.load(name) as file:
            kept = dict(file)
        np.savez(name, **(kept | other))
    return Path(name)


NAN = np.full((2, 2), np.nan)


@pytest.mark.parametrize(
    "other",
    [
        {"scatter": NAN},
        {"kept": np.full((8, 2), np.nan, np.float32)},
        {"scatter": np.zeros((3, 3))},
        {"kept": np.zeros((8, 3), np.float32)},
        {"mean": np.zeros(())},
        {"about": np.array("[1, 2]")},
        {"about": np.array("[" * 9000)},
        {"about": np.array("{}")},
    ],
    ids=["moments", "kept", "table", "width", "mean", "list", "deep", "empty"],
)
def test_features_that_are_not_whole_are_refused_in_a_sentence(other: dict[str, Any], zerosum: Any) -> None:
    stored("good.npz")
    stored("bad.npz", **other)
    for words in (("--merge", "bad.npz", "--against", "good.npz"), ("--merge", "good.npz", "--against", "bad.npz")):
        said = zerosum("features", *words)
        assert said.code == 2, said.out
        assert "bad.npz holds no features that `zerosum features` wrote, or is damaged" in said.err


def test_half_of_a_file_and_one_with_a_flipped_byte_are_refused(zerosum: Any) -> None:
    good = stored("good.npz").read_bytes()
    for damaged in (good[: len(good) // 2], good[:300] + bytes([good[300] ^ 255]) + good[301:], b"", b"text"):
        Path("bad.npz").write_bytes(damaged)
        said = zerosum("features", "--merge", "bad.npz", "--against", "good.npz")
        assert said.code == 2
        assert "or is damaged: extract them again" in said.err
        said = zerosum("evaluate", "digits", "--against", "bad.npz", "--features", "pixels")
        assert said.code == 2
        assert "bad.npz" in said.err


def test_what_features_cannot_be_written_to_is_refused_before_an_image_is_seen(
    zerosum: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "piece_of", lambda *_, **__: pytest.fail("features were extracted"))
    np.savez("mine.npz", x=np.zeros(3))
    Path("folder.npz").mkdir()
    for words, sentence in (
        ((), "Nothing would come of it"),
        (("--out", "mine.npz"), "mine.npz, which holds no features and stays as it is"),
        (("--out", "folder.npz"), "give a name that ends in .npz"),
        (("--out", "a.txt"), "give a name that ends in .npz"),
        (("--out", "a.npz", "--against", "none.npz"), "none.npz holds no features"),
    ):
        said = zerosum("features", "digits", "--features", "random", *words)
        assert said.code == 2
        assert sentence in said.err
    with np.load("mine.npz") as file:
        assert file.files == ["x"]


def test_a_comparison_says_what_is_biased_and_what_cannot_be_had(zerosum: Any) -> None:
    good = stored("good.npz")
    assert pieces.compared(pieces.read(good), pieces.read(good))[1].startswith("precision 1.0000, recall 1.0000")
    table = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    few = piece(moments=moments(table), kept=table)
    distance, *notes, left = pieces.compared(few, few)
    assert distance.startswith("Frechet distance 0.0000, of 4 images")
    assert any("4 generated samples are no more than the 8 features" in note for note in notes)
    assert left.startswith("precision, recall, density and coverage left out: features of 4 are kept")
    small, large = piece(shape=(3, 8, 8), kept=table), piece(shape=(3, 64, 64), kept=table)
    note = "Note: the images are of 3x64x64 and the real ones of 3x8x8, and resizing alone makes a distance."
    assert note in pieces.compared(small, large)
    assert not any("resizing" in said for said in pieces.compared(small, small))
    one = piece(moments=moments(table[:1]), kept=table[:1])
    with pytest.raises(pieces.InputError, match="is of 1 image, and a comparison needs 2 on each side"):
        pieces.compared(few, one)
