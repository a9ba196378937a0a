"""`zerosum recipes`: the table of recipes, or one of them explained."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from typing import Annotated

import tyro
from pydantic import PositiveInt

from zerosum import recipes
from zerosum.cli import flags
from zerosum.config import BaseConfig, documentation, flag
from zerosum.data.spec import Spec
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe


@dataclass(frozen=True, kw_only=True)
class Recipes(BaseConfig):
    """List the recipes, or explain one."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]")] = None
    """The recipe to explain."""

    shape: tuple[PositiveInt, PositiveInt, PositiveInt] = (3, 64, 64)
    """Channels, height and width of the images for which networks are counted."""


def run(arguments: list[str]) -> None:
    """Print the table, or the page of one recipe."""
    given = flags.parse(Recipes, arguments, prog="zerosum recipes").checked()
    if given.name is None:
        print(table())
    else:
        print(page(given.name, given.shape))


def table() -> str:
    """Return one line a recipe: name and idea."""
    width = max(map(len, recipes.names()))
    rows = [f"{name:<{width}}  {_about(recipes.find(name)).splitlines()[0]}" for name in recipes.names()]
    return "\n".join([*rows, "", "`zerosum recipes NAME` explains one."])


def page(name: str, shape: tuple[int, ...]) -> str:
    """Return a recipe's idea and paper, its networks with parameter counts at `shape`, and its settings."""
    kind = recipes.find(name)
    built = build_recipe(RunConfig.read("", name, {}), Spec(shape=shape))
    size = "x".join(map(str, shape))
    lines = [_about(kind), "", f"Networks at {size}, with their trainable parameters:"]
    for child, network in built.named_children():
        lines.append(f"  {child:<16}{sum(p.numel() for p in network.parameters()):>12,}")
    lines += ["", "Plays on: " + ", ".join(batch.__name__.lower() for batch in kind.data), "", "Settings:"]
    texts = documentation(kind.Config)
    for setting, value in kind.Config().to_json().items():
        said = " ".join(map(str, value)) if isinstance(value, tuple | list) else value
        lines += [f"  {flag(setting)} {said}", f"      {texts[setting]}"]
    lines += ["", f"Train it: zerosum train DATA --recipe {name}"]
    return "\n".join(lines)


def _about(kind: type[Recipe]) -> str:
    return inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "")
