"""Pictures and surfaces of volumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds import volumes
from zerosum.kinds.volumes import KIND
from zerosum.media import meshes, turntable

SPEC = Spec(shape=(1, 16, 16, 16), kind="volumes")


def bar() -> torch.Tensor:
    """A bar along y, off the centre towards +x."""
    grid = torch.zeros(16, 16, 16)
    grid[10:13, 2:14, 6:9] = 1
    return grid


def test_a_picture_shows_a_volume_where_it_is_and_white_around():
    (front,) = turntable.render(bar()[None], azimuth=0.0, pixels=48)
    (side,) = turntable.render(bar()[None], azimuth=90.0, pixels=48)
    widths = [int((picture < 0.99).any(0).any(0).sum()) for picture in (front, side)]
    assert widths[0] > 2 * widths[1], "looked at from +x a bar along y is wide, from +y it is not"
    columns = (side < 0.99).any(0).any(0).nonzero().float().mean()
    assert columns < 24, "from +y, +x lies to the left"
    assert float(front[:, 0, 0].min()) == 1
    assert bool((turntable.render(torch.zeros(1, 16, 16, 16)) == 1).all())


def test_few_volumes_are_drawn_from_four_sides_and_many_from_one():
    tile = turntable.TILE
    assert volumes.draw(bar().expand(2, 1, 16, 16, 16)).size == (4 * tile + 6, 2 * tile + 2)
    assert volumes.draw(bar().expand(6, 1, 16, 16, 16)).size == (3 * tile + 4, 2 * tile + 2)


def test_a_surface_is_closed_and_encloses_the_cells():
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("skimage")
    for grid in (bar().numpy(), np.ones((16, 16, 16), np.float32)):
        found = meshes.surface(grid)
        assert found is not None
        mesh = trimesh.Trimesh(*found)
        assert mesh.is_watertight
        assert mesh.volume == pytest.approx(grid.sum() / 16**3, rel=0.2)
        assert np.abs(found[0]).max() <= 0.5
    assert meshes.surface(np.zeros((16, 16, 16))) is None


@pytest.mark.parametrize("name", ["all.glb", "all.obj", "all.stl", "all.npy", "all.png", "folder"])
def test_samples_are_written_in_every_form_and_read_again(name: str, tmp_path: Path) -> None:
    pytest.importorskip("trimesh")
    samples = torch.stack([bar(), bar().transpose(0, 2), torch.zeros(16, 16, 16)])[:, None]
    written = volumes.save(samples, tmp_path / name, {"seed": "0"}, SPEC)
    if name == "all.npy":
        assert np.array_equal(np.load(written[0]), samples[:, 0].numpy() > 0.5)
    elif name == "all.png":
        assert Image.open(written[0]).info["seed"] == "0"
    elif name == "folder":
        assert [path.name for path in written] == ["sample-0000.glb", "sample-0001.glb"], "the empty one has no surface"
        options = volumes.DataConfig(size="16", cache=str(tmp_path / "cache"))
        again = volumes.open_volumes(tmp_path / name, options=options).real(np.arange(2))[0, 0]
        extent = np.ptp(np.argwhere(again.numpy()), axis=0)
        assert extent.argmax() == 1, "y stays y"
    else:
        import trimesh

        mesh = trimesh.load(written[0], force="mesh")
        assert len(mesh.split()) == 2


def test_nothing_to_write_and_other_endings_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    with pytest.raises(InputError, match="Every volume is empty"):
        volumes.save(torch.zeros(2, 1, 16, 16, 16), tmp_path / "a.glb", {}, SPEC)
    with pytest.raises(InputError, match=r"give a name that ends in \.glb"):
        volumes.save(torch.zeros(2, 1, 16, 16, 16), tmp_path / "a.tif", {}, SPEC)


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skimage.measure", None)
    assert not meshes.available()
    with pytest.raises(InputError, match=r"pip install zerosum\[volumes\]"):
        volumes.save(bar()[None, None], tmp_path / "a.glb", {}, SPEC)
    assert KIND.play is not None
    assert [path.name for path in KIND.play(bar()[None, None], tmp_path / "newest", SPEC)] == ["newest.gif"]


def test_what_is_played_turns(tmp_path: Path) -> None:
    assert KIND.play is not None
    film = KIND.play(bar()[None, None], tmp_path / "newest", SPEC)[0]
    with Image.open(film) as opened:
        assert getattr(opened, "n_frames", 1) > 8
