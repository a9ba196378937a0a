"""The command line. Each command is a file beside this one; none is imported before it is asked for."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zerosum.errors import ZerosumError

COMMANDS = {
    "train": "train a recipe on your data, or go on with a run",
    "init": "ask three questions, and print the command to type",
    "tune": "search for the settings under which a recipe does best on your data",
    "sample": "make samples with a trained run, or a film of a walk among them",
    "invert": "find the latent whose sample is nearest to an image",
    "age": "show faces at other ages, or images in other classes of an order",
    "augment": "balance the classes of labelled images with generated ones, and measure what that gains",
    "translate": "make images from images with a trained run",
    "inpaint": "fill holes in images with a trained run",
    "paint": "make images of a text with a trained run",
    "upscale": "make images larger with a run of super-resolution",
    "serve": "serve runs over HTTP, and show them while they are trained",
    "evaluate": "say how good a run, or a folder of images, is, and how sure that is",
    "compare": "put evaluated runs side by side, or make a table for a paper",
    "plot": "draw curves of runs as .pdf, .svg or .png",
    "cite": "write the references of a run as BibTeX",
    "features": "extract features of a large set of images in pieces, and compare sets by them",
    "doctor": "say what goes wrong in a run, a log or images, and what to change",
    "export": "write a generator as a file: ONNX, PyTorch, or a page for any browser",
    "recipes": "list the recipes, or explain one",
    "data": "check data, or pack them ahead of training",
    "report": "write a run's report.html again",
    "push": "push a run to the Hugging Face Hub, with a model card",
    "pull": "pull a run from the Hugging Face Hub",
    "follow": "send a run's curves and pictures to wandb, mlflow or trackio",
    "playground": "write a page that trains GANs on points in the browser, with lessons",
    "bench": "measure mode collapse, beside published numbers",
}

LIGHT = ("recipes", "report")
"""Commands that begin without PyTorch."""

COMPLETION = ("--install-completion", "--print-completion")
"""Flags of the program itself, after which a shell may be named."""

USAGE = """usage: zerosum COMMAND ...

{commands}

  zerosum train photos --minutes 60           learn from a folder of images
  zerosum sample runs/photos -n 16            make new ones
  zerosum doctor runs/photos                  what goes wrong, and which flag to change

`zerosum COMMAND --help` explains a command; `zerosum --version` says which this is;
`zerosum --install-completion` makes bash, zsh or fish complete commands and flags."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: done. 1: it went wrong. 2: something given cannot be used. 3: the doctor has found something worse than a note;
    or the autopilot has given up, and the run ends at its last healthy checkpoint. 128 + N: signal N has stopped it
    (130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP); what was trained is saved.
    """
    from zerosum.errors import StorageError
    from zerosum.runtime.terminal import standard_streams, tell

    try:
        with standard_streams():
            return _dispatch(arguments)
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        return 0
    except StorageError as error:
        tell(error)
        return error.exit_code


def _dispatch(arguments: Sequence[str] | None) -> int:
    from zerosum.runtime.terminal import say, tell

    given = list(sys.argv[1:] if arguments is None else arguments)
    given = given[1:] if given[:1] == ["--"] else given  # as in `torchrun -m zerosum -- train`
    if not given or given[0] in ("-h", "--help"):
        say(*_usage().split("\n"))
        return 0
    if given[0] == "--version":
        from zerosum import __version__

        say(__version__)
        return 0
    if given[0] in COMPLETION:
        return _complete(given[0], given[1:])
    if given[0] not in COMMANDS:
        tell(_unknown(given[0]))
        return 2
    return _run(given[0], given[1:])


def _complete(asked: str, shells: Sequence[str]) -> int:
    """Print the completion script of a shell, by default of the one in use, or write it where it belongs."""
    from zerosum.errors import InputError
    from zerosum.runtime.terminal import say, tell

    shell = next(iter(shells), os.path.basename(os.environ.get("SHELL", "")))
    try:
        with loading():
            from zerosum.cli import completion
        if asked == "--print-completion":
            say(*completion.script(shell, COMMANDS).rstrip("\n").split("\n"))
            return 0
        path, remark = completion.install(shell, COMMANDS)
    except InputError as error:
        tell(error)
        return error.exit_code
    say(f"Written: {path}", remark)
    return 0


def _run(command: str, arguments: list[str]) -> int:
    from zerosum.cli import refusals
    from zerosum.errors import ZerosumError
    from zerosum.runtime.terminal import tell

    try:
        return _loaded(command, arguments).run(arguments) or 0
    except ZerosumError as error:
        if (sentence := _for_this_process(error)) is not None:
            tell(refusals.with_way_on(error, sentence, command, arguments))
        return error.exit_code
    except KeyboardInterrupt:
        tell("Interrupted.")
        return 130
    except SystemExit as done:  # tyro has printed help, or what is wrong with the flags
        return done.code if isinstance(done.code, int) else 2
    except BrokenPipeError:
        raise
    except Exception as error:
        if told := refusals.told_of_recipe(error):
            tell(told, lines=True)
            return 1
        if (refused := refusals.refused_path(error)) is None:
            raise
        tell(refused)
        return 2


def _for_this_process(error: ZerosumError) -> str | None:
    """Return what this process says of an error: under torchrun, a later one says what the first cannot know.

    That another process is lost is said by the first process of each node.
    """
    from zerosum.errors import ProcessLostError

    rank = os.environ.get("RANK", "0")
    if rank == "0":
        return str(error)
    joined = "zerosum.runtime.distributed" in sys.modules and sys.modules["zerosum.runtime.distributed"].has_joined()
    told = not isinstance(error, ProcessLostError) or os.environ.get("LOCAL_RANK") == "0"
    return f"Process {rank}: {error}" if joined and told else None


def _loaded(command: str, arguments: list[str]) -> ModuleType:
    """Import a command, once it is known that the recipe that is named is there; PyTorch takes seconds."""
    import importlib

    with loading(announced=command not in LIGHT):
        if command != "bench":  # whose --recipe takes flags, in quotes
            from zerosum import recipes
            from zerosum.cli.flags import value_of

            if (given := value_of(arguments, "--recipe")) is not None:
                recipes.require(given)
        return importlib.import_module(f"zerosum.cli.{command}")


@contextmanager
def loading(*, announced: bool = True) -> Iterator[None]:
    """Say on a terminal what takes so long; an interrupt in the middle of an import ends the process at once."""
    shown = announced and sys.stderr.isatty() and os.environ.get("RANK", "0") == "0"
    said = "Loading PyTorch ..."

    def stop(number: int, frame: object) -> None:
        os.write(2, b"Interrupted.\n")
        os._exit(130)

    before = signal.getsignal(signal.SIGINT)
    ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, stop)
    if shown:
        print(said, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r" + " " * len(said) + "\r", end="", file=sys.stderr, flush=True)
        if ours:
            signal.signal(signal.SIGINT, before)


def _unknown(command: str) -> str:
    import difflib

    close = difflib.get_close_matches(command, COMMANDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(COMMANDS)}."
    return f"There is no command {command!r}; {hint}"


def _usage() -> str:
    width = max(map(len, COMMANDS))
    return USAGE.format(commands="\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()))
