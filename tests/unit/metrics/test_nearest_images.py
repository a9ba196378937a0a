import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics import nearest_images as module
from zerosum.metrics.nearest_images import nearest


def brute_force(samples, training, k):
    apart = (samples[:, None].double() - training[None].double()).abs().flatten(2).mean(2)
    distances, indices = apart.sort(dim=1, stable=True)
    return indices[:, :k], distances[:, :k].float()


@pytest.mark.parametrize("chunk", [1, 7, 40, 100])
def test_neighbours_are_those_of_a_brute_force_search_however_the_training_set_is_cut(chunk):
    samples, training = torch.rand(9, 3, 5, 5) * 2 - 1, torch.rand(40, 3, 5, 5) * 2 - 1
    indices, distances = nearest(samples, training.split(chunk), k=4)
    expected_indices, expected_distances = brute_force(samples, training, 4)
    assert torch.equal(indices, expected_indices)
    assert torch.allclose(distances, expected_distances, atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_bound_by_sums_leaves_out_no_neighbour(noise, scale):
    smooth = torch.linspace(-1, 1, 100).view(100, 1, 1, 1).expand(-1, 1, 7, 7)
    training = scale * (smooth + noise * torch.randn(100, 1, 7, 7))
    samples = training[::9] + scale * noise * torch.randn(12, 1, 7, 7)
    _, distances = nearest(samples, [training], k=3)
    whole = torch.cdist(samples.flatten(1), training.flatten(1), p=1).sort(1).values[:, :3] / 49
    assert torch.equal(distances, whole)


def test_large_chunks_are_worked_through_in_blocks_with_the_same_result():
    shape, queries = torch.Size([4096]), 3
    blocks = list(module._blocks([torch.zeros(10_000, 1).expand(-1, 4096)], shape=shape, queries=queries))
    assert max(len(block) for block in blocks) * 4096 * 4 <= 64 * 2**20
    assert sum(len(block) for block in blocks) == 10_000


@pytest.mark.parametrize("chunk", [2, 12])
def test_at_equal_distance_the_lower_index_comes_first(chunk):
    training = torch.tensor([[1.0], [0.0], [0.5]]).repeat(4, 1)
    indices, distances = nearest(torch.zeros(1, 1), training.split(chunk), k=6)
    assert indices.tolist() == [[1, 4, 7, 10, 2, 5]]
    assert distances.tolist() == [[0.0] * 4 + [0.5] * 2]


def test_uint8_images_are_compared_in_the_range_of_floats():
    training = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    indices, distances = nearest(torch.full((1, 1, 1, 1), -1.0), [training], k=2)
    assert indices.tolist() == [[0, 1]]
    assert distances.tolist() == [[0.0, 2.0]]


def test_a_training_sample_finds_itself_at_no_distance():
    training = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
    indices, distances = nearest(training[20:25], training.split(16), k=1)
    assert indices.flatten().tolist() == list(range(20, 25))
    assert distances.max() == 0


def test_a_generator_of_chunks_is_read_once():
    chunks = (torch.full((2, 3), float(level)) for level in range(4))
    assert nearest(torch.full((1, 3), 2.2), chunks, k=1)[0].tolist() == [[4]]


@pytest.mark.parametrize(
    ("samples", "training", "k"),
    [
        (torch.zeros(1, 3), torch.zeros(4, 2), 1),
        (torch.zeros(1, 3), torch.zeros(4, 3), 5),
        (torch.zeros(1, 3), torch.zeros(4, 3), 0),
        (torch.full((1, 3), float("nan")), torch.zeros(4, 3), 1),
    ],
)
def test_what_cannot_be_compared_is_refused(samples, training, k):
    with pytest.raises(InputError):
        nearest(samples, [training], k=k)
