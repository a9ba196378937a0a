"""`zerosum recipes`: the table of recipes, or one of them explained."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from pydantic import PositiveInt

from zerosum import recipes
from zerosum.cli import flags, loading
from zerosum.config import BaseConfig, documentation, flag, spelt
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.terminal import say
from zerosum.text import command

if TYPE_CHECKING:
    from zerosum.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Recipes(BaseConfig):
    """List the recipes, or explain one."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]")] = None
    """The recipe to explain; one of your own as path/to/my_gan.py or package.module:MyGAN."""

    shape: tuple[PositiveInt, PositiveInt, PositiveInt] = (3, 64, 64)
    """Channels, height and width of the images for which networks are counted."""


def run(arguments: list[str]) -> None:
    """Print the table, or the page of one recipe."""
    given = flags.parse(Recipes, arguments, prog="zerosum recipes").checked()
    told = table() if given.name is None else page(given.name, given.shape)
    say(*told.split("\n"))


def table() -> str:
    """Return one line a recipe: name and idea, or where an installed package has it. Nothing is imported for it."""
    ideas = {name: recipes.about(name).splitlines()[0] for name in recipes.names()}
    for name, point in recipes.installed().items():
        ideas[name] = f"{point.value}, of {point.dist.name if point.dist else 'an installed package'}"
    width = max(map(len, ideas))
    rows = [f"{name:<{width}}  {idea}" for name, idea in ideas.items()]
    return "\n".join([*rows, "", "`zerosum recipes NAME` explains one."])


def page(given: str, shape: tuple[int, ...]) -> str:
    """Return a recipe's idea and paper, its task, its networks with parameter counts at `shape`, and its settings."""
    recipes.require(given)
    with loading():
        from zerosum import kinds

        kind = recipes.find(given)
    about = inspect.cleandoc(sys.modules[kind.__module__].__doc__ or kind.__doc__ or kind.__name__)
    lines = [
        about,
        "",
        f"Task: it {kind.task.does} (zerosum {kind.task.command.split()[1]})",
        "Trains on: " + ", ".join(one.name for one in kinds.of_batches(kind.data)),
    ]
    return "\n".join(
        [
            *lines,
            *_controls(kind),
            *_networks(kind, shape),
            *_settings(kind),
            "",
            f"Train it: zerosum train DATA {command('--recipe', given)}",
        ]
    )


def _controls(kind: type[Recipe]) -> list[str]:
    """List the flags that the recipe adds to its task's command, with their help."""
    from zerosum.inference.controls import controls

    parameters = controls(kind)
    if not parameters:
        return []
    verb = kind.task.command.split()[1]
    texts = flags.help_of(getattr(kind, kind.task.method))
    return ["", f"Flags of zerosum {verb}:", *_explained(dict.fromkeys(parameters), texts)]


def _networks(kind: type[Recipe], shape: tuple[int, ...]) -> list[str]:
    """Count the parameters of a recipe's networks on the first kind of sample that it trains on."""
    from zerosum import kinds
    from zerosum.run.config import RunConfig
    from zerosum.run.load import build_recipe

    name = kinds.of_batches(kind.data)[0].name
    shape = (2,) if name == "points" else (DataConfig().frames, *shape) if name == "clips" else shape
    at, config = "x".join(map(str, shape)), RunConfig.read("", kind, {})
    try:
        built = build_recipe(config, Spec(shape=shape, kind=name))
    except InputError:  # one that needs labels
        at = f"{at} with 10 classes"
        built = build_recipe(config, Spec(shape=shape, kind=name, classes=tuple("0123456789")))
    counts = [(name, sum(p.numel() for p in network.parameters())) for name, network in built.named_children()]
    title = f"Networks at {at}, with their trainable parameters:"
    return ["", title, *(f"  {name:<16}{count:>12,}" for name, count in counts)]


def _settings(kind: type[Recipe]) -> list[str]:
    return ["", "Settings:", *_explained(kind.Config().to_json(), documentation(kind.Config))]


def _explained(values: Mapping[str, Any], texts: Mapping[str, str | None]) -> list[str]:
    lines = []
    for name, value in values.items():
        lines += [f"  {flag(name)}" + ("" if value is None else f" {spelt(value)}")]
        lines += [f"      {texts[name]}"] if texts.get(name) else []
    return lines
