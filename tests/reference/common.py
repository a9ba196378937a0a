"""What the reference rounds share: Adam written out, players, moves, layers on explicit weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x), in the form that never overflows."""
    return x.clamp(min=0) + torch.log1p(torch.exp(-x.abs()))


def cross_entropy(logit: Tensor, target: float | Tensor) -> Tensor:
    """Return the mean of -t log sigma(l) - (1 - t) log(1 - sigma(l))."""
    return (target * softplus(-logit) + (1 - target) * softplus(logit)).mean()


def told(r: Tensor, f: Tensor, *, threshold: float = 0.0) -> dict[str, Tensor]:
    """Return what a discriminator says of real and of made samples: the mean output, and the share called rightly."""
    right_r, right_f = (r > threshold).to(r.dtype).mean(), (f < threshold).to(f.dtype).mean()
    return {"said_real": r.mean(), "said_fake": f.mean(), "right_real": right_r, "right_fake": right_f}


def mean_absolute(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean over all elements of |a - b|."""
    return (a - b).abs().mean()


def mean_squared(a: Tensor, b: Tensor | float) -> Tensor:
    """Return the mean over all elements of (a - b)^2."""
    return ((a - b) ** 2).mean()


class Adam:
    """Kingma and Ba 2015, algorithm 1, over a fixed list of tensors."""

    eps_inside = False
    """Whether eps stands inside the root, as sqrt(v_hat + eps^2), which has a slope at 0."""

    def __init__(self, parameters: Sequence[Tensor], *, alpha: float, beta1: float, beta2: float, eps: float) -> None:
        self.alpha, self.beta1, self.beta2, self.eps = alpha, beta1, beta2, eps
        self.t = 0
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]

    def moved(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Advance the moments by one step and return the new parameters; differentiable in the gradients."""
        self.t += 1
        new = []
        for i, (p, g) in enumerate(zip(parameters, gradients, strict=True)):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g * g
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            root = torch.sqrt(v_hat + self.eps**2) if self.eps_inside else torch.sqrt(v_hat) + self.eps
            new.append(p - self.alpha * m_hat / root)
        return new

    def copy(self) -> "Adam":
        """Return an optimiser with the same state that does not touch this one's."""
        other = Adam(self.m, alpha=self.alpha, beta1=self.beta1, beta2=self.beta2, eps=self.eps)
        other.t, other.m, other.v = self.t, list(self.m), list(self.v)
        return other


@dataclass
class Move:
    """One optimiser step: whose it was, the losses it came from, the gradients it used, the parameters after."""

    player: str
    losses: dict[str, float]
    gradients: list[Tensor]
    after: list[Tensor]
    averaged: bool = True
    """Whether the running average follows it."""


def leaves(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return copies that gradients can be taken for."""
    return [t.detach().clone().requires_grad_() for t in tensors]


class Player:
    """One optimiser and the parameters it moves; forward is a function of (parameters, inputs).

    The parameters are leaves, moved in place: two players may share some.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Tensor],
        parameters: Sequence[Tensor],
        *,
        alpha: float,
        beta1: float,
        beta2: float,
        eps: float = 1e-8,
    ) -> None:
        self.name, self.forward = name, forward
        self.parameters = list(parameters)
        self.adam = Adam(self.parameters, alpha=alpha, beta1=beta1, beta2=beta2, eps=eps)

    def __call__(self, *inputs, **settings):
        return self.forward(self.parameters, *inputs, **settings)

    def gradients(self, loss: Tensor) -> list[Tensor]:
        """Return the gradient of the loss for every parameter, 0 where the loss does not depend on one."""
        found = torch.autograd.grad(loss, self.parameters, allow_unused=True, retain_graph=True)
        return [torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, found, strict=True)]

    def forget(self) -> None:
        """Begin anew with Adam's moments and its count of steps."""
        a = self.adam
        self.adam = Adam(self.parameters, alpha=a.alpha, beta1=a.beta1, beta2=a.beta2, eps=a.eps)

    def move(self, loss: Tensor, losses: Mapping[str, Tensor | float]) -> Move:
        """Take one Adam step down the loss."""
        return self.apply(self.gradients(loss), losses)

    def apply(self, gradients: list[Tensor], losses: Mapping[str, Tensor | float]) -> Move:
        """Take one Adam step with gradients already at hand."""
        with torch.no_grad():
            new = self.adam.moved(self.parameters, gradients)
            for p, value in zip(self.parameters, new, strict=True):
                p.copy_(value)
        after = [p.detach().clone() for p in self.parameters]
        return Move(self.name, {k: float(torch.as_tensor(v).detach()) for k, v in losses.items()}, gradients, after)


def average(mean: Sequence[Tensor], parameters: Sequence[Tensor], *, beta: float) -> list[Tensor]:
    """Return beta mean + (1 - beta) parameters, the moving average of a generator's weights."""
    return [beta * m + (1 - beta) * p.detach() for m, p in zip(mean, parameters, strict=True)]


@dataclass
class Weights:
    """Weights handed out in the order of the layers; `done` checks that none is left."""

    tensors: Sequence[Tensor]
    at: int = field(default=0)

    def take(self) -> Tensor:
        """Return the next tensor."""
        self.at += 1
        return self.tensors[self.at - 1]

    def done(self) -> None:
        """Fail where a layer of the caller's network was not used."""
        assert self.at == len(self.tensors), f"{len(self.tensors) - self.at} weights not used"


def batch_norm(x: Tensor, scale: Tensor, shift: Tensor, *, eps: float = 1e-5) -> Tensor:
    """Normalise each channel over the batch and the map, biased variance, then scale and shift."""
    over = [0, *range(2, x.ndim)]
    shape = [1, -1] + [1] * (x.ndim - 2)
    mean = x.mean(over, keepdim=True)
    variance = ((x - mean) ** 2).mean(over, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * scale.view(shape) + shift.view(shape)


def instance_norm(x: Tensor, *, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each sample over its map, biased variance; nothing is learned."""
    mean = x.mean([2, 3], keepdim=True)
    variance = ((x - mean) ** 2).mean([2, 3], keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def leaky(x: Tensor, slope: float) -> Tensor:
    """Return x where positive, else slope x."""
    return torch.where(x > 0, x, slope * x)


def relu(x: Tensor) -> Tensor:
    """Return x where positive, else 0."""
    return torch.where(x > 0, x, torch.zeros_like(x))


def dropout(x: Tensor, kept: Iterator[Tensor] | None, rate: float) -> Tensor:
    """Drop where the next mask is 0 and divide the rest by the kept share; no masks or rate 0 leave x."""
    if kept is None or rate == 0:
        return x
    return x * next(kept).to(x.dtype) / (1 - rate)


def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Convolve."""
    return functional.conv2d(x, weight, bias, stride=stride, padding=padding)


def conv_up(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0, extra: int = 0
) -> Tensor:
    """Convolve transposed."""
    return functional.conv_transpose2d(x, weight, bias, stride=stride, padding=padding, output_padding=extra)


def mirrored(x: Tensor, n: int) -> Tensor:
    """Pad by reflection, without repeating the edge."""
    return functional.pad(x, (n, n, n, n), mode="reflect")
