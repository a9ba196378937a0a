"""Classes for images without labels: clusters of similar images, found by k-means on principal components of pixels."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import digest, key_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

MOST = 30
"""Clusters at most, where no number is asked for."""

EACH = 50
"""Images of a cluster at least, on average, where no number is asked for."""

LARGEST_SIDE = 32
"""Side to which images are averaged down before they are compared."""

COMPONENTS = 50
FITTED = 20_000
"""Images that the principal components are found from, at most."""

VERSION = 1
"""Goes up whenever clusters come out otherwise, so that no older ones are taken from the cache."""


def suggested(count: int) -> int:
    """Return how many clusters so many images are divided into where no number is asked for.

    >>> suggested(60_000), suggested(500), suggested(20)
    (30, 10, 1)
    """
    return max(1, min(MOST, count // EACH))


def named(clusters: int) -> tuple[str, ...]:
    """Name clusters as classes are named.

    >>> named(2)
    ('cluster 0', 'cluster 1')
    """
    return tuple(f"cluster {number}" for number in range(clusters))


def are_clusters(classes: tuple[str, ...]) -> bool:
    """Whether classes are clusters.

    >>> are_clusters(named(2)), are_clusters(("a", "b")), are_clusters(())
    (True, False, False)
    """
    return bool(classes) and classes == named(len(classes))


def is_undivided(classes: tuple[str, ...]) -> bool:
    """Whether classes are a single cluster, which is the same as none.

    >>> is_undivided(named(1)), is_undivided(named(2)), is_undivided(("a",))
    (True, False, False)
    """
    return classes == named(1)


def clustered(
    dataset: SampleDataset, clusters: int, cache: Path, progress: ProgressCallback | None = None
) -> SampleDataset:
    """Give images without labels the numbers of clusters as labels, the largest cluster first.

    A conditional generator learns more from such labels than an unconditional one does without any (Sage et al. 2018,
    https://arxiv.org/abs/1712.04407; Liu et al. 2020, https://arxiv.org/abs/2006.10728). They are computed once, on one
    thread, so that they come out the same, and kept in the cache.

    Args:
        dataset: images without labels.
        clusters: how many; fewer where fewer images differ.
        cache: folder for packed data.
        progress: told "clusters", and how many images are done of how many.

    Raises:
        InputError: there are fewer images than clusters.
        StorageError: the cache cannot be written to.
    """
    if clusters > len(dataset):
        raise InputError(f"--clusters {clusters} are more than the {len(dataset):,} images: give fewer.")
    path = cache / "clusters" / f"{key_of(VERSION, dataset.fingerprint, clusters)}.npy"
    labels = _read(path, len(dataset)) if clusters > 1 else np.zeros(len(dataset), np.int64)
    if labels is None:
        labels = _by_size(_k_means(_components(dataset, progress), clusters))
        with replacing(path) as partial, partial.open("wb") as file:
            np.save(file, labels)
    found = int(labels.max()) + 1
    spec = replace(dataset.spec, classes=named(found))
    return replace(
        dataset,
        labels=labels,
        spec=spec,
        fingerprint=_fingerprint(dataset.fingerprint, labels, spec),
        notes=(*dataset.notes, _note(found, clusters, len(dataset))),
    )


def _note(found: int, asked: int, images: int) -> str:
    """Say into how many clusters images were divided, or why into none."""
    if found > 1:
        return (
            f"The images have no labels and are divided into {counted(found, 'cluster')} of similar ones, which stand "
            "for classes (--clusters sets another number)."
        )
    if asked > 1:
        why = "all look the same"
    else:
        why = (
            f"fewer than {2 * EACH} are not divided by themselves"
            if images < 2 * EACH
            else "one cluster is the same as none"
        )
    return f"The images have no labels, and all are of one class: {why} (--clusters sets a number)."


def _fingerprint(images: str, labels: np.ndarray, spec: Spec) -> str:
    return digest(np.frombuffer(images.encode(), np.uint8), labels, spec)


def _read(path: Path, count: int) -> np.ndarray | None:
    """Read labels from the cache; None where there are none that can be read."""
    try:
        labels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return labels if labels.shape == (count,) and labels.dtype == np.int64 and labels.min() >= 0 else None


def _components(dataset: SampleDataset, progress: ProgressCallback | None) -> np.ndarray:
    """Return the principal components of all images: (M, K) float32."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    count = len(dataset)
    sample = np.unique(np.linspace(0, count - 1, min(count, FITTED)).astype(np.int64))
    pixels = np.concatenate([_pixels(images) for images in dataset.chunks(sample)])
    with threadpool_limits(1), np.errstate(invalid="ignore"):  # images that are all the same have no variance
        pca = PCA(min(COMPONENTS, *pixels.shape), svd_solver="randomized", random_state=0).fit(pixels)
        parts = []
        for images in dataset.chunks(np.arange(count)):
            parts.append(pca.transform(_pixels(images)).astype(np.float32))
            if progress is not None:
                progress("clusters", sum(map(len, parts)), count)
    return np.concatenate(parts)


def _pixels(images: torch.Tensor) -> np.ndarray:
    """Average (N, C, H, W) uint8 images down and lay each out in a row: (N, D) float32."""
    height, width = (min(side, LARGEST_SIDE) for side in images.shape[2:])
    return functional.adaptive_avg_pool2d(images.float() / 255, (height, width)).flatten(1).numpy()


def _k_means(points: np.ndarray, clusters: int) -> np.ndarray:
    """Divide (M, K) points into clusters by mini-batch k-means (Sculley 2010): (M,) numbers."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different points than clusters
        return MiniBatchKMeans(clusters, batch_size=4096, n_init="auto", random_state=0).fit_predict(points)


def _by_size(numbers: np.ndarray) -> np.ndarray:
    """Number clusters by their size, the largest first, and leave out empty ones: (M,) int64."""
    _, inverse, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[inverse]
