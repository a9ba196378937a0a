"""A normalised layer uses its weight divided by the largest singular value, and nothing else of it changes."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d, ConvTranspose2d, UpsampleConv
from zerosum.layers.equalised import EqualisedLinear
from zerosum.layers.spectral_norm import apply_spectral_norm, normalised_weight, spectral_norm

LAYERS = {
    "conv": (lambda: Conv2d(3, 5, 3, padding=1), lambda: torch.randn(2, 3, 8, 8)),
    "transposed": (lambda: ConvTranspose2d(3, 5, 4, stride=2, padding=1), lambda: torch.randn(2, 3, 8, 8)),
    "upsample": (lambda: UpsampleConv(3, 5), lambda: torch.randn(2, 3, 8, 8)),
    "linear": (lambda: nn.Linear(6, 4), lambda: torch.randn(2, 6)),
    "embedding": (lambda: nn.Embedding(4, 6), lambda: torch.tensor([0, 3])),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def made(name, **options):
    torch.manual_seed(0)
    make, draw = LAYERS[name]
    return make(**options), draw()


def matrix(layer):
    weight = layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight
    return weight.detach().flatten(1)


@every_layer
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_after_many_calls_the_layer_uses_its_weight_over_the_largest_singular_value(name, memory_format):
    layer, x = made(name)
    plain = copy.deepcopy(layer)
    spectral_norm(layer).to(memory_format=memory_format)
    for _ in range(100):
        layer(x)
    with torch.no_grad():
        plain.weight /= torch.linalg.matrix_norm(matrix(plain), 2)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-3, atol=1e-4)


def test_fifty_calls_normalise_a_diagonal_and_one_a_matrix_of_rank_one():
    layer = spectral_norm(nn.Linear(2, 2))
    layer.weight.data.copy_(torch.diag(torch.tensor([3.0, 1.0])))
    for _ in range(50):
        layer(torch.ones(1, 2))
    assert torch.linalg.matrix_norm(normalised_weight(layer), 2).item() == pytest.approx(1, abs=1e-3)
    one = spectral_norm(nn.Linear(3, 2))
    one.weight.data.copy_(torch.tensor([[2.0], [1.0]]) @ torch.tensor([[1.0, 3.0, 2.0]]))
    assert torch.linalg.matrix_norm(normalised_weight(one), 2).item() == pytest.approx(1, abs=1e-6)


@every_layer
def test_parameters_keep_their_names_order_and_values_and_only_u_is_added(name):
    layer, x = made(name)
    before = copy.deepcopy(layer.state_dict())
    spectral_norm(layer)(x)
    assert list(layer.state_dict()) == [*before, "u"]
    assert [key for key, _ in layer.named_parameters()] == list(before)
    assert all(torch.equal(layer.state_dict()[key], value) for key, value in before.items())
    assert layer.weight is layer._parameters["weight"]


def test_calls_in_training_move_u_by_one_step_and_in_evaluation_not_at_all():
    layer, x = spectral_norm(nn.Linear(6, 4)), torch.randn(2, 6)
    u, weight = layer.u.clone(), layer.weight.detach()
    layer.eval()
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(layer.u, u)
    layer.train()(x)
    step = weight @ (weight.t() @ u)
    torch.testing.assert_close(layer.u, step / step.norm())


def test_a_copy_of_the_state_goes_on_exactly():
    layer, x = spectral_norm(Conv2d(3, 5, 3)), torch.randn(2, 3, 8, 8)
    layer(x)
    other = spectral_norm(Conv2d(3, 5, 3))
    other.load_state_dict(layer.state_dict())
    copied = copy.deepcopy(layer)
    for _ in range(3):
        assert torch.equal(layer(x), other(x))
    assert torch.equal(layer.u, other.u)
    assert not torch.equal(layer.u, copied.u)


def test_the_gradient_is_that_of_the_weight_over_u_w_v_with_both_vectors_held():
    layer = spectral_norm(nn.Linear(5, 4, bias=False).double())
    x = torch.randn(3, 5, dtype=torch.float64)
    right = nn.functional.normalize(layer.weight.detach().t() @ layer.u, dim=0)
    left = nn.functional.normalize(layer.weight.detach() @ right, dim=0)
    weight = layer.weight.detach().clone().requires_grad_()
    (x @ (weight / (left @ weight @ right)).t()).square().sum().backward()
    layer(x).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, weight.grad)


def test_gradients_of_gradients_flow_through_a_normalised_convolution():
    layer = spectral_norm(Conv2d(2, 3, 3).double()).eval()
    x = torch.randn(1, 2, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x,))


def test_the_power_iteration_is_in_float32_under_autocast():
    layer, x = spectral_norm(nn.Linear(64, 64)), torch.randn(2, 64)
    other = copy.deepcopy(layer)
    with torch.autocast("cpu", torch.bfloat16):
        layer(x)
        assert normalised_weight(layer).dtype == torch.float32
    other(x)
    normalised_weight(other)
    assert torch.equal(layer.u, other.u)


def test_a_weight_of_zeros_stays_finite():
    layer = spectral_norm(nn.Linear(3, 2))
    nn.init.zeros_(layer.weight)
    assert layer(torch.ones(1, 3)).isfinite().all()


def test_a_call_that_fails_leaves_the_parameter_in_its_place():
    layer = spectral_norm(nn.Linear(3, 2))
    with pytest.raises(RuntimeError):
        layer(torch.ones(1, 7))
    assert isinstance(layer.weight, nn.Parameter)


def test_a_network_is_normalised_once_with_or_without_embeddings():
    network = nn.Sequential(nn.Embedding(4, 6), nn.Linear(6, 6), nn.LeakyReLU(), nn.Linear(6, 1))
    apply_spectral_norm(network, embeddings=False)
    assert [name for name, _ in network.named_buffers()] == ["1.u", "3.u"]
    apply_spectral_norm(network)
    assert [name for name, _ in network.named_buffers()] == ["0.u", "1.u", "3.u"]
    assert all(len(layer._forward_pre_hooks) == (not isinstance(layer, nn.LeakyReLU)) for layer in network)


def test_layers_of_equalised_learning_rate_are_refused():
    with pytest.raises(InputError, match="does not go with"):
        apply_spectral_norm(nn.Sequential(EqualisedLinear(2, 2)))


def test_threads_that_call_a_layer_at_once_each_find_its_normalised_weight():
    layer, within, leave = spectral_norm(nn.Linear(3, 2)).eval(), threading.Event(), threading.Event()
    layer.weight.data.mul_(100)
    x = torch.randn(4, 3)
    expected = layer(x)

    class Waiting(torch.Tensor):
        """An input at which a call stops between normalising and using the weight."""

        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            if function is functional.linear:
                within.set()
                assert leave.wait(30)
            return super().__torch_function__(function, types, args, kwargs or {})

    def work() -> torch.Tensor:
        with torch.no_grad():
            return layer(x.as_subclass(Waiting)).as_subclass(torch.Tensor)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work)
        assert within.wait(30)
        torch.testing.assert_close(layer(x), expected)  # twice normalised, if it began from what it found
        inside = layer.weight
        leave.set()
        torch.testing.assert_close(first.result(), expected)
    torch.testing.assert_close(inside, normalised_weight(layer))
    assert layer.weight is layer._parameters["weight"]
