"""Names of repositories: owner/name, with or without a revision."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zerosum.errors import InputError

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?:hf:)?(?P<owner>{_PART})[/\\](?P<name>{_PART})(?:@(?P<revision>[\w][\w./-]{{0,127}}))?")


@dataclass(frozen=True)
class Repository:
    """A repository of models on the Hub.

    >>> Repository.read("hf:ada/digits@v1")
    Repository(owner='ada', name='digits', revision='v1')
    """

    owner: str
    name: str
    revision: str | None = None
    """A branch, tag or commit; None for the newest."""

    @classmethod
    def read(cls, text: str, *, revised: bool = True) -> Repository:
        """Read owner/name or, where it may be `revised`, owner/name@revision; hf: may stand before it.

        Raises:
            InputError: it is neither.
        """
        found = _NAME.fullmatch(text)
        wanted = "owner/name" + ", or owner/name@revision" * revised
        if found is None or any(twice in f"{found['owner']}/{found['name']}" for twice in ("..", "--")):
            raise InputError(f"{text} names no repository: give {wanted}, of letters, digits, '-', '_' and '.'.")
        if found["revision"] is not None and not revised:
            raise InputError(f"{text} names a revision, and a push makes a new one: give {wanted}.")
        return cls(found["owner"], found["name"], found["revision"])

    @property
    def id(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"

    def __str__(self) -> str:
        return self.id if self.revision is None else f"{self.id}@{self.revision}"
