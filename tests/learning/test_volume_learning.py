"""3D-GAN learns shapes: more of the real ones are covered, and as many cells are occupied, as before it was trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zerosum import api
from zerosum.data.options import DataConfig
from zerosum.inference.generate import generate
from zerosum.kinds.volumes import open_volumes
from zerosum.metrics import shapes
from zerosum.run.load import load
from zerosum.runtime.progress import Silent


@pytest.mark.slow
def test_3d_gan_covers_shapes_that_it_does_not_cover_untrained(tmp_path: Path) -> None:
    options = DataConfig(size="16", split="test")
    real = open_volumes("shapes3d", options=options).batch(torch.arange(128).numpy()).volume[:, 0]
    coverage, occupancy = [], []
    for rounds, rate in ((1, 1e-9), (400, 2e-3)):
        rates = {"generator_lr": rate, "discriminator_lr": rate / 4}
        settings = {"size": "16", "rounds": rounds, "previews": 4, "preview_every": 1000, **rates}
        run = api.train("shapes3d", recipe="gan3d", run=tmp_path / str(rounds), progress=Silent(), **settings)
        made = generate(load(run.path), 128, 0)[:, 0] > 0.5
        coverage.append(shapes.compare_sets(shapes.chamfer_distances(made, real)).coverage)
        occupancy.append(float(made.float().mean()))
    wanted = float(real.float().mean())
    assert coverage[1] > 0.15 > 5 * coverage[0]
    assert abs(occupancy[1] - wanted) < 0.5 * wanted < abs(occupancy[0] - wanted)
