"""Completion, asked of the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from zerosum import cli

WANTED = {
    "zerosum exp": {"export"},
    "zerosum train photos --fi": {"--fit"},
    "zerosum train photos --fit t": {"tiles"},
    "zerosum train photos --recipe wgan_": {"wgan_gp"},
    "zerosum train photos --recipe wgan_gp --n-cr": {"--n-critic"},
    "zerosum train photos --recipe dcgan --n-cr": set(),
    "zerosum data ca": {"cache"},
    "zerosum recipes style": {"stylegan2"},
}
"""What is typed, and what may stand there."""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of all shells, where --install-completion writes them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("SHELL", "/usr/bin/fish")
        assert [cli.main(["--install-completion", *shell]) for shell in (["bash"], ["zsh"], [])] == [0, 0, 0]
    return home


def test_bash_completes_commands_flags_and_values(scripts: Path):
    file = scripts / ".local/share/bash-completion/completions/zerosum"
    ask = "".join(
        f"COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _zerosum; echo ${{COMPREPLY[@]}}\n"
        for typed in WANTED
    )
    done = subprocess.run(["bash", "--norc"], input=f"source {file}\n{ask}", capture_output=True, text=True)
    assert done.stderr == ""
    assert [set(line.split()) for line in done.stdout.split("\n")[:-1]] == list(WANTED.values())


@pytest.mark.slow
def test_fish_completes_them(scripts: Path):
    fish = shutil.which("fish") or pytest.skip("needs fish")
    file = scripts / ".config/fish/completions/zerosum.fish"
    ask = "".join(f"echo (complete -C '{typed}' | string replace -r '\\t.*' '')\n" for typed in WANTED)
    done = subprocess.run([fish, "--no-config"], input=f"source {file}\n{ask}", capture_output=True, text=True)
    assert done.stderr == ""
    assert [set(line.split()) for line in done.stdout.split("\n")[:-1]] == list(WANTED.values())


@pytest.mark.slow
def test_zsh_completes_them(scripts: Path, tmp_path: Path):
    zsh = shutil.which("zsh") or pytest.skip("needs zsh")
    one = [(typed, *found) for typed, found in WANTED.items() if found]
    ready = f"PROMPT='> '; fpath=({scripts}/.zfunc $fpath); autoload -Uz compinit; "
    ready += f"compinit -u -d {tmp_path}/dump; echo rea''dy\n"
    mine, theirs = pty.openpty()
    with subprocess.Popen([zsh, "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path) as shell:
        try:
            while "ready" not in _type(mine, ready):
                ready = ""
            for typed, completed in one:
                shown = _type(mine, f"{typed}\t")
                assert f"{typed.rpartition(' ')[0]} {completed} " in shown, shown
                _type(mine, "\x15")  # leaves the line
        finally:
            shell.kill()
    os.close(mine)
    os.close(theirs)


def _type(terminal: int, keys: str, quiet: float = 1.5) -> str:
    """Type, and return what is shown until nothing comes any more."""
    os.write(terminal, keys.encode())
    shown, until = b"", time.monotonic() + 30
    while time.monotonic() < until and select.select([terminal], [], [], quiet if shown else 10)[0]:
        shown += os.read(terminal, 65536)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]|.\x08", "", shown.decode(errors="replace"))


def test_another_shell_is_refused_in_a_sentence(zerosum: Any):
    said = zerosum("--install-completion", "tcsh")
    assert (said.code, said.out) == (2, "")
    assert said.err == "Completion is for bash, zsh and fish, not for 'tcsh': type --install-completion bash.\n"


def test_a_script_can_be_printed(zerosum: Any, scripts: Path):
    said = zerosum("--print-completion", "fish")
    assert said.out == (scripts / ".config/fish/completions/zerosum.fish").read_text()
