"""One paper, one file; the file's name is the recipe's name, and it is imported only when asked for.

A recipe of one's own is a file (`my_gan.py`, or `my_gan.py:MyGAN` where it holds several), an importable class
(`package.module:MyGAN`), an entry point in the group `zerosum.recipes` of an installed package, or, in Python, a class.
Nothing here needs PyTorch before a recipe is imported.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import importlib
import inspect
import pkgutil
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from zerosum.errors import InputError
from zerosum.runtime.user_modules import SOURCE, import_module, read_file, run_file

if TYPE_CHECKING:
    from zerosum.recipe import Recipe

GROUP = "zerosum.recipes"
"""Entry points by which an installed package names its recipes."""

RecipeLike = str | Path | type["Recipe"]
"""What names a recipe: its name, its file, package.module:Class, or the class itself."""

_files: set[str] = set()
"""Source files of the recipes from outside that were found in this process."""


@dataclass(frozen=True)
class Origin:
    """Where a recipe comes from that is not one of zerosum's."""

    place: str | None
    """What `--recipe` takes for it; None for a class of a Python session, which has no name outside."""

    source: bytes | None
    """The file that defines it; None where there is none."""

    @property
    def sha256(self) -> str | None:
        """Fingerprint of the file."""
        return None if self.source is None else hashlib.sha256(self.source).hexdigest()


def names() -> tuple[str, ...]:
    """Return the names of zerosum's recipes, in alphabetical order."""
    return _names_in(tuple(__path__))


@functools.cache
def _names_in(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(path)))


def installed() -> dict[str, EntryPoint]:
    """Return the recipes of installed packages by name; zerosum's own come first where names are equal."""
    return {point.name: point for point in _entry_points(tuple(sys.path)) if point.name not in names()}


@functools.cache
def _entry_points(path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # reading what is installed takes 20 ms
    return tuple(entry_points(group=GROUP))


def about(name: str) -> str:
    """Return the docstring of the file of one of zerosum's recipes, without importing it."""
    return ast.get_docstring(ast.parse((Path(__file__).parent / f"{name}.py").read_bytes())) or ""


def require(given: str) -> None:
    """Refuse, before anything is imported, what names no recipe.

    Raises:
        InputError: there is no recipe, no file of that name, or the file is no Python.
    """
    place, wanted = _split(given)
    if place.endswith(".py"):
        read_file(place)
    elif wanted is None:
        _require_known(given)


def find(given: RecipeLike) -> type[Recipe]:
    """Return the recipe that `given` names. A file or module is run, as Python runs what it imports.

    Raises:
        InputError: there is no such recipe, its file cannot be imported, or it is not clear which class is meant.
    """
    if isinstance(given, type):
        return _checked(given, str(given.__name__))
    if not isinstance(given, str | Path):
        raise InputError(
            f"recipe is an object of the type {type(given).__name__}: give a name, a path to a file, or a class made "
            "from zerosum.Recipe."
        )
    place, wanted = _split(str(given))
    if place.endswith(".py"):
        kind = _choose(run_file(place), wanted, place)
    elif wanted is not None:
        kind = _choose(import_module(place, folder=Path.cwd()), wanted, place)
    else:
        return named(str(given))
    return _checked(kind, str(given))


def named(name: str) -> type[Recipe]:
    """Return a recipe of zerosum or of an installed package. Unlike `find`, it runs nothing else.

    Raises:
        InputError: there is none of that name, or the installed package cannot be imported.
    """
    _require_known(name)
    if name in names():
        return _choose(importlib.import_module(f"{__name__}.{name}"), None, name)
    point = installed()[name]
    return _checked(_choose(import_module(point.module), point.attr or None, point.module), point.value)


def name_of(kind: type[Recipe]) -> str:
    """Return the name under which a recipe is known: of one from outside that is not installed, the class's."""
    package, _, module = kind.__module__.rpartition(".")
    if package == __name__:
        return module
    near = [p for p in installed().values() if p.module.partition(".")[0] == kind.__module__.partition(".")[0]]
    return next((point.name for point in near if point.load() is kind), kind.__name__)


def origin(kind: type[Recipe]) -> Origin | None:
    """Return where a recipe comes from; None for zerosum's own."""
    if kind.__module__.startswith(f"{__name__}."):
        return None
    name = name_of(kind)
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    source = getattr(module, SOURCE, None)
    if source is None and file and file.endswith(".py") and Path(file).is_file():
        source = Path(file).read_bytes()
    if name in installed():
        return Origin(name, source)
    if "<locals>" in kind.__qualname__ or module is None or getattr(module, kind.__name__, None) is not kind:
        return Origin(None, source)
    if module.__name__ != "__main__" and module.__spec__ is not None:
        return Origin(f"{module.__name__}:{kind.__qualname__}", source)
    if file is None or source is None:
        return Origin(None, None)
    place = str(Path(file).absolute())
    return Origin(place if _defined(module) == [kind] else f"{place}:{kind.__name__}", source)


def argument(kind: type[Recipe]) -> str | None:
    """Return what `--recipe` takes for a recipe; None for a class of a Python session."""
    found = origin(kind)
    return name_of(kind) if found is None else found.place


def is_outside(file: str) -> bool:
    """Whether a source file is that of a recipe from outside, found in this process."""
    return file in _files


def _split(given: str) -> tuple[str, str | None]:
    """Part the class from its file or module: "my_gan.py:MyGAN" -> ("my_gan.py", "MyGAN")."""
    place, _, name = given.rpartition(":")
    return (place, name) if place and name.isidentifier() else (given, None)


def _require_known(name: str) -> None:
    if name in names() or name in (more := installed()):
        return
    known = [*names(), *more]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
    if not close and any(mark in name for mark in "./\\:"):
        hint = "one of your own is given as path/to/my_gan.py, path/to/my_gan.py:MyGAN or package.module:MyGAN."
    raise InputError(f"There is no recipe {name!r}; {hint} `zerosum recipes` lists them.")


def _defined(module: ModuleType) -> list[type[Recipe]]:
    """Return the recipes that a module defines; bases that cannot be played stay out unless they are all there is."""
    from zerosum.recipe import Recipe

    classes = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Recipe)]
    own = [value for value in dict.fromkeys(classes) if value.__module__ == module.__name__]
    return [value for value in own if not inspect.isabstract(value)] or own


