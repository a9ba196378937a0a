"""`zerosum recipes`: the table of recipes, or one of them explained."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from zerosum import recipes
from zerosum.cli import flags, loading
from zerosum.config import BaseConfig, Count, documentation, flag
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.text import command

if TYPE_CHECKING:
    from zerosum.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Recipes(BaseConfig):
    """List the recipes, or explain one."""

    name: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]")] = None
    """The recipe to explain; one of your own as path/to/my_gan.py or package.module:MyGAN."""

    shape: tuple[Count, Count, Count] = (3, 64, 64)
    """Channels, height and width of the images for which networks are counted."""


def run(arguments: list[str]) -> None:
    """Print the table, or the page of one recipe."""
    given = flags.parse(Recipes, arguments, prog="zerosum recipes").checked()
    print(table() if given.name is None else page(given.name, given.shape))


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
        kind = recipes.find(given)
    about = inspect.cleandoc(sys.modules[kind.__module__].__doc__ or kind.__doc__ or kind.__name__)
    lines = [about, "", f"Task: {_task(kind)}", "Plays on: " + ", ".join(b.__name__.lower() for b in kind.data)]
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


def _task(kind: type[Recipe]) -> str:
    if hasattr(kind, "complete"):
        return "fills holes in images (zerosum inpaint)"
    if hasattr(kind, "radius"):  # of an Upscaler
        return "makes images larger (zerosum upscale)"
    if hasattr(kind, "translate"):
        return "makes images from images (zerosum translate)"
    return "makes samples from nothing (zerosum sample)"


def _controls(kind: type[Recipe]) -> list[str]:
    """List the flags of `zerosum sample` or `zerosum translate` that the recipe adds, with their help."""
    from zerosum.tasks import controls_of

    function: Any = getattr(kind, "sample", None) or getattr(kind, "translate", None)
    controls = controls_of(function) if function else {}
    if not controls:
        return []
    texts = flags.help_of(function)
    verb = "sample" if hasattr(kind, "sample") else "translate"
    return ["", f"Flags of zerosum {verb}:", *_explained(dict.fromkeys(controls), texts)]


def _networks(kind: type[Recipe], shape: tuple[int, ...]) -> list[str]:
    from zerosum.data.batch import Points

    shape = (2,) if tuple(kind.data) == (Points,) else shape
    at = "x".join(map(str, shape))
    try:
        built = kind(kind.Config(), Spec(shape=shape))
    except InputError:  # one that needs labels
        at = f"{at} with 10 classes"
        built = kind(kind.Config(), Spec(shape=shape, classes=tuple("0123456789")))
    counts = [(name, sum(p.numel() for p in network.parameters())) for name, network in built.named_children()]
    title = f"Networks at {at}, with their trainable parameters:"
    return ["", title, *(f"  {name:<16}{count:>12,}" for name, count in counts)]


def _settings(kind: type[Recipe]) -> list[str]:
    return ["", "Settings:", *_explained(kind.Config().to_json(), documentation(kind.Config))]


def _explained(values: Mapping[str, Any], texts: Mapping[str, str | None]) -> list[str]:
    lines = []
    for name, value in values.items():
        said = " ".join(map(str, value)) if isinstance(value, tuple | list) else value
        lines += [f"  {flag(name)}" + ("" if said is None else f" {said}")]
        lines += [f"      {texts[name]}"] if texts.get(name) else []
    return lines
