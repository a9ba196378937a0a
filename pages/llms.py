"""llms.txt, a list of the site's pages for programs that read it, and llms-full.txt, all of them in one file."""

from __future__ import annotations

import re
from pathlib import Path

LEFT_OUT = ("_built", "_site", "decisions", "reference/python.md")
HEAD = """# zerosum

> A toolkit for generative adversarial networks on PyTorch: train on a folder with one command, know when it fails, and
> how good it is, and use what was trained. Apache-2.0.

All pages in one file: llms-full.txt

"""


def write(docs: Path, folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = _pages(docs)
    listed = "".join(f"- [{_title(path)}]({path.relative_to(docs).with_suffix('.html')})\n" for path in pages)
    (folder / "llms.txt").write_text(HEAD + listed, encoding="utf-8")
    texts = (f"<!-- {path.relative_to(docs)} -->\n\n{_plain(path)}\n" for path in pages)
    (folder / "llms-full.txt").write_text("\n".join(texts), encoding="utf-8")


def _pages(docs: Path) -> list[Path]:
    names = {path: path.relative_to(docs).as_posix() for path in sorted(docs.rglob("*.md"))}
    return [path for path, name in names.items() if not name.startswith(LEFT_OUT)]


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def _plain(path: Path) -> str:
    """Return a page without what only the site's builder reads."""
    return re.sub(r"^```\{.*?^```\n?", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL).strip()
