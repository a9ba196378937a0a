"""Volumes of every form that people keep them in, and what is refused."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zerosum import kinds
from zerosum.cli import main
from zerosum.data.check import check
from zerosum.data.options import DataConfig
from zerosum.data.volumes import grids, shapes3d
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds.volumes import VolumeDataset, open_volumes


@pytest.fixture
def options(tmp_path: Path) -> DataConfig:
    return DataConfig(cache=str(tmp_path / "cache"))


def blobs(count: int, side: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, side, side, side)) < 0.2


def of(dataset: VolumeDataset) -> np.ndarray:
    return dataset.real(np.arange(len(dataset)))[:, 0].numpy().astype(bool)


def write_binvox(path: Path, grid: np.ndarray) -> None:
    """Write a grid whose z points upwards in runs, as the format has them: x slowest, then z, then y, which is up."""
    header = "#binvox 1\ndim {} {} {}\ntranslate 0 0 0\nscale 1\ndata\n".format(*grid.shape)
    flat = grid[:, ::-1].reshape(-1).astype(np.uint8)
    path.write_bytes(header.encode() + np.stack([flat, np.ones_like(flat)], 1).tobytes())


def box_mesh(path: Path, *, open_: bool = False, size: float = 1.0) -> None:
    corners = [(x, y, z) for x in (0, size) for y in (0, 0.5 * size) for z in (0, 0.25 * size)]
    faces = [
        (0, 1, 3),
        (0, 3, 2),
        (4, 6, 7),
        (4, 7, 5),
        (0, 4, 5),
        (0, 5, 1),
        (2, 3, 7),
        (2, 7, 6),
        (0, 2, 6),
        (0, 6, 4),
    ]
    faces += [] if open_ else [(1, 5, 7), (1, 7, 3)]
    lines = [f"OFF\n{len(corners)} {len(faces)} 0"]
    lines += [" ".join(map(str, corner)) for corner in corners] + [f"3 {a} {b} {c}" for a, b, c in faces]
    path.write_text("\n".join(lines))


def test_a_binvox_and_a_mesh_of_one_shape_are_no_mirror_images(tmp_path: Path, options: DataConfig) -> None:
    trimesh: Any = pytest.importorskip("trimesh", reason="needs the extra volumes")
    boxes = [((0, 0, 0), (12, 3, 3)), ((0, 3, 0), (3, 9, 3)), ((0, 0, 3), (3, 3, 6))]  # x, y, z; y upwards; three arms
    shape = np.zeros((16, 16, 16), bool)
    for low, high in boxes:
        shape[tuple(slice(2 + a, 2 + b) for a, b in zip(low, high, strict=True))] = True
    for name in ("grids", "meshes"):
        (tmp_path / name).mkdir()
    flat = shape.transpose(0, 2, 1).reshape(-1).astype(np.uint8)
    header = b"#binvox 1\ndim 16 16 16\ntranslate 0 0 0\nscale 1\ndata\n"
    content = header + np.stack([flat, np.ones_like(flat)], 1).tobytes()
    (tmp_path / "grids" / "a.binvox").write_bytes(content)
    parts = [trimesh.creation.box(bounds=bounds) for bounds in boxes]
    trimesh.util.concatenate(parts).export(tmp_path / "meshes" / "a.obj")
    grid, mesh = (of(open_volumes(tmp_path / n, options=replace(options, size="16")))[0] for n in ("grids", "meshes"))
    middles = [
        np.argwhere(one).mean(0) - np.argwhere(one).min(0) / 2 - np.argwhere(one).max(0) / 2 for one in (grid, mesh)
    ]
    assert (np.sign(middles[0]) == np.sign(middles[1])).all()


@pytest.mark.parametrize("form", ["bool", "float", "uint8", "channel", "bits", "keyed bits", "zip", "folder", "binvox"])
def test_one_set_of_volumes_in_every_form(form: str, tmp_path: Path, options: DataConfig) -> None:
    given, place = blobs(12), tmp_path / "data"
    match form:
        case "bool" | "float" | "uint8":
            place = tmp_path / "data.npy"
            np.save(place, given.astype(form))
        case "channel":
            place = tmp_path / "data.npz"
            np.savez(place, x_train=given[:, None], y_train=np.arange(12) % 3)
        case "bits":
            place = tmp_path / "data.npy"
            np.save(place, np.packbits(given.reshape(12, -1), axis=1))
        case "keyed bits":
            place = tmp_path / "data.npz"
            np.savez(place, chair=np.packbits(given.reshape(12, -1), axis=1), shape=np.array([16, 16, 16]))
        case "zip":
            place = tmp_path / "data.zip"
            with zipfile.ZipFile(place, "w") as archive:
                for number, grid in enumerate(given):
                    np.save(tmp_path / "one.npy", grid)
                    archive.write(tmp_path / "one.npy", f"{'ab'[number % 2]}/{number:02}.npy")
            given = np.concatenate([given[::2], given[1::2]])
        case "folder" | "binvox":
            place.mkdir()
            for number, grid in enumerate(given):
                if form == "folder":
                    np.savez(place / f"{number:02}.npz", grid)
                else:
                    write_binvox(place / f"{number:02}.binvox", grid)
    opened = open_volumes(place, options=options)
    assert np.array_equal(of(opened), given)
    assert opened.spec.shape == (1, 16, 16, 16)
    assert opened.spec.classes == {"channel": ("0", "1", "2"), "zip": ("a", "b")}.get(form, ())
    again = open_volumes(place, options=options)
    assert again.fingerprint == opened.fingerprint
    assert isinstance(again.samples, np.memmap)


@pytest.mark.parametrize(("given", "size", "cells"), [(15, None, 15), (15, "32", 30), (16, "8", 8), (30, "64", 60)])
def test_grids_come_to_a_size_by_whole_factors_and_padding(given: int, size: str | None, cells: int) -> None:
    side = grids.side_of(size) or grids.default_side(given)
    grid = np.zeros((given,) * 3, bool)
    grid[0, 0, 0] = grid[-1, -1, -1] = True
    found = grids.resized(grid, side)
    assert found.shape == (side,) * 3
    low, high = np.argwhere(found).min(0), np.argwhere(found).max(0)
    assert (high - low + 1).tolist() == [cells] * 3, "thin parts stay"
    assert (low - (side - cells) // 2).tolist() == [0, 0, 0], "it is centred"


def test_meshes_become_solid(tmp_path: Path, options: DataConfig) -> None:
    pytest.importorskip("trimesh")
    for number in range(2):
        box_mesh(tmp_path / f"{number}.off", open_=number == 1, size=1 + number)
    opened = open_volumes(tmp_path, options=DataConfig(cache=str(tmp_path / "cache"), size="16"))
    first, second = of(opened)
    low, high = np.argwhere(first).min(0), np.argwhere(first).max(0)
    assert (high - low + 1).tolist() == [14, 7, 4] or (high - low + 1).tolist() == [14, 8, 4]
    assert first.sum() == np.prod(high - low + 1), "its inside is filled"
    assert second.sum() < first.sum(), "what is open is not"
    assert any("1 of the meshes are not watertight (1.off)" in note for note in opened.notes)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((16, 16, 16)), "is empty: no cell is occupied"),
        (np.ones((16, 16, 16)), "is full: every cell is occupied"),
        (np.full((16, 16, 16), np.nan), "holds numbers that are not finite (NaN or infinity)"),
        (np.full((16, 16, 16), 7), "holds numbers from 7 to 7; expected 0 (empty) to 1 (occupied)"),
        (np.full((16, 16, 16), -0.5), "holds numbers from -0.5 to -0.5"),
        (blobs(1, 24)[0], "has 24x24x24 cells and a.npy 16x16x16; --size 16 brings all to one size"),
        (np.zeros((4, 4)), "has the shape (4, 4); expected one volume (X, Y, Z) a file"),
    ],
)
def test_a_volume_that_cannot_be_used_is_named_and_can_be_skipped(
    values: np.ndarray, says: str, tmp_path: Path, options: DataConfig
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "a.npy", blobs(1)[0])
    np.save(folder / "b.npy", values)
    with pytest.raises(InputError) as caught:
        open_volumes(folder, options=options)
    assert f"b.npy {says}" in str(caught.value)
    assert "--corrupt skip" in str(caught.value)
    kept = open_volumes(folder, options=DataConfig(cache=options.cache, corrupt="skip"))
    assert len(kept) == 1
    report = check(folder, options)
    assert (report.kind, report.samples, list(report.corrupt)) == ("volumes", 1, ["b.npy"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: np.save(path, np.zeros((3, 8))), "expected (M, X, Y, Z) numbers from 0 to 1, or"),
        (lambda path: np.save(path, np.zeros((0, 16, 16, 16))), "is empty, of shape (0, 16, 16, 16)"),
        (lambda path: np.save(path, np.array(["a"])), "expected (M, X, Y, Z)"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "cannot be read"),
    ],
)
def test_an_array_that_is_no_volumes_is_refused(make: Any, says: str, tmp_path: Path, options: DataConfig) -> None:
    path = tmp_path / "data.npy"
    make(path)
    with pytest.raises(InputError) as caught:
        open_volumes(path, options=options)
    assert says in str(caught.value)


def test_a_mesh_without_size_and_one_cut_short_are_refused(tmp_path: Path, options: DataConfig) -> None:
    pytest.importorskip("trimesh")
    folder = tmp_path / "data"
    folder.mkdir()
    box_mesh(folder / "a.off", size=0.0)
    (folder / "b.binvox").write_bytes(b"#binvox 1\ndim 4 4 4\ndata\n\x01\x05")
    with pytest.raises(InputError) as caught:
        open_volumes(folder, options=options)
    assert "a.off has no size: all its corners lie at one point" in str(caught.value)
    assert "b.binvox is cut short or too long: 64 cells belong in it" in str(caught.value)


@pytest.mark.parametrize("size", ["30", "4", "32x16x32", "512", "big"])
def test_sizes_that_volumes_do_not_have_are_refused(size: str, options: DataConfig) -> None:
    with pytest.raises(InputError, match="a multiple of 8 from 8 to 256"):
        open_volumes("shapes3d", options=DataConfig(size=size))


def test_the_procedural_shapes_are_the_same_every_time() -> None:
    train, test = (open_volumes("shapes3d", options=DataConfig(size="16", split=split)) for split in ("train", "test"))
    assert (len(train), len(test), train.spec.classes) == (2_000, 500, shapes3d.CLASSES)
    assert train.fingerprint == open_volumes("shapes3d", options=DataConfig(size="16")).fingerprint
    assert not np.array_equal(train.samples[:500], test.samples)
    assert 0.05 < of(train).mean() < 0.2
    with pytest.raises(NoSuchSplit):
        open_volumes("shapes3d", options=DataConfig(split="val"))


def test_what_is_made_of_volumes_is_told_from_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "volumes.npy", blobs(3))
    np.save(tmp_path / "images.npy", np.zeros((3, 16, 16, 3), np.uint8))
    assert kinds.default_recipe(tmp_path / "volumes.npy") == "gan3d"
    assert kinds.default_recipe("shapes3d") == "gan3d"
    assert kinds.default_recipe(tmp_path / "images.npy") != "gan3d"
    for data, recipe, says in (
        ("images.npy", "gan3d", "is made of images, and this recipe trains on volumes"),
        ("volumes.npy", "dcgan", "is made of volumes, and this recipe trains on images"),
        ("nowhere", "gan3d", "There is no file or folder"),
    ):
        assert main(["train", str(tmp_path / data), "--recipe", recipe, "--run", str(tmp_path / "run")]) == 2
        assert says in capsys.readouterr().err
