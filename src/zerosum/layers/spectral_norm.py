"""Spectral normalisation: a layer's weight divided by its largest singular value, so that the layer is 1-Lipschitz.

PyTorch's parametrisation computes the power iteration whenever the weight is read, which our convolutions do several
times a call, and in half precision under autocast; here it runs once a call, in float32 at least, and the parameter
keeps its name.

Source: Miyato et al. 2018, section 2.1 and algorithm 1 (https://arxiv.org/abs/1802.05957).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.layers.equalised import EqualisedConv2d, EqualisedLinear

Layer = TypeVar("Layer", bound=nn.Module)
LAYERS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)
_lock = threading.Lock()
_once: ContextVar[frozenset[int]] = ContextVar("once", default=frozenset())
EPSILON = 1e-6
"""Least norm that a vector or a weight is divided by (Brock et al. 2019, authors' code)."""


def apply_spectral_norm(network: nn.Module, *, embeddings: bool = True) -> None:
    """Normalise every convolution, dense layer and embedding of a network, in place; those that are already stay so.

    Args:
        network: whose layers are called as modules: a layer whose weight is read from outside stays as it is there.
        embeddings: whether embeddings are normalised too.

    Raises:
        InputError: the network has layers of equalised learning rate, whose scale would undo it.
    """
    kinds = LAYERS if embeddings else LAYERS[:-1]
    for layer in network.modules():
        if isinstance(layer, EqualisedConv2d | EqualisedLinear):
            raise InputError(
                "Spectral normalisation does not go with layers of equalised learning rate, as in progan: leave it out."
            )
        if isinstance(layer, kinds):
            spectral_norm(layer)


def spectral_norm(layer: Layer) -> Layer:
    """Normalise the weight (K, ...) of a layer whenever it is called, and return the layer.

    The estimate of the left singular vector is kept in the buffer `u`, (K,). A call in training mode takes one step of
    power iteration and stores it; one in evaluation mode stores nothing. No gradient flows through the vectors.

    Args:
        layer: `torch.nn.Conv2d`, `Conv3d`, `ConvTranspose2d`, `Linear`, `Embedding`, or a subclass of one that uses
            its weight as it is. Its parameters and their names stay; `layer.weight` is the normalised one during a call
            alone.
    """
    if "u" not in dict(layer.named_buffers(recurse=False)):
        weight = _matrix(layer, layer.weight).detach()
        layer.register_buffer("u", functional.normalize(torch.randn_like(weight[:, 0]), dim=0))
        layer.register_forward_pre_hook(_normalise)
        layer.register_forward_hook(_restore, always_call=True)
    return layer


def normalised_weight(layer: nn.Module) -> Tensor:
    """Return the weight of a layer, of its shape, divided by the estimate of its largest singular value."""
    weight: Any = layer._parameters["weight"]  # what `layer.weight` is may be normalised, in another thread's call
    u: Any = layer.u
    with torch.autocast(weight.device.type, enabled=False):
        matrix = _matrix(layer, weight)
        normalise = partial(functional.normalize, dim=0, eps=EPSILON)
        with torch.no_grad():
            right = normalise(matrix.t() @ u)
        product = matrix @ right
        left = normalise(product.detach())
        if layer.training:
            u.copy_(left)
        return weight / torch.dot(left, product).clamp_min(EPSILON)


@contextmanager
def normalised_once(*layers: nn.Module) -> Iterator[None]:
    """Normalise the weights of some layers once for all of their calls meanwhile, as a recurrence makes them."""
    normalised = [layer for layer in layers if "u" in dict(layer.named_buffers(recurse=False))]
    with ExitStack() as stack:
        for layer in normalised:
            _put(layer)
            stack.callback(_take_back, layer)
        stack.callback(_once.reset, _once.set(_once.get() | set(map(id, normalised))))
        yield


def _matrix(layer: nn.Module, weight: Any) -> Tensor:
    """Return a layer's weight as (outputs, rest); the order of the columns follows memory, which changes no norm."""
    if isinstance(layer, nn.ConvTranspose2d):
        return weight.transpose(0, 1).flatten(1)
    if weight.ndim == 4 and not weight.is_contiguous():
        return weight.permute(0, 2, 3, 1).flatten(1)
    return weight.flatten(1)


def _normalise(layer: nn.Module, _: Any) -> None:
    if id(layer) not in _once.get():
        _put(layer)


def _restore(layer: nn.Module, _: Any, __: Any) -> None:
    if id(layer) not in _once.get():
        _take_back(layer)


def _put(layer: nn.Module) -> None:
    """Normalise the weight; an attribute is found before the parameter of its name, which keeps its place."""
    weight = normalised_weight(layer)
    with _lock:
        vars(layer).update(weight=weight, calls=vars(layer).get("calls", 0) + 1)


def _take_back(layer: nn.Module) -> None:
    """Leave the parameter alone again, after the last of the calls that threads make at the same time."""
    with _lock:
        calls = vars(layer).pop("calls", 1) - 1
        if calls:
            vars(layer)["calls"] = calls
        else:
            vars(layer).pop("weight", None)
