"""Independent implementations, where they are installed: torchmetrics, scikit-image, scipy and prdc."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.metrics.inception_score import inception_score
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.precision_recall import fidelity_diversity
from zerosum.metrics.psnr_ssim import luma, psnr, ssim

REASON = "an oracle for tests alone; pip install torchmetrics scikit-image prdc"


class Given(torch.nn.Module):
    """A feature extractor that hands features through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def features(n: int, m: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    mix = torch.randn(24, width) / 5
    return tuple((torch.randn(count, 24) * scale @ mix).relu() for count, scale in ((n, 1.0), (m, 1.1)))


def fed(metric, real: torch.Tensor, fake: torch.Tensor):
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute()


@pytest.mark.parametrize(("n", "m", "width"), [(900, 700, 48), (60, 90, 128)])
def test_the_frechet_distance_is_that_of_torchmetrics(n, m, width):
    fid = pytest.importorskip("torchmetrics.image.fid", reason=REASON)
    real, fake = features(n, m, width)
    oracle = fid.FrechetInceptionDistance(feature=Given(width)).set_dtype(torch.float64)
    expected = float(fed(oracle, real.double(), fake.double()))
    tolerance = 1e-6 if n > width else 1e-4  # the oracle takes roots of eigenvalues that are rounding errors
    assert frechet_distance_of_features(real, fake).value == pytest.approx(expected, rel=tolerance)


def test_the_frechet_distance_is_that_of_scipys_square_root():
    linalg = pytest.importorskip("scipy.linalg", reason=REASON)
    real, fake = features(900, 700, 24)
    x, y = real.double().numpy(), fake.double().numpy()
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.trace(linalg.sqrtm(a @ b).real)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root
    assert frechet_distance_of_features(real, fake).value == pytest.approx(float(expected), rel=1e-8)


def test_the_kernel_distance_is_that_of_torchmetrics_on_the_same_subsets():
    kid = pytest.importorskip("torchmetrics.image.kid", reason=REASON)
    real, fake = features(400, 300, 64)
    oracle = kid.KernelInceptionDistance(feature=Given(64), subsets=7, subset_size=200)
    oracle = oracle.set_dtype(torch.float64)
    torch.manual_seed(11)
    mean, deviation = fed(oracle, real.double(), fake.double())
    found = kernel_distance(real, fake, seed=11, subsets=7, subset_size=200)
    assert found.value == pytest.approx(float(mean), rel=1e-6)
    assert found.deviation == pytest.approx(float(deviation), rel=1e-6)


def test_the_inception_score_is_that_of_torchmetrics():
    module = pytest.importorskip("torchmetrics.image.inception", reason=REASON)
    logits = torch.randn(200, 10) * 3
    oracle = module.InceptionScore(feature=Given(10), splits=5).set_dtype(torch.float64)
    oracle.update(logits.double())
    torch.manual_seed(3)
    mean, deviation = oracle.compute()
    torch.manual_seed(3)
    found = inception_score(logits[torch.randperm(200)], splits=5)
    assert found.value == pytest.approx(float(mean), rel=1e-9)
    assert found.deviation * (5 / 4) ** 0.5 == pytest.approx(float(deviation), rel=1e-9)


@pytest.mark.parametrize("k", [3, 5])
def test_precision_recall_density_and_coverage_are_those_of_prdc(k):
    prdc = pytest.importorskip("prdc", reason=REASON)
    real, fake = features(400, 300, 64)
    expected = prdc.compute_prdc(real.double().numpy(), fake.double().numpy(), nearest_k=k)
    found = fidelity_diversity(real, fake, k=k, k_density=k)
    for name in ("precision", "recall", "density", "coverage"):
        assert getattr(found, name) == pytest.approx(float(expected[name]), rel=1e-12)


@pytest.mark.parametrize("channels", ["rgb", "y"])
def test_psnr_and_ssim_are_those_of_scikit_image(channels):
    oracle = pytest.importorskip("skimage.metrics", reason=REASON)
    a = torch.rand(3, 3, 24, 30)
    b = (a + 0.1 * torch.randn_like(a)).clamp(0, 1)
    x, y = (side[..., 2:-2, 2:-2].double() for side in (a, b))
    x, y = ((luma(side) if channels == "y" else side).numpy() for side in (x, y))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    for n in range(3):
        expected = oracle.structural_similarity(x[n], y[n], channel_axis=0, **options)
        assert float(ssim(a, b, channels=channels, border=2).values[n]) == pytest.approx(expected, rel=1e-9)
        expected = oracle.peak_signal_noise_ratio(x[n], y[n], data_range=1.0)
        assert float(psnr(a, b, channels=channels, border=2).values[n]) == pytest.approx(expected, rel=1e-9)


def test_the_luma_is_that_of_scikit_image():
    color = pytest.importorskip("skimage.color", reason=REASON)
    image = torch.rand(3, 8, 9).double()
    expected = color.rgb2ycbcr(image.numpy(), channel_axis=0)[0]
    np.testing.assert_allclose(luma(image[None])[0, 0].mul(255), expected, rtol=1e-9)
