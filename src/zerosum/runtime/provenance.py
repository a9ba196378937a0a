"""Where this copy of zerosum comes from."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from zerosum.runtime.untrusted_json import parse

ROOT = Path(__file__).parents[3]
"""The checkout, where there is one: `src/zerosum/runtime` lies in it."""
DESCRIBE = ("describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+changes")


@cache
def commit() -> str | None:
    """Return the Git commit of the checkout that zerosum runs in, or that pip installed it from; None where unknown.

    Seven digits or more, and "+changes" where tracked files of the checkout are not as they were committed.
    """
    return of_checkout(ROOT) if (ROOT / ".git").exists() else of_installation("zerosum")


def of_checkout(root: Path) -> str | None:
    """Return the commit of a checkout; None where Git is unavailable or refuses."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # of another repository
    git = ("git", "--no-optional-locks", "-C", str(root))
    try:
        done = subprocess.run((*git, *DESCRIBE), capture_output=True, text=True, timeout=10, check=True, env=own)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def of_installation(package: str) -> str | None:
    """Return the commit that an installed package says it was installed from, as of `pip install git+https://...`.

    Source: PEP 610, https://peps.python.org/pep-0610/.
    """
    try:
        origin = parse(metadata.distribution(package).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return None
    source = origin.get("vcs_info") if isinstance(origin, dict) else None
    found = source.get("commit_id") if isinstance(source, dict) else None
    return found[:7] if isinstance(found, str) and found else None