def _choose(module: ModuleType, wanted: str | None, place: str) -> type[Recipe]:
    found = _defined(module)
    if wanted is not None:
        if not hasattr(module, wanted):
            has = f"it defines {', '.join(kind.__name__ for kind in found)}." if found else "it defines no recipe."
            raise InputError(f"{place} has no class {wanted}: {has}")
        return getattr(module, wanted)
    if not found:
        raise InputError(f"{place} defines no recipe: write a class made from zerosum.Recipe in it.")
    if len(found) > 1:
        known = ", ".join(kind.__name__ for kind in found)
        raise InputError(
            f"{place} defines several recipes ({known}): name one of them, as in {place}:{found[0].__name__}."
        )
    return found[0]


def _without_method(kind: type[Recipe]) -> list[str]:
    """Return the name of the method by which a recipe's task is done, where the recipe has none."""
    method = kind.task.method
    return [] if callable(getattr(kind, method, None)) else [method]


def _checked(kind: type[Recipe], given: str) -> type[Recipe]:
    """Refuse a class from outside that cannot be a recipe, and remember its file."""
    import zerosum.tasks  # noqa: F401  # gives a recipe without a base class of its own its task
    from zerosum.recipe import Recipe, RecipeConfig

    if not (isinstance(kind, type) and issubclass(kind, Recipe)):
        raise InputError(f"{given} is no recipe: a recipe is a class made from zerosum.Recipe.")
    if missing := sorted(getattr(kind, "__abstractmethods__", ())) or _without_method(kind):
        raise InputError(
            f"{given} is no whole recipe: {kind.__name__} lacks {' and '.join(f'{m}()' for m in missing)}."
        )
    config = kind.Config
    if not (isinstance(config, type) and issubclass(config, RecipeConfig)):
        raise InputError(f"{kind.__name__}.Config is no class made from zerosum.recipe.RecipeConfig: make it one.")
    if vars(config).get("__annotations__") and "__dataclass_fields__" not in vars(config):
        raise InputError(f"{kind.__name__}.Config needs @dataclass(frozen=True, kw_only=True) above it.")
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file and not kind.__module__.startswith("zerosum."):
        _files.add(file)
    return kind
