"""Standing statistics are the mean of batches' statistics, and leave the network as it was."""

from __future__ import annotations

import copy

import torch
from torch import nn

from zerosum.layers.standing_statistics import put_in_place, standing_statistics


def test_statistics_are_the_mean_over_sixteen_batches_and_the_network_stays():
    torch.manual_seed(0)
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Identity())
    network(torch.randn(4, 3, 2, 2))
    network.eval()
    before, seen = copy.deepcopy(network.state_dict()), []

    def forward():
        seen.append(torch.randn(8, 3, 2, 2) + 5)
        network(seen[-1])

    ((mean, variance),) = standing_statistics(network, forward)
    assert len(seen) == 16
    torch.testing.assert_close(mean, torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0))
    torch.testing.assert_close(variance, torch.stack([x.transpose(0, 1).flatten(1).var(1) for x in seen]).mean(0))
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert network[0].momentum == 0.1
    assert not any(module.training for module in network.modules())
    x = torch.randn(4, 3, 2, 2)
    with put_in_place(network, [(mean, variance)]):
        torch.testing.assert_close(network(x), (x - mean.view(3, 1, 1)) / (variance.view(3, 1, 1) + 1e-5).sqrt())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
