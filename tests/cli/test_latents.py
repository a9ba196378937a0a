"""Samples at latents that a person chose: arithmetic on those of seeds, and latents in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.inference.generate import generate
from zerosum.inference.latents import combined, latent_of_seed, read_latents, sample_at, write_latent
from zerosum.runtime.progress import Silent


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings: dict[str, Any] = SMALL["cgan"] | {"rounds": 2, "batch": 8, "size": "16", "latent_dim": 6}
    place = tmp_path_factory.mktemp("latents") / "run"
    return api.train("digits", recipe="cgan", run=place, progress=Silent(), **settings).path


@pytest.fixture(scope="module")
def uniform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("uniform") / "run"
    settings: dict[str, Any] = SMALL["infogan"] | {"rounds": 2, "batch": 8}
    return api.train("ring8", recipe="infogan", run=place, progress=Silent(), **settings).path


def test_the_latent_of_a_seed_is_that_of_its_first_sample(run: Path, zerosum: Any) -> None:
    recipe = api.load(run)
    first = generate(recipe, 3, 7, controls={"label": 2})[:1]
    assert torch.equal(combined(recipe, "7"), latent_of_seed(recipe, 7))
    torch.testing.assert_close(sample_at(recipe, combined(recipe, "7"), seed=0, chosen={"label": 2}), first)
    for out, *flags in (("a.png", "--seed", 7, "-n", 1), ("b.png", "--latent", 7)):
        assert zerosum("sample", run, *flags, "--label", 2, "--out", out).code == 0
    assert np.array_equal(np.asarray(Image.open("a.png")), np.asarray(Image.open("b.png")))


def test_a_sum_of_normal_latents_has_the_norm_of_their_prior(run: Path, uniform: Path) -> None:
    recipe = api.load(run)
    found = combined(recipe, "3 - 7+12")
    parts = [latent_of_seed(recipe, seed) for seed in (3, 7, 12)]
    straight = parts[0] - parts[1] + parts[2]
    assert float(found.norm()) == pytest.approx(6**0.5)
    torch.testing.assert_close(torch.nn.functional.cosine_similarity(found, straight), torch.ones(1))
    other = api.load(uniform)
    parts = [latent_of_seed(other, seed) for seed in (3, 7)]
    assert torch.equal(combined(other, "3-7"), parts[0] - parts[1])
    assert torch.equal(combined(other, "-3+7"), parts[1] - parts[0])


def test_arithmetic_makes_one_sample_and_says_so(run: Path, zerosum: Any) -> None:
    said = zerosum("sample", run, "--latent", "3-7+12", "--label", 2)
    assert said.code == 0
    assert said.err == "1 sample in 1 file\n"
    written = Path(said.out.strip())
    assert written.parent.name == "seed-0-label-2-latent-3-7+12"
    assert Image.open(written).text["latent"] == "3-7+12"  # type: ignore[attr-defined]
    assert zerosum("sample", run, "--latent=-3+7", "--out", "minus.png").code == 0


def test_latents_in_a_file_make_a_sample_each(run: Path, zerosum: Any) -> None:
    recipe = api.load(run)
    latents = torch.cat([latent_of_seed(recipe, seed) for seed in range(20)])
    write_latent(latents, Path("few.npy"))
    assert torch.equal(read_latents(Path("few.npy"), recipe), latents)
    said = zerosum("sample", run, "--latent-file", "few.npy", "--label", 1, "--out", "few")
    assert (said.code, len(list(Path("few").iterdir()))) == (0, 20)
    one = sample_at(recipe, latents[17:18], seed=0, chosen={"label": 1})
    picture = np.asarray(Image.open("few/sample-0017.png"))
    assert np.abs(picture - one[0, 0].add(1).mul(127.5).numpy()).max() <= 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--latent", "3*7"), "--latent is 3*7, and seeds with + and - between are expected, such as 3-7+12."),
        (("--latent", "3-3"), "--latent 3-3 comes to nothing"),
        (("--latent", "3", "--interpolate"), "--interpolate and --latent make different things"),
        (
            ("--latent-file", "none.npy"),
            "--latent-file none.npy is not there: give a .npy of (N, 6) latents of this model, as zerosum invert "
            "writes.",
        ),
        (("--latent-file", "."), "--latent-file . is no file: give a .npy of (N, 6) latents"),
        (("--latent-file", "x.png"), "--latent-file x.png is no .npy of numbers: give a .npy of (N, 6) latents"),
        (("--latent-file", "pickled.npy"), "--latent-file pickled.npy is no .npy of numbers"),
        (("--latent-file", "empty.npy"), "--latent-file empty.npy is no .npy of numbers"),
        (("--latent-file", "zip.npz"), "--latent-file zip.npz is no .npy of numbers"),
        (("--latent-file", "wide.npy"), "(N, 6) latents are expected of this model"),
        (("--latent-file", "nan.npy"), "values that are not finite"),
        (("--latent-file", "far.npy"), "--latent-file far.npy holds values that are not finite"),
        (("--label", "1" * 5000), "and this model has no such class"),
        (("--latent-file", "text.npy"), "--latent-file text.npy is no .npy of numbers"),
    ],
)
def test_latents_that_make_no_sense_are_refused(run: Path, flags: tuple[str, ...], sentence: str, zerosum: Any) -> None:
    np.save("wide.npy", np.zeros((1, 7), np.float32))
    np.save("nan.npy", np.full((1, 6), np.nan, np.float32))
    np.save("far.npy", np.full((1, 6), 1e300))
    Path("text.npy").write_text("no array")
    Path("empty.npy").touch()
    Path("zip.npz").write_bytes(b"PK\x03\x04 and no more")
    Image.new("L", (6, 1)).save("x.png")
    np.save("pickled.npy", np.array([{}]), allow_pickle=True)
    said = zerosum("sample", run, *flags)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert sentence in said.err
    assert "pickle=" not in said.err
    assert "Errno" not in said.err
