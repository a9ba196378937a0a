"""The command line. Each command is a file beside this one; none is imported before it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

COMMANDS = {
    "train": "train a recipe on your data, or go on with a run",
    "sample": "make samples with a trained run, or a film of a walk among them",
    "translate": "make images from images with a trained run",
    "inpaint": "fill holes in images with a trained run",
    "upscale": "make images larger with a run of super-resolution",
    "evaluate": "say how good a run, or a folder of images, is, and how sure that is",
    "compare": "put evaluated runs side by side",
    "recipes": "list the recipes, or explain one",
    "data": "check data, or pack them ahead of training",
    "report": "write a run's report.html anew",
    "bench": "measure mode collapse, beside published numbers",
}

USAGE = """usage: zerosum COMMAND ...

{commands}

`zerosum COMMAND --help` explains a command; `zerosum --version` says which this is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 it went wrong, 2 something given cannot be used."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    given = given[1:] if given[:1] == ["--"] else given  # as in `torchrun -m zerosum -- train`
    if not given or given[0] in ("-h", "--help"):
        print(_usage())
        return 0
    if given[0] == "--version":
        from zerosum import __version__

        print(__version__)
        return 0
    if given[0] not in COMMANDS:
        print(f"There is no command {given[0]!r}; known are {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    return _run(given[0], given[1:])


def _run(command: str, arguments: list[str]) -> int:
    import importlib

    from zerosum.errors import ZerosumError

    try:
        importlib.import_module(f"zerosum.cli.{command}").run(arguments)
    except ZerosumError as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun, one process speaks for all
            print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        sys.stderr.close()
        return 0
    except SystemExit as done:  # tyro has printed help, or what is wrong with the flags
        return done.code if isinstance(done.code, int) else 2
    return 0


def _usage() -> str:
    width = max(map(len, COMMANDS))
    return USAGE.format(commands="\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()))
