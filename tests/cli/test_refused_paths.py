"""Paths that the operating system refuses: a sentence that names them, whatever command they are given to."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest

from zerosum import api
from zerosum.runtime.progress import Silent

TRAIN = ("train", "ring8", "--recipe", "gan", "--batch", 4, "--rounds", 1)
USES = [
    (*TRAIN, "--run", "{}"),
    ("train", "--resume", "{}"),
    ("sample", "{}", "-n", 1),
    ("evaluate", "{}"),
    ("compare", "{}", "{}"),
    ("report", "{}"),
    ("data", "check", "{}"),
]


@pytest.mark.parametrize("path", ["e" * 300, "loop", "plain.txt/inside"], ids=["long", "loop", "below a file"])
@pytest.mark.parametrize("command", USES, ids=lambda words: " ".join(map(str, words[:2])))
def test_a_path_that_cannot_be_is_refused_in_a_sentence(
    command: tuple[object, ...], path: str, zerosum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", "loop")
    Path("plain.txt").touch()
    said = zerosum(*(str(word).format(path) for word in command))
    assert said.code == 2, said
    assert path in said.err.splitlines()[-1]
    assert said.err.rstrip()[-1] in ".?"


def test_a_place_that_cannot_be_written_is_named_with_the_flag_for_another(
    zerosum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.train("ring8", recipe="gan", run="r", rounds=1, batch=4, progress=Silent())
    replace = Path.replace

    def full(self: Path, target: Any) -> Any:
        if str(target).endswith(".png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    Path("old.png").touch()
    refused = "could not be written: No space left on device"
    for words, kept in ((("--out", "new.png"), ""), (("--out", "old.png"), "; what was saved before stands")):
        said = zerosum("sample", "r", "-n", 2, *words)
        assert (said.code, said.err) == (1, f"{words[1]} {refused}{kept}; name another place with --out.\n")
    said = zerosum("sample", "r", "-n", 2)
    assert (said.code, said.err.endswith("; name another place with --out.\n")) == (1, True)


@pytest.mark.parametrize("command", [("train", "--resume", "r", "--rounds", 3), ("report", "r")])
def test_a_file_of_a_run_without_permission_is_refused_in_a_sentence(
    command: tuple[object, ...], zerosum: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.train("ring8", recipe="gan", run="r", rounds=2, batch=4, save_every=1, progress=Silent())

    def refusing(opened: Any) -> Any:
        def opening(file: Any, *arguments: Any, **options: Any) -> Any:
            if str(file).endswith("history.jsonl"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
            return opened(file, *arguments, **options)

        return opening

    for name, opened in (("io.open", io.open), ("builtins.open", open), ("os.open", os.open)):
        monkeypatch.setattr(name, refusing(opened))
    said = zerosum(*command)
    assert said.code == 2, said.err
    assert "r/history.jsonl cannot be used (Permission denied)" in said.err.splitlines()[-1]
