"""Instance norm against torch's, and against batch norm of a batch of one."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from zerosum.layers.instance_norm import InstanceNorm2d


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torch(affine, order):
    norm = InstanceNorm2d(5, affine=affine)
    maps = torch.randn(3, 5, 6, 7).contiguous(memory_format=order).requires_grad_()
    ours = norm(maps)
    theirs = functional.instance_norm(maps, weight=norm.weight, bias=norm.bias)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    weight = torch.randn_like(ours)
    mine, yours = (torch.autograd.grad((result * weight).sum(), maps)[0] for result in (ours, theirs))
    torch.testing.assert_close(mine, yours, rtol=1e-4, atol=1e-5)


def test_an_image_does_not_depend_on_the_others_of_its_batch():
    norm, maps = InstanceNorm2d(4, affine=True), torch.randn(3, 4, 5, 5)
    assert torch.equal(norm(maps)[1:2], norm(maps[1:2]))


def test_evaluation_is_training():
    norm, maps = InstanceNorm2d(4, affine=True), torch.randn(2, 4, 5, 5)
    assert torch.equal(norm.train()(maps), norm.eval()(maps))
    assert not list(norm.buffers())


def test_without_scale_and_shift_there_are_no_parameters():
    assert not list(InstanceNorm2d(4, affine=False).parameters())
    assert len(list(InstanceNorm2d(4, affine=True).parameters())) == 2


def test_half_precision_keeps_its_type():
    assert InstanceNorm2d(4, affine=True)(torch.randn(2, 4, 5, 5).bfloat16()).dtype == torch.bfloat16
