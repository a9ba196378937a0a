"""What conditional recipes generate for: classes or attributes, by name, by number, or by their shares of the data."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import torch
from torch import Tensor

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.text import as_listed, is_whole, names_in

Uniform = Callable[..., Tensor]
"""Draws numbers from U(0, 1): of sizes (n,) or (n, A)."""

NO_ATTRIBUTE = "none"

FEW = 12
"""Names that are listed whole."""


def condition(spec: Spec, label: str | int) -> Tensor:
    """Return what one label stands for: () int64, the number of a class, or (A,) int64 of 0 and 1, attributes.

    Raises:
        InputError: the data have no such class or attribute.
    """
    return torch.tensor(attribute_row(spec, label) if spec.attributes else class_number(spec, label))


def class_number(spec: Spec, label: str | int, *, flag: str = "--label") -> int:
    """Return the number of a class, given by its name or by its number.

    A name comes first where one class has the name that is another one's number. Capitals decide only between classes
    whose names differ in nothing else. `flag` is what it was given by, and what a refusal names.

    >>> spec = Spec(shape=(2,), classes=("cat", "Dog"))
    >>> class_number(spec, "dog"), class_number(spec, "0"), class_number(spec, 1)
    (1, 0, 1)

    Raises:
        InputError: the data have no such class.
    """
    found = _position(spec.classes, label)
    if found is None:
        raise InputError(f"{flag} is {label}, and this model has no such class: {_hint(spec.classes, label)}")
    return found


def attribute_row(spec: Spec, label: str | int) -> tuple[int, ...]:
    """Return (A,) zeros and ones, of which those are 1 that `label` names, or numbers from 0, as `names_in` reads them.

    `none` is no attribute, also where one is called so: its number, or its name in quotes, names that.

    >>> spec = Spec(shape=(2,), attributes=("smiling", "big, red"))
    >>> attribute_row(spec, '"big, red"'), attribute_row(spec, "smiling, 1"), attribute_row(spec, "none")
    ((0, 1), (1, 1), (0, 0))

    Raises:
        InputError: the data have no such attribute.
    """
    row = [0] * len(spec.attributes)
    if str(label).strip() == NO_ATTRIBUTE:
        return tuple(row)
    for name in [label] if isinstance(label, int) else dict.fromkeys(names_in(label)):
        found = _position(spec.attributes, name)
        if found is not None:
            row[found] = 1
        elif name == NO_ATTRIBUTE:
            raise InputError(f"--label is {label}, and {name} stands alone: leave it out, or give --label {name}.")
        else:
            hint = _hint((*map(as_listed, spec.attributes), NO_ATTRIBUTE), name, numbers=len(spec.attributes))
            raise InputError(f"--label has {name}, and this model has no such attribute: {hint}")
    return tuple(row)


def label_of(spec: Spec, one: Tensor) -> str:
    """Spell what `condition` returns, () or (A,), as it is given.

    >>> label_of(Spec(shape=(2,), attributes=("smiling", "big, red")), torch.tensor([1, 1]))
    'smiling,"big, red"'
    """
    if not spec.attributes:
        return spec.classes[int(one)]
    chosen = [as_listed(name) for name, value in zip(spec.attributes, one.tolist(), strict=True) if value]
    return f'"{NO_ATTRIBUTE}"' if chosen == [NO_ATTRIBUTE] else ",".join(chosen) or NO_ATTRIBUTE


def draw_conditions(spec: Spec, n: int, uniform: Uniform) -> Tensor:
    """Draw classes, or rows of attributes, by their shares of the training data.

    Attributes of data with too many different rows are drawn one by one, each by its own share.

    Args:
        spec: of labelled data.
        n: how many.
        uniform: draws from U(0, 1); its device and type are those of the sums.

    Returns:
        (n,) int64 in [0, K), or (n, A) int64 of 0 and 1.
    """
    if spec.attributes and not spec.attribute_rows:
        drawn = uniform(n, len(spec.attributes))
        return (drawn < drawn.new_tensor(spec.attribute_shares or (0.5,) * len(spec.attributes))).long()
    drawn = uniform(n)
    if spec.attributes:
        counts = [count for _, count in spec.attribute_rows]
    else:
        counts = spec.class_counts or (1,) * len(spec.classes)
    weights = drawn.new_tensor(counts)
    place = drawn * weights.sum()
    number = torch.searchsorted(weights.cumsum(0).to(place), place, right=True).clamp(max=len(weights) - 1)
    if not spec.attributes:
        return number
    rows = torch.tensor([[int(bit) for bit in row] for row, _ in spec.attribute_rows], device=drawn.device)
    return rows[number]


def _position(names: tuple[str, ...], label: str | int) -> int | None:
    """Return where a name or a number is among names, or None."""
    if isinstance(label, str) and label in names:
        return names.index(label)
    number = int(label) if is_whole(str(label)) else -1
    if 0 <= number < len(names):
        return number
    alike = [index for index, name in enumerate(names) if name.casefold() == str(label).casefold()]
    return alike[0] if len(alike) == 1 else None


def _hint(names: tuple[str, ...], label: str | int, *, numbers: int | None = None) -> str:
    """Return which names there are, the first of many, and which one may be meant."""
    close = [] if is_whole(str(label)) else difflib.get_close_matches(str(label), names, n=1)
    if close and len(names) > FEW:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names) if len(names) <= FEW else ", ".join(names[:8]) + ", ..."
    said = f"give one of {shown}, or a number from 0 to {(numbers or len(names)) - 1}."
    return f"did you mean {close[0]}? Or {said}" if close else said
