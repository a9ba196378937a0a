"""The Inception network of 2015-12-05: its blocks, and what its convolutions are called elsewhere.

It is the graph that Google released on that day, not the Inception-v3 of any model zoo: average pooling leaves the
padding out, the last block pools by maxima, and there are 1008 logits. Batch norm is folded into the convolutions.

Source: Szegedy et al. 2016 (https://arxiv.org/abs/1512.00567), whose figures the blocks name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.runtime.weightless import without_weights


class Unit(nn.Conv2d):
    """A convolution with its batch norm folded in, and a ReLU."""

    def __init__(self, given: int, made: int, height: int, width: int, *, stride: int = 1, padded: int = 1) -> None:
        padding = (padded * (height // 2), padded * (width // 2))
        super().__init__(given, made, (height, width), stride, padding)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        """Map (N, C, H, W) to (N, C', H', W')."""
        return functional.relu(super().forward(input), inplace=True)


class Block(nn.ModuleDict):
    """Branches that see the same maps side by side; what they make is stacked in their order."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the sum of the branches' maps."""
        return torch.cat([branch(x) for branch in self.values()], 1)


def body(*, reduced: bool) -> nn.Sequential:
    """Lay out the network from a resized image to its last maps, (N, 3, 299, 299) -> (N, F, H, W), without weights.

    Args:
        reduced: whether it ends with `Mixed_6e`, F = 768, instead of `Mixed_7c`, F = 2048.
    """
    with without_weights():  # spares the time, and the random draws, of first weights that `fill` would replace
        return nn.Sequential(OrderedDict(_layers(reduced)))


def _layers(reduced: bool) -> list[tuple[str, nn.Module]]:
    layers: list[tuple[str, nn.Module]] = [
        ("Conv2d_1a_3x3", Unit(3, 32, 3, 3, stride=2, padded=0)),
        ("Conv2d_2a_3x3", Unit(32, 32, 3, 3, padded=0)),
        ("Conv2d_2b_3x3", Unit(32, 64, 3, 3)),
        ("MaxPool_1", nn.MaxPool2d(3, 2)),
        ("Conv2d_3b_1x1", Unit(64, 80, 1, 1)),
        ("Conv2d_4a_3x3", Unit(80, 192, 3, 3, padded=0)),
        ("MaxPool_2", nn.MaxPool2d(3, 2)),
        ("Mixed_5b", _fives(192, 32)),
        ("Mixed_5c", _fives(256, 64)),
        ("Mixed_5d", _fives(288, 64)),
        ("Mixed_6a", _halving_to_17()),
        ("Mixed_6b", _sevens(128)),
        ("Mixed_6c", _sevens(160)),
        ("Mixed_6d", _sevens(160)),
        ("Mixed_6e", _sevens(192)),
    ]
    if not reduced:
        layers += [
            ("Mixed_7a", _halving_to_8()),
            ("Mixed_7b", _forks(1280, _average())),
            ("Mixed_7c", _forks(2048, nn.MaxPool2d(3, 1, 1))),
        ]
    return layers


def units(network: nn.Sequential) -> Iterator[tuple[str, str, Unit]]:
    """Yield every convolution with its name in PyTorch's ports ("Mixed_5b.branch5x5_1") and in the graph.

    The graph calls a branch that is a lone convolution `conv`, and the others `tower`, `tower_1`, ...; it numbers the
    convolutions of a scope from the second on, and opens a scope `mixed` where a branch forks.
    """
    stem, blocks = 0, 0
    for layer, module in network.named_children():
        if isinstance(module, Unit):
            yield layer, _numbered("conv", stem), module
            stem += 1
        elif isinstance(module, Block):
            yield from _units_of(layer, _numbered("mixed", blocks), module)
            blocks += 1


@torch.no_grad()
def fill(network: nn.Sequential, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give every convolution its weights, and return those that were used.

    Args:
        network: of `body`.
        weights: of each convolution "NAME.weight" (C', C, h, w) and "NAME.bias" (C',), by its first name in `units`.

    Raises:
        LookupError: A convolution finds no weights.
        RuntimeError: Its weights have another shape.
    """
    used = {}
    network.to_empty(device="cpu")
    for name, _, unit in units(network):
        for part, tensor in unit.named_parameters():
            used[f"{name}.{part}"] = tensor.copy_(weights[f"{name}.{part}"])
    return used


def _units_of(layer: str, scope: str, block: Block) -> Iterator[tuple[str, str, Unit]]:
    towers = 0
    for branch, module in block.items():
        if isinstance(module, Unit):
            yield f"{layer}.{branch}", f"{scope}_conv", module
        elif isinstance(module, nn.Sequential):
            yield from _units_of_tower(f"{layer}.{branch}", f"{scope}_{_numbered('tower', towers)}", module)
            towers += 1


def _units_of_tower(name: str, scope: str, tower: nn.Sequential) -> Iterator[tuple[str, str, Unit]]:
    convolutions = [module for module in tower if isinstance(module, Unit | Block)]
    for index, module in enumerate(convolutions):
        here = name if len(convolutions) == 1 else f"{name}_{index + 1}"
        if isinstance(module, Unit):
            yield here, f"{scope}_{_numbered('conv', index)}", module
        else:
            for number, (letter, unit) in enumerate(module.items()):
                assert isinstance(unit, Unit)
                yield f"{here}{letter}", f"{scope}_mixed_{_numbered('conv', number)}", unit


def _numbered(word: str, index: int) -> str:
    return word if index == 0 else f"{word}_{index}"


def _average() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


def _fives(given: int, pooled: int) -> Block:
    """Figure 5 of Szegedy et al. 2016, with a 5x5 in one branch."""
    threes = nn.Sequential(Unit(given, 64, 1, 1), Unit(64, 96, 3, 3), Unit(96, 96, 3, 3))
    return Block(
        {
            "branch1x1": Unit(given, 64, 1, 1),
            "branch5x5": nn.Sequential(Unit(given, 48, 1, 1), Unit(48, 64, 5, 5)),
            "branch3x3dbl": threes,
            "branch_pool": nn.Sequential(_average(), Unit(given, pooled, 1, 1)),
        }
    )


def _halving_to_17() -> Block:
    """Figure 10: 35x35 to 17x17."""
    threes = nn.Sequential(Unit(288, 64, 1, 1), Unit(64, 96, 3, 3), Unit(96, 96, 3, 3, stride=2, padded=0))
    return Block(
        {"branch3x3": Unit(288, 384, 3, 3, stride=2, padded=0), "branch3x3dbl": threes, "pool": nn.MaxPool2d(3, 2)}
    )


def _sevens(inner: int) -> Block:
    """Figure 6 with n = 7."""
    one = nn.Sequential(Unit(768, inner, 1, 1), Unit(inner, inner, 1, 7), Unit(inner, 192, 7, 1))
    two = nn.Sequential(
        Unit(768, inner, 1, 1),
        Unit(inner, inner, 7, 1),
        Unit(inner, inner, 1, 7),
        Unit(inner, inner, 7, 1),
        Unit(inner, 192, 1, 7),
    )
    pool = nn.Sequential(_average(), Unit(768, 192, 1, 1))
    return Block({"branch1x1": Unit(768, 192, 1, 1), "branch7x7": one, "branch7x7dbl": two, "branch_pool": pool})


def _halving_to_8() -> Block:
    """17x17 to 8x8."""
    threes = nn.Sequential(Unit(768, 192, 1, 1), Unit(192, 320, 3, 3, stride=2, padded=0))
    sevens = nn.Sequential(
        Unit(768, 192, 1, 1), Unit(192, 192, 1, 7), Unit(192, 192, 7, 1), Unit(192, 192, 3, 3, stride=2, padded=0)
    )
    return Block({"branch3x3": threes, "branch7x7x3": sevens, "pool": nn.MaxPool2d(3, 2)})


def _forks(given: int, pool: nn.Module) -> Block:
    """Figure 7: the 3x3 split into 1x3 and 3x1 side by side."""
    one = nn.Sequential(Unit(given, 384, 1, 1), Block({"a": Unit(384, 384, 1, 3), "b": Unit(384, 384, 3, 1)}))
    two = nn.Sequential(
        Unit(given, 448, 1, 1),
        Unit(448, 384, 3, 3),
        Block({"a": Unit(384, 384, 1, 3), "b": Unit(384, 384, 3, 1)}),
    )
    return Block(
        {
            "branch1x1": Unit(given, 320, 1, 1),
            "branch3x3": one,
            "branch3x3dbl": two,
            "branch_pool": nn.Sequential(pool, Unit(given, 192, 1, 1)),
        }
    )
