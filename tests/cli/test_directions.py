"""Directions: principal components of the first layer, or of styles; kept in the run, and drawn in rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.spec import Spec
from zerosum.inference import directions as module
from zerosum.inference.directions import along, compute_directions, directions
from zerosum.inference.generate import generate
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.runtime.progress import Silent
from zerosum.tasks import LatentConfig, LatentRecipe

SETTINGS: dict[str, Any] = {"rounds": 2, "batch": 8, "latent_dim": 6, "size": "16", "progress": Silent()}
MATRIX = torch.diag(torch.tensor([1.0, 4.0, 2.0])) @ torch.linalg.qr(torch.arange(9.0).view(3, 3).sin())[0]


class Fixed(LatentRecipe):
    """A generator whose first layer is known, on eight gray pixels a side."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__(LatentConfig(latent_dim=matrix.shape[1]), Spec(shape=(1, 8, 8)))
        self.generator = Dense(matrix.shape[1], (len(matrix),), (1, 8, 8), bound="tanh")
        first = next(layer for layer in self.generator.modules() if isinstance(layer, nn.Linear))
        first.weight.data, first.bias.data = matrix.clone(), torch.ones(len(matrix))

    def players(self) -> dict[str, Player]:
        return {}

    def round(self, game: Any) -> None: ...


class Styled(Fixed):
    """The same with styles between latents and samples, three times as large along the second axis."""

    def mapping(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        return (latent @ torch.diag(torch.tensor([1.0, 3.0, 2.0]))) + 5

    def synthesis(self, styles: Tensor) -> Tensor:
        return self.generator(styles)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("directions") / "run"
    return api.train("digits", recipe="cgan", run=place, **SMALL["cgan"] | SETTINGS).path


def test_directions_are_those_of_the_first_layer() -> None:
    found = compute_directions(Fixed(MATRIX).eval(), None)
    _, values, rows = torch.linalg.svd(MATRIX)  # (4, 2, 1): of N(0, 1) latents these are the standard deviations
    torch.testing.assert_close(found.explained, values.square() / values.square().sum(), rtol=0.1, atol=0.01)
    for move, row in zip(found.moves, rows, strict=True):
        assert abs(float(cosine_similarity(move, row, dim=0))) > 0.99
        assert float(move.norm()) == pytest.approx(1, rel=0.06)
        assert float(move[move.abs().argmax()]) > 0


def test_styles_are_moved_where_there_are_any() -> None:
    recipe = Styled(MATRIX).eval()
    found = compute_directions(recipe, None)
    for move, axis, size in zip(found.moves, (1, 2, 0), (3.0, 2.0, 1.0), strict=True):
        assert int(move.abs().argmax()) == axis
        assert float(move.norm()) == pytest.approx(size, rel=0.06)
    made = along(recipe, found, 1, rows=2, strength=2.0, seed=0, chosen={})
    torch.manual_seed(0)
    with module.rng.fork(recipe.device, seed=module.rng.derived(0, "samples")), torch.no_grad():
        styles = recipe.mapping(recipe.prior(16)[:2])
        ends = torch.cat([recipe.synthesis(styles - 2 * found.moves[0]), recipe.synthesis(styles + 2 * found.moves[0])])
    torch.testing.assert_close(made[[0, 7, 6, 13]], ends)


def test_rows_begin_at_the_samples_of_the_seed(run: Path) -> None:
    recipe = api.load(run)
    found = directions(recipe, label=2, seed=0, folder=Path("kept"))
    assert found.moves.shape == (6, 6)
    assert float(found.explained.sum()) == pytest.approx(1, rel=1e-4)
    made = along(recipe, found, 2, rows=18, strength=1.5, seed=4, chosen={"label": 2})
    assert made.shape == (18 * 7, 1, 16, 16)
    torch.testing.assert_close(made[3::7], generate(recipe, 18, 4, controls={"label": 2}))
    assert not torch.equal(made[0], made[6])


def test_directions_are_kept_by_weights_and_label(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, folder = api.load(run), Path("kept")
    state = torch.get_rng_state()
    first = directions(recipe, label=2, seed=0, folder=folder)
    assert torch.equal(state, torch.get_rng_state())
    assert not any(layer._forward_hooks for layer in recipe.modules())
    (file,) = folder.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(module, "compute_directions", None)
        again = directions(recipe, label="2", seed=9, folder=folder)
    assert torch.equal(first.moves, again.moves)
    directions(recipe, label=3, seed=0, folder=folder)
    file.write_bytes(b"damaged")
    assert torch.equal(directions(recipe, label=2, seed=0, folder=folder).moves, first.moves)
    with torch.no_grad():
        next(recipe.generator.parameters()).mul_(2)
    directions(recipe, label=2, seed=0, folder=folder)
    assert len(list(folder.iterdir())) == 3


def test_the_command_lists_and_draws(run: Path, zerosum: Any) -> None:
    said = zerosum("sample", run, "--direction", "list", "--label", 1)
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    shares = [float(line.split()[1].rstrip("%")) for line in lines]
    assert shares == sorted(shares, reverse=True)
    assert len(list((run / "directions").iterdir())) == 1
    said = zerosum("sample", run, "--direction", 3, "--strength", 1, "-n", 2, "--label", 1)
    assert (said.code, said.err) == (0, "2 rows of 7, from -1 to 1 standard deviations.\n")
    assert Path(said.out.strip()).name == "seed-0-label-1-direction-3-strength-1.png"
    assert Image.open(said.out.strip()).size == (7 * 66 - 2, 2 * 66 - 2)
    assert zerosum("sample", run, "--direction", 3, "-n", 2, "--label", 1, "--out", "far.png").code == 0
    assert not np.array_equal(np.asarray(Image.open("far.png")), np.asarray(Image.open(said.out.strip())))


def test_directions_that_are_not_there_are_refused(run: Path, zerosum: Any) -> None:
    points = api.train("ring8", recipe="gan", run="points", rounds=1, progress=Silent()).path
    for place, flags, sentence in (
        (run, ("--direction", 7), "--direction is 7, and this model has directions 1 to 6."),
        (run, ("--direction", "1" * 5000), ": give list, or the number of a direction from 1."),
        (run, ("--direction", 1, "--strength", 1e308), "--strength is 1e+308, by which no latent can be moved"),
        (run, ("--direction", "up"), "--direction is up: give list, or the number of a direction from 1."),
        (run, ("--direction", 1, "--grid", "classes"), "make different things"),
        (run, ("--direction", 1, "--out", "folder"), "can be written as .png"),
        (points, ("--direction", 1), "this model makes points"),
    ):
        said = zerosum("sample", place, *flags)
        assert (said.code, said.err.count("\n")) == (2, 1), flags
        assert sentence in said.err


@pytest.mark.parametrize("recipe", ["progan", "biggan", "infogan"])
def test_other_generators_have_directions_too(recipe: str) -> None:
    settings = SMALL[recipe] | {"rounds": 1, "batch": 8, "size": "16", "progress": Silent()}
    model = api.load(api.train("digits", recipe=recipe, run="run", **settings).path)
    found = directions(model, label=None, seed=0, folder=Path("kept"))
    assert found.moves.isfinite().all()
    made = along(model, found, 1, rows=1, strength=3, seed=0, chosen={})
    assert made.isfinite().all()
    assert not torch.equal(made[0], made[6])
