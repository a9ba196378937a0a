"""Clusters of similar images that stand for classes where data have no labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

import zerosum
from zerosum.cli import main
from zerosum.data import clusters
from zerosum.data.dataset import SampleDataset
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.kinds import images

LEVELS = (40, 128, 215)


@pytest.fixture
def grays(tmp_path):
    """Write 300 dark, 200 gray and 100 light images of 16x16 in random order; return the file and each one's level."""
    generator = np.random.default_rng(0)
    level = generator.permutation(np.repeat(LEVELS, [300, 200, 100]))
    noisy = level[:, None, None] + generator.integers(-9, 10, (600, 16, 16))
    np.save(tmp_path / "grays.npy", noisy.astype(np.uint8))
    return tmp_path / "grays.npy", level


def opened(path) -> SampleDataset:
    return images.open(path, options=DataConfig())


def test_clusters_are_the_groups_that_there_are_the_largest_first(grays, tmp_path):
    path, level = grays
    found = clusters.clustered(opened(path), 3, tmp_path / "cache")
    assert found.labels is not None
    assert found.labels.dtype == np.int64
    np.testing.assert_array_equal(found.labels, np.searchsorted(LEVELS, level))
    assert found.spec.classes == ("cluster 0", "cluster 1", "cluster 2")
    assert found.fingerprint != opened(path).fingerprint
    assert "3 clusters" in found.notes[-1]


def test_clusters_are_computed_once_and_again_where_the_file_is_damaged(grays, tmp_path, monkeypatch):
    dataset, cache = opened(grays[0]), tmp_path / "cache"
    first = clusters.clustered(dataset, 4, cache)
    (kept,) = (cache / "clusters").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(clusters, "_k_means", None)
        again = clusters.clustered(dataset, 4, cache)
    assert first.labels is not None
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.fingerprint == again.fingerprint
    for damage in (b"", b"no array", kept.read_bytes()[:-8]):
        kept.write_bytes(damage)
        np.testing.assert_array_equal(clusters.clustered(dataset, 4, cache).labels, first.labels)


def test_there_are_fewer_clusters_where_fewer_images_differ(tmp_path):
    halves = np.repeat(np.array([0, 255], np.uint8), 10)[:, None, None] * np.ones((8, 8), np.uint8)
    np.save(tmp_path / "halves.npy", halves)
    found = clusters.clustered(opened(tmp_path / "halves.npy"), 5, tmp_path / "cache")
    assert found.labels is not None
    assert len(found.spec.classes) == 2
    assert list(np.bincount(found.labels)) == [10, 10]
    np.save(tmp_path / "one.npy", np.zeros((3, 8, 8), np.uint8))
    single = clusters.clustered(opened(tmp_path / "one.npy"), 2, tmp_path / "cache")
    assert single.spec.classes == ("cluster 0",)
    assert single.notes[-1].endswith("all are of one class: all look the same (--clusters sets a number).")
    with pytest.raises(InputError, match="--clusters 4 are more than the 3 images"):
        clusters.clustered(opened(tmp_path / "one.npy"), 4, tmp_path / "cache")


def test_images_without_labels_are_clustered_by_default_and_the_run_is_whole(grays, tmp_path, capsys):
    path, run = str(grays[0]), str(tmp_path / "run")
    short = ("--rounds", "4", "--batch", "8", "--width", "4", "--evaluate-every", "4", "--evaluate-count", "50")
    assert main(["train", path, "--run", run, *short]) == 0
    captured = capsys.readouterr()
    said = " ".join((captured.out + captured.err).split())
    assert "600 images of 1x16x16 in 12 clusters: cgan" in said
    assert main(["sample", run, "--label", "cluster 1", "-n", "2", "--out", str(tmp_path / "two")]) == 0
    assert main(["sample", run, "--grid", "classes", "--out", str(tmp_path / "grid.png")]) == 0
    assert main(["evaluate", run, "--count", "100", "--metrics", "fid"]) == 0
    evaluation = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert "classifier" not in json.dumps(evaluation["figures"]), "features of clusters would flatter"
    last = json.loads((tmp_path / "run" / "history.jsonl").read_text().splitlines()[-1])
    assert [name for name in last if name.startswith("evaluation/")]
    assert not [name for name in last if "classifier" in name]


@pytest.mark.parametrize(
    ("count", "flags", "why"),
    [
        (99, (), "fewer than 100 are not divided by themselves"),
        (120, ("--clusters", "1"), "one cluster is the same as none"),
    ],
)
def test_images_that_are_not_divided_are_not_called_a_cluster(grays, tmp_path, capsys, monkeypatch, count, flags, why):
    np.save(tmp_path / "some.npy", np.load(grays[0])[:count])
    monkeypatch.setattr(clusters, "_k_means", None)  # which would take time for nothing
    assert main(["train", str(tmp_path / "some.npy"), "--explain", *flags]) == 0
    captured = capsys.readouterr()
    said = " ".join((captured.out + captured.err).split())
    assert f"{count} images of 1x16x16: cgan" in said
    assert "conditioned on" not in said
    assert "cluster of" not in said
    assert (
        main(
            [
                "train",
                str(tmp_path / "some.npy"),
                "--rounds",
                "1",
                "--width",
                "4",
                "--run",
                str(tmp_path / "run"),
                *flags,
            ]
        )
        == 0
    )
    captured = capsys.readouterr()
    said = " ".join((captured.out + captured.err).split())
    assert f"The images have no labels, and all are of one class: {why}" in said


def test_a_run_on_clusters_resumes_to_the_same_bits(grays, tmp_path):
    settings = {"rounds": 4, "save_every": 2, "batch": 8, "width": 4, "clusters": 3, "device": "cpu"}
    straight = zerosum.train(str(grays[0]), recipe="cgan", run=tmp_path / "straight", **settings)
    zerosum.train(str(grays[0]), recipe="cgan", run=tmp_path / "half", **settings | {"rounds": 2})
    halved = zerosum.resume(tmp_path / "half", rounds=4)
    left, right = (zerosum.load(run.path).state_dict() for run in (straight, halved))
    assert all((left[name] == right[name]).all() for name in left)


def test_clusters_without_use_are_refused(grays, tmp_path, capsys):
    path = str(grays[0])

    def refusal(*arguments: str) -> str:
        assert main(["train", *arguments, "--run", str(tmp_path / "run")]) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "lsgan takes no labels" in refusal(path, "--recipe", "lsgan", "--clusters", "3")
    assert "add --labels none" in refusal("digits", "--clusters", "3")
    assert "ring8 is made of points" in refusal("ring8", "--recipe", "cgan", "--clusters", "3")
    assert "--clusters 601 are more than the 600 images" in refusal(path, "--clusters", "601")
    assert "or --clusters 30" in refusal(path, "--recipe", "cgan", "--labels", "none")
