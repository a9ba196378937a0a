"""Pathak et al. 2016, "Context encoders", equations 1 to 3 and section 3.2; M is 1 where pixels are missing."""

from torch import Tensor

from tests.reference.common import Move, Player, cross_entropy, softplus


def reconstruction(x: Tensor, made: Tensor, m: Tensor, *, over: str = "hole") -> Tensor:
    """Return equation 1, ||M (x - F((1 - M) x))||_2^2, normalised by the missing values or by all values."""
    squared = ((m * (x - made)) ** 2).sum()
    count = m.expand_as(x).sum() if over == "hole" else x.numel()
    return squared / count


def play(
    f: Player,
    d: Player,
    x: Tensor,
    m: Tensor,
    *,
    rec: float = 0.999,
    adv: float = 0.001,
    over: str = "hole",
    fill: float = 0.0,
    pasted: bool = True,
    tell_mask: bool = False,
    real_label: float = 1.0,
    generator_first: bool = False,
) -> list[Move]:
    """Play one round.

    fill is the value put where pixels are missing; pasted puts the known pixels into what D sees; tell_mask gives the
    mask to both networks as a further argument (the paper gives it to neither).
    """
    holed = (1 - m) * x + m * fill
    extra = (m,) if tell_mask else ()

    def make() -> tuple[Tensor, Tensor]:
        made = f(holed, *extra)
        return made, (1 - m) * x + m * made if pasted else made

    def discriminator_moves() -> Move:
        real_part = cross_entropy(d(x, *extra), real_label)
        fake_part = cross_entropy(d(make()[1].detach(), *extra), 0.0)
        loss = real_part + fake_part
        return d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part})

    def generator_moves() -> Move:
        made, shown = make()
        l_rec = reconstruction(x, made, m, over=over)
        l_adv = softplus(-d(shown, *extra)).mean()
        loss = rec * l_rec + adv * l_adv
        return f.move(loss, {"loss": loss, "reconstruction": l_rec, "adversarial": l_adv})

    if generator_first:
        return [generator_moves(), discriminator_moves()]
    return [discriminator_moves(), generator_moves()]
