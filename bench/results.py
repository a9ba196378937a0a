"""What benchmarks leave behind: a JSON file each under docs/benchmarks/, and the pages made of them.

python -m bench.results        writes docs/benchmarks.md and docs/results.md anew
"""

from __future__ import annotations

import datetime
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import answers
from bench.questions import QUESTIONS
from bench.tables import table as table
from zerosum.runtime import device

ROOT = Path(__file__).parents[1]
FOLDER, PAGE, ANSWERS = (ROOT / "docs" / name for name in ("benchmarks", "benchmarks.md", "results.md"))
HEAD = """# Benchmarks

Made by `python -m bench.results` from `docs/benchmarks/*.json`, which the commands named below write: no number here is
typed by hand. Machines are shared and noisy, so speeds are ratios of passes taken in turn in one run.
[Results](results.md) has extracts of it to read, a question at a time.
"""


def save(name: str, title: str, rows: Sequence[Sequence[str]], remarks: Sequence[str] = ()) -> Path:
    """Write a result: a table whose first row is its header, and sentences on how to read it."""
    FOLDER.mkdir(exist_ok=True)
    here = device.describe()
    result = {
        "title": title,
        "command": without_folders(["python", "-m", _module(), *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        ).stdout.strip(),
        "machine": f"{here['cpu']}, {here['cores']} cores, {here['threads']} threads, torch {here['torch']}",
        "rows": [list(row) for row in rows],
        "remarks": list(remarks),
    }
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    write()
    return path


def write() -> None:
    """Write both pages."""
    PAGE.write_text(page())
    ANSWERS.write_text(answered())


def answered() -> str:
    """Return docs/results.md as the results make it."""
    return answers.page({path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}, QUESTIONS)


def page() -> str:
    """Return docs/benchmarks.md as the results make it."""
    parts = [HEAD]
    for path in sorted(FOLDER.glob("*.json")):
        result = json.loads(path.read_text())
        parts += [f"## {result['title']}", "", table(result["rows"]), ""]
        parts += [f"- {remark}" for remark in result["remarks"]]
        parts += [f"- `{result['command']}`, {result['date']}, at {result['commit']}. {result['machine']}.", ""]
    return "\n".join(parts)


def without_folders(words: Sequence[str]) -> str:
    """Join the words of a command, files that lie elsewhere by their names alone."""
    return shlex.join(Path(word).name if word.startswith("/") else word for word in words)


def _module() -> str:
    """Name the running benchmark as `python -m` does."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else Path(sys.argv[0]).stem


if __name__ == "__main__":
    write()
