"""Pushing a run to the Hub: what would go up, and sending it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from zerosum.errors import InputError
from zerosum.hub.index import ALLOWED, INDEX
from zerosum.hub.package import Package
from zerosum.runtime import hub_client as client
from zerosum.runtime.hub_names import Repository
from zerosum.text import command, memory

_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")


def checked_licence(licence: str | None, *, public: bool) -> str | None:
    """Return a licence's identifier; nothing is guessed in its place.

    Raises:
        InputError: it is none, or there is none and everybody would get the run.
    """
    if licence is not None and _LICENCE.fullmatch(licence) is None:
        raise InputError(f"--licence is {licence!r}: give an identifier, such as apache-2.0, cc-by-4.0 or other.")
    if licence is None and public:
        raise InputError(
            "--public shows the run to everybody, and no --licence says what they may do with it: give one, such as "
            "--licence cc-by-4.0, that the data allow."
        )
    return licence


def plan(package: Package, repository: Repository, run: Path, *, public: bool) -> list[str]:
    """Say what goes up, how large it is, who can see it, and what to think of first."""
    total = sum(map(len, package.files.values()))
    said = [f"To {repository}, {'public: everybody can see it' if public else 'private'}, {_size(total)}:"]
    said += [f"  {name:<30} {_size(len(content)):>10}" for name, content in sorted(package.files.items())]
    if not package.evaluated:
        said.append(f"The run was not evaluated, and its card will say so: {command('zerosum', 'evaluate', run)}")
    if package.memorised:
        said.append(
            f"WARNING: samples look like copies of training samples ({'; '.join(package.memorised)}). Whoever gets the "
            "run gets those."
        )
    said.append("Names of classes and of the data's folder go along. If the data show people, ask them first.")
    return said


def push(package: Package, repository: Repository, *, public: bool) -> tuple[str, str]:
    """Send a package as one commit, and make the repository if need be; return its page and the commit.

    Raises:
        UnreachableError: the Hub does not answer.
        InputError: it refuses, or the repository is there and is public where it should be private, or the reverse.
    """
    there = client.look_up(repository)
    if there is not None and there.private == public:
        is_, asked = ("private", "--public was given") if public else ("public", "--public was not given")
        raise InputError(
            f"{repository} is there already and {is_}, and {asked}: nothing was sent. Say what it is, change it on its "
            "page, or name another repository."
        )
    if there is None:
        client.create(repository, private=not public)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in package.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        replaced = [name for name in (*ALLOWED, INDEX) if name not in package.files]
        commit = client.upload(repository, Path(folder), message="zerosum push", replaced=replaced)
    return client.address(repository), commit


def _size(size: int) -> str:
    return f"{size / 1e3:,.1f} kB" if size < 1e6 else memory(size)
