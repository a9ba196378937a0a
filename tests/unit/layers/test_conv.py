"""The convolution layers must be torch.nn's in everything but speed."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers import conv
from zerosum.layers.conv import Conv2d, ConvTranspose2d, UpsampleConv

SHAPES: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = {}


def _case(name: str, kind: str, arguments: tuple, options: dict, shape: tuple[int, ...]) -> None:
    ours, theirs = {"conv": (Conv2d, nn.Conv2d), "up": (ConvTranspose2d, nn.ConvTranspose2d)}[kind]
    SHAPES[name] = (lambda: ours(*arguments, **options), lambda: theirs(*arguments, **options), shape)


_case("halving 8x8", "conv", (3, 6, 4, 2, 1), {}, (2, 3, 8, 8))
_case("halving a thin image without bias", "conv", (1, 6, 4, 2, 1), {"bias": False}, (2, 1, 8, 8))
_case("halving an odd size", "conv", (3, 6, 4, 2, 1), {}, (2, 3, 9, 7))
_case("3x3 with stride 1", "conv", (3, 6, 3, 1, 1), {}, (2, 3, 6, 5))
_case("3x3 with stride 2", "conv", (3, 6, 3, 2, 1), {}, (2, 3, 8, 8))
_case("7x7 to a colour image", "conv", (4, 3, 7), {}, (2, 4, 12, 10))
_case("9x9 to a gray image with padding", "conv", (5, 1, 9, 1, 4), {"bias": False}, (2, 5, 6, 8))
_case("7x7 to a colour image of odd sides", "conv", (4, 3, 7), {}, (2, 4, 11, 10))
_case("1x1", "conv", (3, 6, 1), {}, (2, 3, 5, 5))
_case("down to a point", "conv", (5, 1, 4), {}, (3, 5, 4, 4))
_case("down to a point from a rectangle", "conv", (5, 2, (2, 3)), {"bias": False}, (3, 5, 2, 3))
_case("doubling to many channels", "up", (6, 5, 4, 2, 1), {}, (2, 6, 4, 4))
_case("doubling to a thin image", "up", (6, 1, 4, 2, 1), {"bias": False}, (2, 6, 4, 4))
_case("doubling to a colour image of a rectangle", "up", (6, 3, 4, 2, 1), {}, (2, 6, 3, 5))
_case("up from a point", "up", (7, 5, 4), {}, (3, 7, 1, 1))
_case("up from a point to a rectangle", "up", (7, 5, (2, 3)), {"bias": False}, (3, 7, 1, 1))
_case("output padding", "up", (4, 5, 3, 2, 1), {"output_padding": 1}, (2, 4, 4, 4))
_case("groups", "conv", (4, 6, 3, 1, 1), {"groups": 2}, (2, 4, 6, 6))
_case("dilation", "conv", (4, 6, 3, 1, 2), {"dilation": 2}, (2, 4, 7, 7))
_case("reflected padding", "conv", (4, 6, 3, 1, 1), {"padding_mode": "reflect"}, (2, 4, 7, 7))
_case("padding by name", "conv", (4, 6, 3, 1, "same"), {}, (2, 4, 7, 7))


def _pair(name: str, dtype: torch.dtype) -> tuple[nn.Module, nn.Module, Tensor]:
    torch.manual_seed(0)
    make_ours, make_theirs, shape = SHAPES[name]
    ours, theirs = make_ours().to(dtype), make_theirs().to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, torch.randn(shape, dtype=dtype)


def _derivatives(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, the gradients of a curved loss, and the gradients of a penalty on the input's gradient."""
    x = x.clone().requires_grad_()
    y = layer(x)
    first = torch.autograd.grad(functional.softplus(y).mean(), [x, *layer.parameters()], create_graph=True)
    penalty = torch.stack([g.square().sum() for g in first]).sum()
    return [y, *first, *torch.autograd.grad(penalty, [x, *layer.parameters()])]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_output_and_first_and_second_derivatives_are_those_of_torch(name: str, dtype: torch.dtype) -> None:
    ours, theirs, x = _pair(name, dtype)
    for ours_value, theirs_value in zip(_derivatives(ours, x), _derivatives(theirs, x), strict=True):
        scale = theirs_value.abs().max().item()
        torch.testing.assert_close(ours_value, theirs_value, rtol=0, atol=scale * 100 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("name", SHAPES)
def test_autocast_gives_what_torch_gives_in_bfloat16(name: str) -> None:
    ours, theirs, x = _pair(name, torch.float32)
    exact = _derivatives(theirs, x)
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(x).dtype == torch.bfloat16
        for value, reference in zip(_derivatives(ours, x), exact, strict=True):
            assert (value.float() - reference).norm() <= 0.03 * reference.norm()


@pytest.mark.parametrize("name", ["halving 8x8", "down to a point", "doubling to a thin image", "up from a point"])
def test_derivatives_of_first_and_second_order_are_those_of_finite_differences(name: str) -> None:
    layer, _, x = _pair(name, torch.float64)
    weight = layer.weight.detach().clone().requires_grad_()

    def apply(x: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (x,))

    inputs = (x[:1].requires_grad_(), weight)
    assert torch.autograd.gradcheck(apply, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(apply, inputs, fast_mode=True)


@pytest.mark.parametrize("shape", [(64, 8, 4, 4), (3, 8, 1, 1)], ids=str)
@pytest.mark.parametrize("kind", [Conv2d, ConvTranspose2d])
def test_matrix_products_in_bfloat16_are_as_near_to_float32_as_torch_is(kind: type[nn.Module], shape: tuple) -> None:
    torch.manual_seed(0)
    layer = kind(8, 16, 4, 2, 1) if shape[2] == 4 else ConvTranspose2d(8, 16, 4)
    plain = (nn.Conv2d if isinstance(layer, nn.Conv2d) else nn.ConvTranspose2d)(8, 16, 4, layer.stride, layer.padding)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(shape)
    exact = _derivatives(plain, x)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = _derivatives(layer, x), _derivatives(plain, x)
    for value, other, reference in zip(ours, theirs, exact, strict=True):
        assert (value - reference).norm() <= 1.5 * (other - reference).norm() + 1e-3 * reference.norm()


@pytest.mark.parametrize("bias", [True, False])
def test_upsampling_convolution_is_upsampling_then_convolution(bias: bool) -> None:
    torch.manual_seed(0)
    layer = UpsampleConv(3, 5, bias=bias).double()
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64)

    class TwoSteps(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(functional.interpolate(x, scale_factor=2.0))

    reference = TwoSteps(3, 5, 3, padding=1, bias=bias).double()
    reference.load_state_dict(layer.state_dict())
    for ours, theirs in zip(_derivatives(layer, x), _derivatives(reference, x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_state_dict_is_that_of_torch(name: str) -> None:
    ours, theirs, _ = _pair(name, torch.float32)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
    assert isinstance(ours, type(theirs))


@pytest.mark.parametrize("name", ["halving 8x8", "doubling to a thin image"])
def test_frozen_weights_get_no_gradient_and_cost_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, _, x = _pair(name, torch.float32)
    calls = _count_weight_gradients(monkeypatch)
    layer.requires_grad_(False)
    x.requires_grad_()
    layer(x).sin().sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    assert calls == []


def test_gradient_with_respect_to_the_input_alone_computes_no_weight_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, _, x = _pair("halving 8x8", torch.float32)
    calls = _count_weight_gradients(monkeypatch)
    (slope,) = torch.autograd.grad(layer(x.requires_grad_()).sin().sum(), x, create_graph=True)
    assert calls == []
    slope.square().sum().backward()
    assert layer.weight.grad is not None
    assert calls != []


def _count_weight_gradients(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    original = conv._correlate

    def counted(*arguments: object) -> Tensor:
        calls.append("weight gradient")
        return original(*arguments)

    monkeypatch.setattr(conv, "_correlate", counted)
    return calls


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_an_activation_may_change_the_output_in_place(name: str, precision: torch.dtype) -> None:
    layer, _, x = _pair(name, torch.float32)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        changed = functional.leaky_relu_(layer(x), 0.2).float().square().sum()
        apart = functional.leaky_relu(layer(x), 0.2).float().square().sum()
    ours, theirs = (torch.autograd.grad(value, list(layer.parameters())) for value in (changed, apart))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_equal_inputs_give_equal_bits_twice() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), Conv2d(16, 32, 4, 2, 1), Conv2d(32, 1, 4))
    x = torch.randn(8, 1, 16, 16)
    results = []
    for _ in range(2):
        twin = copy.deepcopy(network)
        with torch.autocast("cpu", torch.bfloat16):
            twin(x).float().square().sum().backward()
        results.append([p.grad for p in twin.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_trying_the_kernels_draws_nothing_from_the_random_state() -> None:
    before = torch.get_rng_state()
    conv._trusted.cache_clear()
    assert conv._trusted(torch.bfloat16)
    assert torch.equal(before, torch.get_rng_state())


def test_kernels_that_err_give_way_to_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, reference, x = _pair("down to a point", torch.float32)
    product = conv._convolve_by_product
    monkeypatch.setattr(conv, "_convolve_by_product", lambda *arguments: -product(*arguments))
    conv._trusted.cache_clear()
    with pytest.warns(UserWarning, match="err on this machine"):
        result = layer(x)
    conv._trusted.cache_clear()
    torch.testing.assert_close(result, reference(x))


def test_a_wrong_number_of_channels_is_refused_as_torch_refuses_it() -> None:
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 2 channels"):
        Conv2d(3, 4, 4, 2, 1)(torch.zeros(1, 2, 8, 8))


def test_layers_survive_export_through_torch_compile_and_trace() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(ConvTranspose2d(5, 4, 4), UpsampleConv(4, 1))
    x = torch.randn(2, 5, 1, 1)
    traced = torch.jit.trace(network.eval(), x)
    torch.testing.assert_close(traced(x), network(x))
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x))
