"""What is typed wrongly is named rightly: commands, flags of other programs, and paths that a shell would part."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zerosum import text
from zerosum.cli import main
from zerosum.cli.unknown_flags import OURS, REMARKS
from zerosum.config import flag
from zerosum.errors import InputError
from zerosum.run.directory import Run, require_free


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("trian", "did you mean train?"), ("evalute", "did you mean evaluate?"), ("x", "known are train,")],
)
def test_a_mistyped_command_gets_a_suggestion(typed: str, meant: str, zerosum: Any) -> None:
    said = zerosum(typed, "photos")
    assert said.code == 2
    assert said.err.startswith(f"There is no command {typed!r}; {meant}")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("train x --batch-size=4", "it is called --batch here."),
        ("train x --batchSize 4", "it is called --batch here."),
        ("train x --batch_size 4", "it is called --batch here."),
        ("train x --epochs 4", "it is called --rounds here (a round draws --batch samples"),
        ("train x --lr 0.1 --recipe dcgan", "it is called --generator-lr and --discriminator-lr here."),
        ("train x --learning-rate 0.1 --recipe wgan_gp", "it is called --lr here."),
        ("train x --lr-g 0.1 --recipe dcgan", "it is called --generator-lr here."),
        ("train x --image-size 32", "it is called --size here (a side in pixels, or HEIGHTxWIDTH)."),
        ("train x --gpu 0", "it is called --device here (cuda, cuda:1, mps or cpu)."),
        ("train x --gpus 2", "torchrun --nproc-per-node 2"),
        ("train x --workers 2", "images are decoded once"),
        ("train x --resume-from runs/a", "it is called --resume here."),
        ("train x --outdir runs", "it is called --run here."),
        ("train x --name faces", "it is called --run here."),
        ("train --data x", "DATA is given without one, as in zerosum train DATA."),
        ("train x --log-evry 3", "did you mean --log-every?"),
        ("train x --xyzzy", "zerosum train --help lists the flags."),
        ("train x --no-cuda", "type --device cpu."),
        ("evaluate x --num-samples 50", "it is called --count here."),
        ("upscale r x --output y.png", "it is called --out here."),
    ],
)
def test_a_flag_of_another_program_is_answered_with_ours(words: str, meant: str, zerosum: Any) -> None:
    said = zerosum(*words.split())
    assert said.code == 2
    assert re.match(r"(There is no flag --\S+ of zerosum \w+|--lr is of .+, and the recipe here is dcgan): ", said.err)
    assert meant in said.err
    assert said.err.count("\n") == 1


def test_the_flags_that_are_named_are_there(zerosum: Any) -> None:
    words = [("train", "x", "--recipe", name) for name in ("dcgan", "wgan_gp")]
    words += [("sample",), ("evaluate",)]
    known = " ".join(zerosum(*some, "--help").out for some in words)
    offered = {name for names in OURS.values() for name in names} | set(REMARKS)
    assert {name for name in offered if not re.search(rf"{flag(name)}\b", known)} == {"truncation"}  # of a recipe


def test_a_path_with_a_space_is_quoted_in_what_to_type() -> None:
    assert shlex.split(text.command("zerosum", "train", "--resume", Path("my runs/it's"))) == [
        "zerosum", "train", "--resume", "my runs/it's",
    ]  # fmt: skip
    run = Run.create(Path("my runs/a"), {})
    with pytest.raises(InputError, match=r"zerosum train --resume 'my runs/a'"):
        require_free(run.path)


def test_loading_is_said_on_a_terminal_and_wiped_again() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-m", "zerosum", "train", "nowhere"], stderr=theirs, stdout=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 1000)
        except OSError:  # the child has closed its end
            break
        shown += part
        if not part:
            break
    assert child.wait() == 2
    assert shown.startswith(b"Loading PyTorch ...\r" + b" " * 19 + b"\r")


def test_nothing_is_said_of_loading_elsewhere(zerosum: Any) -> None:
    assert "Loading" not in zerosum("train", "nowhere").err


SLOW = """
import signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a program started in the background lacks

def find_spec(name, *_):
    if name == "torch":
        print("importing", flush=True)
        time.sleep(60)

sys.meta_path.insert(0, types.SimpleNamespace(find_spec=find_spec))
from zerosum.cli import main
sys.exit(main(["train", "x"]))
"""


def test_an_interrupt_during_imports_ends_at_once() -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen([sys.executable, "-c", SLOW], text=True, **pipes)
    assert child.stdout is not None
    assert child.stdout.readline() == "importing\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "Interrupted.\n")


def test_a_command_leaves_the_handler_of_interrupts_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    main(["train", "nowhere"])
    assert signal.getsignal(signal.SIGINT) is before
