"""Features in pieces are those of one pass, however many pieces there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum.data.options import DataConfig
from zerosum.evaluation import pieces
from zerosum.features.extract import of_dataset
from zerosum.features.untrained import Random
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.moments import moments
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
    return pieces.Piece(moments=moments(table), kept=table[:1], **(known | other))


def test_pieces_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(pieces.InputError, match="their extractor is b and c"):
        pieces.merged([piece(), piece(extractor="c", parts=(2,))])
    with pytest.raises(pieces.InputError, match="Part 1 of 2 is given twice"):
        pieces.merged([piece(), piece()])
    with pytest.raises(pieces.InputError, match="compare those of one network"):
        pieces.compared(piece(), piece(extractor="c"))
    assert not piece().is_whole
    assert pieces.merged([piece(parts=(2,)), piece()]).is_whole
