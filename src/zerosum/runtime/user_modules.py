"""Python that a user names: a file or a module, imported, with one sentence where it cannot be."""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType

from zerosum.errors import InputError
from zerosum.runtime.paths import absolute, expanded

SOURCE = "__source__"
"""Attribute of a module that `run_file` made: the bytes that were run."""


def read_file(place: str | Path) -> bytes:
    """Return the bytes of a Python file, once it is known to be one; nothing is run.

    Raises:
        InputError: there is no such file, or it is not valid Python.
    """
    try:
        source = expanded(place).read_bytes()
    except OSError as error:
        reason = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise InputError(f"The recipe's file {place} {reason}: give the path of a Python file.") from None
    try:
        compile(source, place, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise InputError(f"{place}, line {error.lineno}, is not valid Python: {error.msg}.") from None
    except ValueError as error:
        raise InputError(f"{place} is not valid Python: {error}.") from None
    return source


def run_file(place: str) -> ModuleType:
    """Run a file as a module of its own, once for each content that it has had in this process.

    Raises:
        InputError: there is no such file, it is not valid Python, or it raises.
    """
    path = absolute(place)
    source = read_file(place)
    name = f"{path.stem}_{hashlib.sha256(bytes(path) + source).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    vars(module)[SOURCE] = source
    sys.modules[name] = module  # dataclasses and inspect look their module up
    try:
        with _path_begins_with(path.parent):
            exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, Exception | SystemExit):
            raise _failure(place, error) from None
        raise
    return module


def import_module(name: str, *, folder: Path | None = None) -> ModuleType:
    """Import a module that is installed or, where a folder is given, lies in it.

    Raises:
        InputError: there is no such module, or it raises.
    """
    try:
        with _path_begins_with(folder) if folder else nullcontext():
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise InputError(
                f"There is no module {error.name!r} to import {name} from: write package.module:MyGAN in the folder "
                "that holds the package, or give the path of a file."
            ) from None
        raise _failure(name, error) from None


@contextmanager
def _path_begins_with(folder: Path) -> Iterator[None]:
    """Let what is imported find its neighbours, as a script does."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _failure(given: str, error: BaseException) -> InputError:
    """Say in one sentence what an import raised, and in which line of the user's."""
    if isinstance(error, SyntaxError):
        return InputError(f"{given} cannot be imported: {error.filename}, line {error.lineno}: {error.msg}.")
    skipped = (__file__, importlib.__file__)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in skipped]
    place = next((frame for frame in frames if not frame.filename.startswith("<frozen")), None)
    line = f" in {Path(place.filename).name}, line {place.lineno}" if place else ""
    said = str(error).rstrip(".") or "no message"
    return InputError(f"{given} cannot be imported: it raises {type(error).__name__}{line}: {said}.")
